import Decisions

/// What a policy took, in the figures that are printed.
public struct PolicyReport: Hashable, Sendable {
  public var policy: String
  public var note: String?
  public var requests = 0
  public var replicaHours = 0.0
  public var loadingHours = 0.0
  public var busyHours = 0.0
  public var idleHours = 0.0
  public var drainingHours = 0.0
  public var coldStarts = 0
  public var prewarms = 0
  /// Shares are from 0 to 1; nil: not defined here.
  public var shareOfAlwaysOn: Double?
  public var waitingShare = 0.0
  public var meanWaitSeconds = 0.0
  public var waitP50 = 0.0
  public var waitP95 = 0.0
  public var waitP99 = 0.0
  public var firstTokenP50 = 0.0
  public var firstTokenP99 = 0.0
  /// Share of the requests whose first token came within the objective.
  public var objectiveAttainment: Double?
  public var objectiveIsMet: Bool?
  public var overflowShare = 0.0
  /// In replica-seconds: all replica time, and cold starts at their price.
  public var cost = 0.0
  public var costRatioToOptimum: Double?
  /// Of replicas, and of overflow calls.
  public var money: Double?
  public var overflowMoney: Double?
  public var energyKWh: Double?
  public var carbonGrams: Double?

  init(_ outcome: PolicyOutcome, _ settings: SimulationSettings, _ result: SimulationResult) {
    let sum = outcome.sum
    policy = outcome.policy
    note = outcome.note
    requests = sum.requests
    var all = sum.burst
    all += sum.dedicated
    replicaHours = Self.hours(all.total)
    loadingHours = Self.hours(all.loading)
    busyHours = Self.hours(all.busy)
    idleHours = Self.hours(all.idle)
    drainingHours = Self.hours(all.draining)
    coldStarts = sum.coldStarts
    prewarms = sum.prewarms
    let share = { (part: Int) in sum.requests > 0 ? Double(part) / Double(sum.requests) : 0 }
    waitingShare = share(sum.waiting)
    meanWaitSeconds = sum.requests > 0 ? Double(sum.waited) / 1e6 / Double(sum.requests) : 0
    (waitP50, waitP95, waitP99) = (
      outcome.waits.quantile(0.5), outcome.waits.quantile(0.95), outcome.waits.quantile(0.99)
    )
    (firstTokenP50, firstTokenP99) = (outcome.firstTokens.quantile(0.5), outcome.firstTokens.quantile(0.99))
    if let objective = settings.objective {
      objectiveAttainment = share(sum.withinObjective)
      objectiveIsMet = share(sum.withinObjective) * 100 >= objective.percentile
    }
    overflowShare = share(sum.overflowRequests)
    cost = Self.cost(outcome, settings)
    if let optimum = result.optimum {
      let least = Self.cost(optimum, settings)
      costRatioToOptimum = least > 0 ? cost / least : nil
    }
    let always = Self.alwaysOnHours(result)
    shareOfAlwaysOn = always > 0 ? replicaHours / always : nil
    bill(sum, settings)
  }

  private mutating func bill(_ sum: ModelAccount, _ settings: SimulationSettings) {
    let costs = settings.costs
    if let burst = costs.burstHourlyPrice {
      money =
        burst * Self.hours(sum.burst.total)
        + (costs.dedicatedHourlyPrice ?? burst) * Self.hours(sum.dedicated.total)
    }
    if let overflow = settings.overflow {
      let spent =
        Double(sum.overflowRequests) * overflow.pricePerRequest
        + Double(sum.overflowPromptTokens) / 1e6 * overflow.pricePerMillionPromptTokens
        + Double(sum.overflowOutputTokens) / 1e6 * overflow.pricePerMillionOutputTokens
      overflowMoney = spent
      money = money.map { $0 + spent }
    }
    guard let idle = costs.idleWatts, let busy = costs.busyWatts else { return }
    // A replica that loads draws what an idle one does: its accelerator waits for the disk. One that drains is busy.
    let kilowattHours =
      (busy * (busyHours + drainingHours) + idle * (idleHours + loadingHours)) / 1000 * costs.powerUsageEffectiveness
    energyKWh = kilowattHours
    carbonGrams = costs.carbonGramsPerKWh.map { $0 * kilowattHours }
  }

  /// In replica-seconds.
  static func cost(_ outcome: PolicyOutcome, _ settings: SimulationSettings) -> Double {
    let sum = outcome.sum
    return Double(sum.burst.total + sum.dedicated.total) / 1e6
      + settings.costs.coldStartPrice * Double(sum.coldStarts)
  }

  /// Replica-hours of keeping the peak on from the first to the last request; with one replica per model that is one each.
  static func alwaysOnHours(_ result: SimulationResult) -> Double {
    if result.contenders.first?.settings.isOneReplica == false, let sum = result.alwaysOn?.sum {
      return hours(sum.burst.total + sum.dedicated.total)
    }
    let models = result.outcomes.first?.models.count { $0.requests > 0 } ?? 0
    return Double(models) * hours(result.end - result.start)
  }

  private static func hours(_ microseconds: Int64) -> Double { Double(microseconds) / 3_600e6 }
}

extension SimulationResult {
  /// One for each contender, in their order.
  public var reports: [PolicyReport] {
    zip(outcomes, contenders).map { PolicyReport($0, $1.settings, self) }
  }
}
