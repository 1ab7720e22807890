/// Why a decision is what it is: one word for conditions and Events.
public enum ScalingReason: String, Hashable, Sendable {
  /// A request waits for a sleeping model.
  case activated = "Activated"
  /// A request is expected soon, by the model's past.
  case expected = "Expected"
  case loadAboveTarget = "LoadAboveTarget"
  /// More replicas are needed for the time to first token.
  case objective = "Objective"
  case loadBelowTarget = "LoadBelowTarget"
  /// The load rose past the panic threshold: nothing is scaled down until it is calm.
  case panic = "Panic"
  /// Nothing needed the pool for `sleepAfter`.
  case idle = "Idle"
  /// The owner changed the number of dedicated replicas.
  case floorChanged = "FloorChanged"
  /// A schedule of dedicated replicas began or ended.
  case schedule = "Schedule"
  /// The owner lowered the ceiling of the burst pool.
  case ceilingChanged = "CeilingChanged"
  case suspended = "Suspended"
  /// A gateway cannot be read, and missing data is not zero.
  case noData = "NoData"
  /// The controller started a moment ago and has not seen a whole window yet.
  case startingUp = "StartingUp"
  /// Load is lower, but not for long enough.
  case scaleDownDelayed = "ScaleDownDelayed"
  /// The last wake failed; the next one waits.
  case wakeBackOff = "WakeBackOff"
  /// Neither pool may have a replica.
  case noCapacity = "NoCapacity"
  /// The canary of a new template comes, changes its share or goes.
  case canary = "Canary"
  case steady = "Steady"
}

/// How many replicas a model should have now, and why.
public struct ScalingDecision: Hashable, Sendable {
  public var dedicated: Int
  public var burst: Int
  public var reason: ScalingReason
  /// The numbers that led here.
  public var evidence: ScalingEvidence
  public init(dedicated: Int, burst: Int, reason: ScalingReason, evidence: ScalingEvidence) {
    self.dedicated = dedicated
    self.burst = burst
    self.reason = reason
    self.evidence = evidence
  }
}
