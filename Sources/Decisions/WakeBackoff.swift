/// How long a model whose wakes fail is left alone: 10 s after the first failure, twice as long after each further one, at
/// most 10 min (kubelet's crash-loop base, with twice its ceiling: a replica here may hold a GPU while it fails).
public struct WakeBackoff: Hashable, Sendable {
  public static let base: Duration = .seconds(10)
  public static let ceiling: Duration = .seconds(600)

  /// Failed wakes in a row.
  public private(set) var failures: Int
  /// What was tried: a new template starts afresh.
  public private(set) var template: String

  public init(template: String, failures: Int = 0) {
    self.template = template
    self.failures = failures
  }

  /// Notes a failed wake of a template; returns how long to wait before the next.
  public mutating func fail(template: String) -> Duration {
    if template != self.template { self = WakeBackoff(template: template) }
    failures = min(failures + 1, 32)
    return Self.delay(afterFailures: failures)
  }

  /// Forgets all failures: a wake succeeded.
  public mutating func succeed() { failures = 0 }

  /// Wait after so many failures in a row; zero without one.
  public static func delay(afterFailures failures: Int) -> Duration {
    guard failures > 0 else { return .zero }
    return min(ceiling, base * (1 << min(failures - 1, 10)))
  }
}
