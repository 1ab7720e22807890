import Decisions
import FoundationEssentials
import Telemetry

/// `sleepAfter: Auto` of one service: what is known of its silences, and the window chosen for the present one.
struct AutomaticSleep {
  /// A wake that nobody has measured yet takes so many seconds.
  private static let usualLoad = 60.0
  /// Share of the newest wake in the mean of waiters.
  private static let share = 0.2

  private var history = IdleHistory()
  /// For the silence that goes on, or the last one; nil: there was none yet.
  private(set) var choice: IdleWindowChoice?
  /// Requests that waited on average while a replica loaded.
  private var meanWaiters = 1.0
  /// Of the wake under way: request-seconds that were waited, and seconds.
  private var waited = (requestSeconds: 0.0, seconds: 0.0)
  private var lastLook: Duration?

  /// The policy with the window as its `sleepAfter`.
  func applied(to policy: ScalingPolicy) -> ScalingPolicy {
    guard let choice else { return policy }
    var policy = policy
    policy.sleepAfter = .seconds(choice.window)
    policy.idleWindow = choice
    return policy
  }

  /// Counts who waits while a wake is under way.
  mutating func watch(held: Int, isWaking: Bool, now: Duration) {
    defer { lastLook = now }
    if isWaking {
      guard let lastLook else { return }
      let passed = max(0, (now - lastLook).inSeconds)
      waited.requestSeconds += Double(held) * passed
      waited.seconds += passed
    } else if waited.seconds > 0 {
      meanWaiters += Self.share * (waited.requestSeconds / waited.seconds - meanWaiters)
      waited = (0, 0)
    }
  }

  /// Looks at the need for the burst pool after a decision: a silence begins, goes on or ends.
  /// - Parameters:
  ///   - idleFor: time since the pool was last needed, zero while it is; nil: not known.
  ///   - loadTime: how long wakes take; nil: none was seen.
  mutating func note(
    idleFor: Duration?, price: WakePrice, loadTime: Duration?, _ learner: inout IdleWindowLearner, now: Now
  ) {
    guard let idleFor else { return }
    let wall = now.wall.timeIntervalSince1970
    guard idleFor > .zero else { return learner.end(&history, at: wall) }
    guard history.pending == nil else { return }
    let load = loadTime?.inSeconds ?? Self.usualLoad
    choice = learner.begin(
      &history, at: wall - idleFor.inSeconds, loadSeconds: load,
      waitingPrice: price.waiting(loadSeconds: load, meanWaiters: meanWaiters))
  }
}
