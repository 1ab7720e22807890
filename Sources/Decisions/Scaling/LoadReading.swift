/// What a meter has measured of a model, as far as a decision asks for it.
public struct LoadReading: Hashable, Sendable {
  /// Averages of the policy's metric; nil: no data, which is not zero.
  public var stableAverage: Double?
  public var panicAverage: Double?
  /// Nil: the policy has no objective.
  public var service: ServiceObservation?
  /// Nil: replicas were never so busy that their first tokens got slow.
  public var advice: CapacityAdvice?

  public init(
    stableAverage: Double? = nil, panicAverage: Double? = nil, service: ServiceObservation? = nil,
    advice: CapacityAdvice? = nil
  ) {
    self.stableAverage = stableAverage
    self.panicAverage = panicAverage
    self.service = service
    self.advice = advice
  }
}

extension LoadMeter {
  /// Reads what a decision with this policy needs.
  public func read(_ policy: ScalingPolicy, now: Duration) -> LoadReading {
    LoadReading(
      stableAverage: average(policy.metric, over: policy.stableWindow, now: now),
      panicAverage: average(policy.metric, over: policy.panicWindow, now: now),
      service: service(policy, now: now), advice: capacityAdvice(recentFirstTokens))
  }
}
