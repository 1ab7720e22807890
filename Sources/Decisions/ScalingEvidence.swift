/// The numbers behind a decision, kept as numbers: text is made only for the few decisions that somebody reads.
public struct ScalingEvidence: Hashable, Sendable {
  public var policy: ScalingPolicy
  public var observation: ScalingObservation
  /// Burst replicas that the stable and the panic average ask for, before limits.
  public var stableNeed: Int
  public var panicNeed: Int
  /// Time since the burst pool was last needed; nil: not known.
  public var idleFor: Duration?
  public init(
    policy: ScalingPolicy, observation: ScalingObservation, stableNeed: Int, panicNeed: Int, idleFor: Duration?
  ) {
    self.policy = policy
    self.observation = observation
    self.stableNeed = stableNeed
    self.panicNeed = panicNeed
    self.idleFor = idleFor
  }
}
