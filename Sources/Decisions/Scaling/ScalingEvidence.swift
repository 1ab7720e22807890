/// The numbers behind a decision, kept as numbers: text is made only for the few decisions that somebody reads.
public struct ScalingEvidence: Hashable, Sendable {
  public var policy: ScalingPolicy
  public var observation: ScalingObservation
  /// Burst replicas that the stable and the panic average ask for, before limits.
  public var stableNeed: Int
  public var panicNeed: Int
  /// What the objective asks for; nil: there is none, or too little was measured.
  public var objective: ObjectiveEvidence?
  /// Time since the burst pool was last needed; nil: not known.
  public var idleFor: Duration?
  public init(
    policy: ScalingPolicy, observation: ScalingObservation, stableNeed: Int, panicNeed: Int,
    objective: ObjectiveEvidence? = nil, idleFor: Duration?
  ) {
    self.policy = policy
    self.observation = observation
    self.stableNeed = stableNeed
    self.panicNeed = panicNeed
    self.objective = objective
    self.idleFor = idleFor
  }
}

/// Burst replicas that an objective asks for.
public struct ObjectiveEvidence: Hashable, Sendable {
  /// By the arrivals of the stable and the panic window.
  public var stable: ObjectiveNeed
  public var panic: ObjectiveNeed
  /// By the bursts of the recent past.
  public var bursts: Int

  /// Nil: the policy has no objective, or too little was measured.
  init?(_ policy: ScalingPolicy, _ observation: ScalingObservation) {
    guard let objective = policy.objective, let service = observation.service else { return nil }
    let most = max(0, policy.maxBurstReplicas)
    let slots = max(1, policy.maxConcurrency)
    let beside = observation.dedicatedReplicas * policy.dedicatedMaxConcurrency
    func need(_ arrivals: Double) -> ObjectiveNeed? {
      leastReplicas(objective, arrivals: arrivals, service, slots: slots, slotsBeside: beside, within: 0...most)
    }
    guard let stable = need(service.stableArrivals),
      let panic = service.panicArrivals == service.stableArrivals ? stable : need(service.panicArrivals)
    else { return nil }
    self.stable = stable
    self.panic = panic
    let missing = ((service.burstSlots ?? 0) - Double(beside)) / Double(slots) - 1e-9
    bursts = missing > 0 ? min(most, missing < 1e6 ? Int(missing.rounded(.up)) : most) : 0
  }
}

extension ScalingEvidence {
  /// The time to first token that the objective's percentile should not exceed with so many burst replicas, at the higher of
  /// the two rates of arrivals; nil: it cannot be said.
  public func expectedFirstToken(burst: Int) -> Duration? {
    guard let objective = policy.objective, let service = observation.service else { return nil }
    return Decisions.expectedFirstToken(
      percentile: objective.percentile, arrivals: max(service.stableArrivals, service.panicArrivals), service,
      slots: observation.dedicatedReplicas * policy.dedicatedMaxConcurrency + burst * policy.maxConcurrency)
  }
}
