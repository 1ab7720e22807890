import Decisions
import FoundationEssentials
import Telemetry

/// Why a service's last wake did not end in a ready replica.
struct WakeFailure: Equatable {
  /// `StartupTimeout`, or the kubelet's word.
  var reason: String
  var message: String
  /// Nobody is held and nothing is woken before.
  var nextAttempt: Date
  var failures: Int
}

/// Follows a wake of the burst pool from its scale patch to its first ready replica, or to its failure.
struct WakeTracker: Equatable {
  private(set) var backoff: WakeBackoff
  private(set) var failure: WakeFailure?
  /// When the wake under way began; monotonic.
  private(set) var startedAt: Duration?
  private(set) var coldStarts: ColdStartSamples
  private var notBefore: Duration?

  init(template: String, coldStarts: Int = 0) {
    backoff = WakeBackoff(template: template)
    self.coldStarts = ColdStartSamples(count: coldStarts)
  }

  /// Goes on from what an earlier controller wrote down.
  mutating func resume(_ failure: WakeFailure, template: String, now: Now) {
    self.failure = failure
    backoff = WakeBackoff(template: template, failures: failure.failures)
    // Another host's clock may be wrong by hours: no wait is longer than the longest that back-off ever asks for.
    let left = Duration.seconds(max(0, failure.nextAttempt.timeIntervalSince(now.wall)))
    notBefore = now.monotonic + min(left, WakeBackoff.ceiling)
  }

  /// No wake before; nil: any time.
  func blockedUntil(now: Duration) -> Duration? { notBefore.flatMap { $0 > now ? $0 : nil } }

  /// The template changed: whatever failed was another.
  mutating func setTemplate(_ template: String) {
    guard template != backoff.template else { return }
    backoff = WakeBackoff(template: template)
    failure = nil
    notBefore = nil
  }

  mutating func begin(at moment: Duration) { if startedAt == nil { startedAt = moment } }

  enum Verdict: Equatable {
    case nothing
    case awake(after: Duration)
    case failed
  }

  /// Judges the burst pool as it stands. `lastWords`: what the crashed container said.
  mutating func judge(
    _ pool: PoolObservation, startupTimeout: Duration, lastWords: String?, now: Now
  ) -> Verdict {
    guard pool.wanted > 0 else {
      startedAt = nil
      return .nothing
    }
    if pool.ready > 0 {
      notBefore = nil
      failure = nil
      backoff.succeed()
      guard let startedAt else { return .nothing }
      self.startedAt = nil
      coldStarts.add(now.monotonic - startedAt)
      return .awake(after: now.monotonic - startedAt)
    }
    guard blockedUntil(now: now.monotonic) == nil else { return .nothing }
    if let pod = pool.pods.first(where: { !$0.isTerminating && $0.trouble?.isFatal == true }), let trouble = pod.trouble
    {
      fail(trouble.reason, lastWords ?? trouble.message, now: now)
      return .failed
    }
    if let startedAt, now.monotonic - startedAt > startupTimeout {
      let waiting = pool.pods.lazy.compactMap(\.unschedulable).first?.message
      let message = "no replica was ready within timeouts.startup (\(startupTimeout.shortText))"
      fail("StartupTimeout", waiting.map { "\(message): \($0)" } ?? message, now: now)
      return .failed
    }
    return .nothing
  }

  private mutating func fail(_ reason: String, _ message: String, now: Now) {
    let wait = backoff.fail(template: backoff.template)
    notBefore = now.monotonic + wait
    failure = WakeFailure(
      reason: reason, message: message, nextAttempt: now.wall.addingTimeInterval(wait.inSeconds),
      failures: backoff.failures)
    startedAt = nil
  }
}
