import EventLoop

/// Decides when replicas that have not passed their health check are asked again: at once, every 50 ms for 10 s, while a
/// start may be a matter of seconds, then every 500 ms.
///
/// A value without clock or socket. What it knows are the replicas that the gate is shut for; one that has passed, or left
/// the view, is forgotten.
struct HealthGate: Sendable {
  /// A replica of a service.
  struct ReplicaID: Hashable, Comparable, Sendable {
    var service: ServiceKey
    var podUID: String

    static func < (one: ReplicaID, other: ReplicaID) -> Bool {
      (one.service, one.podUID) < (other.service, other.podUID)
    }
  }

  /// What to ask whom.
  struct Check: Hashable, Sendable {
    var id: ReplicaID
    var address: SocketAddress
    var tls: UpstreamTLS?
    /// To be passed first, where nobody has said yet that the pod is ready.
    var readinessProbe: ReadinessProbe?
    var healthCheck: HealthCheck
  }

  /// What the end of a check means.
  enum Verdict: Hashable, Sendable {
    case passed
    case failed
    /// It failed, and from now on the replica is asked less often.
    case slowedDown
    /// The replica has gone or is to be asked something else by now.
    case outdated
  }

  /// Most checks at once: a gateway that starts asks all replicas there are.
  static let maxRunning = 64
  static let quickInterval: Duration = .milliseconds(50)
  static let quickPeriod: Duration = .seconds(10)
  static let slowInterval: Duration = .milliseconds(500)

  private struct Pending: Sendable {
    var check: Check
    /// When the replica was first seen ready.
    var since: Duration
    var due: Duration
    var wasAsked = false
    var isSlow = false

    /// Who has not been asked yet goes first: those that have failed must not keep the new ones waiting.
    func goes(before other: Pending) -> Bool {
      if wasAsked != other.wasAsked { return !wasAsked }
      return due != other.due ? due < other.due : check.id < other.check.id
    }
  }

  private var pending: [ReplicaID: Pending] = [:]
  private var running: Set<ReplicaID> = []

  /// Takes over the checks of a new view: every replica that is ready and has not passed.
  mutating func expect(_ checks: [Check], now: Duration) {
    var next: [ReplicaID: Pending] = [:]
    for check in checks {
      if let known = pending[check.id], known.check == check {
        next[check.id] = known
      } else {
        next[check.id] = Pending(check: check, since: now, due: now + (check.readinessProbe?.delay ?? .zero))
      }
    }
    pending = next
  }

  /// The checks to begin now. Call ``end(_:passed:now:)`` for each.
  mutating func begin(now: Duration) -> [Check] {
    let places = Self.maxRunning - running.count
    guard places > 0, !pending.isEmpty else { return [] }
    let due = pending.values.filter { $0.due <= now && !running.contains($0.check.id) }
    let chosen = places == 1 ? due.min { $0.goes(before: $1) }.map { [$0] } ?? [] : due.sorted { $0.goes(before: $1) }
    let checks = chosen.prefix(places).map(\.check)
    for check in checks {
      pending[check.id]?.wasAsked = true
      running.insert(check.id)
    }
    return checks
  }

  /// A check is over.
  mutating func end(_ check: Check, passed: Bool, now: Duration) -> Verdict {
    running.remove(check.id)
    guard var known = pending[check.id], known.check == check else { return .outdated }
    if passed {
      pending[check.id] = nil
      return .passed
    }
    let turnsSlow = !known.isSlow && now - known.since >= Self.quickPeriod
    known.isSlow = known.isSlow || turnsSlow
    known.due = now + (known.isSlow ? Self.slowInterval : Self.quickInterval)
    pending[check.id] = known
    return turnsSlow ? .slowedDown : .failed
  }

  /// When ``begin(now:)`` will have something to begin; nil: not before a check has ended.
  var nextDue: Duration? {
    guard running.count < Self.maxRunning else { return nil }
    return pending.values.lazy.filter { !running.contains($0.check.id) }.map(\.due).min()
  }
}
