import KubernetesAPI

/// When a status that differs is worth a write: changes of state at once; load, savings and advice alone at most every 15 s per
/// object and 20 times a second in all, and never for a service at rest.
struct StatusWritePolicy {
  static let minorInterval: Duration = .seconds(15)
  static let minorPerSecond = 20.0

  /// Tokens of a bucket that refills with `minorPerSecond`.
  private var tokens = minorPerSecond
  private var refilledAt: Duration?

  enum Verdict: Equatable {
    case nothing
    case write
    case later(Duration)
  }

  /// - Parameter lastWrite: when this controller last wrote this object's status.
  mutating func judge(
    _ live: JSONValue, _ wanted: JSONValue, isAtRest: Bool, lastWrite: Duration?, now: Duration
  ) -> Verdict {
    if Self.state(of: live) != Self.state(of: wanted) { return .write }
    if isAtRest || Self.substance(of: live) == Self.substance(of: wanted) { return .nothing }
    if let lastWrite, now - lastWrite < Self.minorInterval { return .later(lastWrite + Self.minorInterval - now) }
    refill(now)
    guard tokens >= 1 else { return .later(.seconds(1)) }
    tokens -= 1
    return .write
  }

  private mutating func refill(_ now: Duration) {
    let passed = refilledAt.map { now - $0 } ?? .seconds(1)
    let (seconds, attoseconds) = passed.components
    tokens = min(Self.minorPerSecond, tokens + (Double(seconds) + Double(attoseconds) * 1e-18) * Self.minorPerSecond)
    refilledAt = now
  }

  /// The status without what changes all the time. That a queue appears or ends is a change of state; its length is not.
  private static func state(of status: JSONValue) -> JSONValue {
    var state = status
    state["isHolding"] = .bool(status["load"]?["held"]?.intValue ?? 0 > 0)
    for member in ["load", "usage", "savings", "capacity"] { state[member] = nil }
    state[path: ["display", "saved"]] = nil
    let conditions = (status["conditions"]?.arrayValue ?? []).map { condition -> JSONValue in
      var condition = condition
      if condition["status"] == "True" { condition["message"] = nil }
      return condition
    }
    state["conditions"] = .array(conditions)
    return state
  }

  private static func substance(of status: JSONValue) -> JSONValue {
    var substance = status
    substance[path: ["load", "observedTime"]] = nil
    return substance
  }
}
