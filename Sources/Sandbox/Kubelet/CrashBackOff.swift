/// How long a container that ended waits before it starts again: the kubelet's `CrashLoopBackOff`.
///
/// The first restart is at once; later ones wait 10 s, doubled each time up to 5 min. A container that ran for 10 min
/// starts over (kubelet: `backOffPeriod`, `MaxContainerBackOff`, and `flowcontrol.Backoff`, whose entries expire after
/// twice the maximum).
struct CrashBackOff: Sendable {
  static let initial = Duration.seconds(10)
  static let maximum = Duration.seconds(300)
  static let expiry = Duration.seconds(600)

  private var wait: Duration?
  private var lastRestart = Duration.zero

  /// The wait that a container owes which ended at `now`.
  func delay(now: Duration) -> Duration {
    guard let wait, now - lastRestart <= Self.expiry else { return .zero }
    return wait
  }

  /// To be told when the container starts again; `ended` is when it had ended.
  mutating func restarted(ended: Duration, now: Duration) {
    if let wait, ended - lastRestart <= Self.expiry {
      self.wait = min(wait * 2, Self.maximum)
    } else {
      wait = Self.initial
    }
    lastRestart = now
  }
}
