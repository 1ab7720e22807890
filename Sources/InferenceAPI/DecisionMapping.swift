import Decisions
import TimeZones

/// The spec in the words of `Decisions`.
extension InferenceService {
  /// How the model scales; nil where the spec asks for what no decision takes into account yet, which
  /// ``UnsupportedFields`` says in words.
  public var scalingPolicy: ScalingPolicy? {
    guard let metric = ScalingMetric(rawValue: spec.scaling.metric.rawValue) else { return nil }
    return ScalingPolicy(
      metric: metric, target: Double(target), dedicatedTarget: dedicatedTarget,
      stableWindow: spec.scaling.stableWindow, panicWindow: spec.scaling.panicWindow,
      panicThresholdPercent: spec.scaling.panicThresholdPercent, scaleDownDelay: spec.scaling.scaleDownDelay,
      sleepAfter: sleepAfter ?? .seconds(600), dedicatedReplicas: spec.dedicated.replicas,
      maxBurstReplicas: spec.burst.maxReplicas,
      spareBurstReplicas: spec.burst.spareReplicas, maxConcurrency: maxConcurrency,
      dedicatedMaxConcurrency: dedicatedMaxConcurrency,
      objective: spec.scaling.objective.map {
        Decisions.LatencyObjective(timeToFirstToken: $0.timeToFirstToken, percentile: $0.percentile)
      }, isSuspended: spec.suspend)
  }

  /// What waiting is worth against a burst replica, where `sleepAfter` is Auto; else nil.
  public var wakePrice: WakePrice? {
    guard spec.burst.sleepAfter == .auto, let economics = spec.economics else { return nil }
    return WakePrice(
      waitingPerHour: economics.waitingHourlyPrice?.doubleValue ?? 0,
      replicaPerHour: economics.burst.hourlyPrice?.doubleValue ?? 0)
  }

  /// The window that the spec names; nil: Auto.
  private var sleepAfter: Duration? {
    guard case .after(let window) = spec.burst.sleepAfter else { return nil }
    return window
  }

  /// What replicas cost; nothing is known where the spec is silent.
  public var economics: Economics {
    guard let economics = spec.economics else { return Economics() }
    func price(_ cost: EconomicsSpec.ReplicaCost) -> ReplicaPrice {
      ReplicaPrice(perHour: cost.hourlyPrice?.doubleValue, powerWatts: cost.powerWatts.map(Double.init))
    }
    return Economics(
      currency: economics.currency, dedicated: price(economics.dedicated), burst: price(economics.burst),
      carbonGramsPerKWh: economics.carbonGramsPerKWh.map(Double.init))
  }
}

extension ReplicaSchedule {
  /// The schedule by the clocks of its zone.
  public func weekly(in zone: Zone) -> WeeklySchedule {
    WeeklySchedule(
      name: name, weekdays: Set(days.map(\.number)), start: startMinute, end: endMinute, zone: zone, zoneName: timeZone,
      replicas: replicas)
  }
}

extension Weekday {
  /// 0 for Sunday to 6 for Saturday.
  fileprivate var number: Int {
    switch self {
    case .sunday: 0
    case .monday: 1
    case .tuesday: 2
    case .wednesday: 3
    case .thursday: 4
    case .friday: 5
    case .saturday: 6
    }
  }
}
