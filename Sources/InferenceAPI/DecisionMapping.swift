import Decisions

/// The spec in the words of `Decisions`.
extension InferenceService {
  /// How the model scales; nil where the spec asks for what no decision takes into account yet, which
  /// ``UnsupportedFields`` says in words.
  public var scalingPolicy: ScalingPolicy? {
    guard let metric = ScalingMetric(rawValue: spec.scaling.metric.rawValue),
      case .after(let sleepAfter) = spec.burst.sleepAfter
    else { return nil }
    return ScalingPolicy(
      metric: metric, target: Double(target), dedicatedTarget: dedicatedTarget,
      stableWindow: spec.scaling.stableWindow, panicWindow: spec.scaling.panicWindow,
      panicThresholdPercent: spec.scaling.panicThresholdPercent, scaleDownDelay: spec.scaling.scaleDownDelay,
      sleepAfter: sleepAfter, dedicatedReplicas: spec.dedicated.replicas, maxBurstReplicas: spec.burst.maxReplicas,
      spareBurstReplicas: spec.burst.spareReplicas, isSuspended: spec.suspend)
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
