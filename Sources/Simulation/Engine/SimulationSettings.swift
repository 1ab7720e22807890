import Decisions

/// An endpoint outside the cluster that takes what the pools cannot take at once.
public struct OverflowEndpoint: Hashable, Sendable {
  /// It takes requests while no replica is ready.
  public var takesWaking: Bool
  /// It takes requests while every ready replica is full.
  public var takesSaturated: Bool
  /// From its call to the first token, in microseconds.
  public var firstTokenMicroseconds: Int64
  /// Money.
  public var pricePerRequest: Double
  public var pricePerMillionPromptTokens: Double
  public var pricePerMillionOutputTokens: Double
  public init(
    takesWaking: Bool = true, takesSaturated: Bool = true, firstTokenMicroseconds: Int64 = 500_000,
    pricePerRequest: Double = 0, pricePerMillionPromptTokens: Double = 0, pricePerMillionOutputTokens: Double = 0
  ) {
    self.takesWaking = takesWaking
    self.takesSaturated = takesSaturated
    self.firstTokenMicroseconds = firstTokenMicroseconds
    self.pricePerRequest = pricePerRequest
    self.pricePerMillionPromptTokens = pricePerMillionPromptTokens
    self.pricePerMillionOutputTokens = pricePerMillionOutputTokens
  }
}

/// What is wanted of the time to first token.
public struct FirstTokenObjective: Hashable, Sendable {
  public var firstTokenMicroseconds: Int64
  /// Percent of the requests that should meet it.
  public var percentile: Double
  public init(firstTokenMicroseconds: Int64, percentile: Double = 99) {
    self.firstTokenMicroseconds = firstTokenMicroseconds
    self.percentile = percentile
  }
}

/// What a replica and a wait cost; what is nil is not reported.
public struct CostBasis: Hashable, Sendable {
  /// What a cold start costs beyond its load time, in replica-seconds.
  public var coldStartPrice: Double
  public var currency: String
  /// Money per replica and hour.
  public var burstHourlyPrice: Double?
  public var dedicatedHourlyPrice: Double?
  /// Watts of a replica that has no request (loading, idle) and of one that has.
  public var idleWatts: Double?
  public var busyWatts: Double?
  /// Power usage effectiveness: all of the site's energy for each unit that computes (ISO/IEC 30134-2).
  public var powerUsageEffectiveness: Double
  /// Grams of CO2 equivalent per kWh.
  public var carbonGramsPerKWh: Double?
  public init(
    coldStartPrice: Double = 300, currency: String = "USD", burstHourlyPrice: Double? = nil,
    dedicatedHourlyPrice: Double? = nil, idleWatts: Double? = nil, busyWatts: Double? = nil,
    powerUsageEffectiveness: Double = 1, carbonGramsPerKWh: Double? = nil
  ) {
    self.coldStartPrice = coldStartPrice
    self.currency = currency
    self.burstHourlyPrice = burstHourlyPrice
    self.dedicatedHourlyPrice = dedicatedHourlyPrice
    self.idleWatts = idleWatts
    self.busyWatts = busyWatts
    self.powerUsageEffectiveness = powerUsageEffectiveness
    self.carbonGramsPerKWh = carbonGramsPerKWh
  }
}

/// What is simulated, whatever the policy. Every model has the same.
public struct SimulationSettings: Hashable, Sendable {
  /// What the production decision is given; its replicas, ceiling and target hold for all policies.
  public var scaling: ScalingPolicy
  /// Most requests at once at a burst replica.
  public var maxConcurrency: Int
  public var dedicatedMaxConcurrency: Int
  public var loadTimes: LoadTimes
  public var service: ServiceTimes
  public var overflow: OverflowEndpoint?
  public var objective: FirstTokenObjective?
  public var costs: CostBasis
  /// Whether replicas and held requests over time are kept, for a chart.
  public var keepsTimeline: Bool
  public init(
    scaling: ScalingPolicy = ScalingPolicy(), maxConcurrency: Int = 64, dedicatedMaxConcurrency: Int? = nil,
    loadTimes: LoadTimes = LoadTimes(seconds: [60]), service: ServiceTimes = ServiceTimes(),
    overflow: OverflowEndpoint? = nil, objective: FirstTokenObjective? = nil, costs: CostBasis = CostBasis(),
    keepsTimeline: Bool = false
  ) {
    self.scaling = scaling
    self.maxConcurrency = max(1, maxConcurrency)
    self.dedicatedMaxConcurrency = max(1, dedicatedMaxConcurrency ?? maxConcurrency)
    self.loadTimes = loadTimes
    self.service = service
    self.overflow = overflow
    self.objective = objective
    self.costs = costs
    self.keepsTimeline = keepsTimeline
  }

  /// At most one replica per model, which may sleep: then a model's course depends on its idle windows only.
  public var isOneReplica: Bool {
    scaling.maxBurstReplicas == 1 && scaling.dedicatedReplicas == 0 && overflow == nil && !scaling.isSuspended
  }
}
