import Decisions
import FoundationEssentials

/// One scaling decision with all its inputs: enough to see why, and to compute it again.
///
/// Moments are relative to the decision: it is made at 0. Decisions do not depend on when they are made, and small numbers
/// of seconds are exact to the nanosecond.
public struct DecisionRecord: Codable, Hashable, Sendable {
  /// What was decided.
  public struct Outcome: Codable, Hashable, Sendable {
    public var dedicated: Int
    public var burst: Int
    public var reason: ScalingReason
  }

  public var version: Int
  /// ``decideScaleVersion`` of who decided; another version may decide otherwise from the same inputs.
  public var function: Int
  public var namespace: String
  public var name: String
  /// Wall time in seconds since 1970.
  public var timeUnix: Double
  public var policy: ScalingPolicy
  /// Before the decision.
  public var state: ScalingState
  public var observation: ScalingObservation
  public var decision: Outcome

  /// - Parameter now: when it was made, on the clock of the state and the observation.
  public init(
    namespace: String, name: String, timeUnix: Double, policy: ScalingPolicy, state: ScalingState,
    observation: ScalingObservation, decision: ScalingDecision, now: Duration
  ) {
    version = FleetVersion.current
    function = decideScaleVersion
    self.namespace = namespace
    self.name = name
    self.timeUnix = timeUnix
    self.policy = policy
    self.state = state.moved(by: now)
    self.observation = observation.moved(by: now)
    self.decision = Outcome(dedicated: decision.dedicated, burst: decision.burst, reason: decision.reason)
  }

  /// As a line of JSON, members sorted, with its line feed.
  public func encodedLine() throws -> [UInt8] { try encodeSorted(self) + [UInt8(ascii: "\n")] }

  /// Reads one line, without or with its line feed. - Throws: ``FleetProtocolError``.
  public init(line: some Collection<UInt8>) throws(FleetProtocolError) {
    self = try decodeVersioned(DecisionRecord.self, from: Data(line))
  }
}

/// What computing a recorded decision again has shown.
public enum ReplayVerdict: Hashable, Sendable {
  case agrees
  /// The same function decides otherwise from the same inputs.
  case disagrees(now: DecisionRecord.Outcome)
  /// Another version of the function made it; `now`: what this one decides.
  case differsByVersion(now: DecisionRecord.Outcome)
}

extension DecisionRecord {
  /// Computes the decision again.
  public func replayed() -> ReplayVerdict {
    let recomputed = recompute()
    if function != decideScaleVersion { return .differsByVersion(now: recomputed) }
    return recomputed == decision ? .agrees : .disagrees(now: recomputed)
  }

  /// The decision with its evidence, for whoever wants it explained; by this version of the function.
  public func explained() -> ScalingDecision {
    var state = state
    return decideScale(policy, &state, observation, now: .zero)
  }

  private func recompute() -> Outcome {
    let decision = explained()
    return Outcome(dedicated: decision.dedicated, burst: decision.burst, reason: decision.reason)
  }
}
