import Decisions
import FoundationEssentials
import Telemetry

/// `sleepAfter: Auto` of one service: what is known of its silences, and the window chosen for the present one.
struct AutomaticSleep {
  /// A wake that nobody has measured yet takes so many seconds.
  private static let usualLoad = 60.0
  /// Share of the newest wake in the mean of waiters.
  private static let share = 0.2

  /// A silence whose beginning moved on by so many seconds was ended by a request that came and went between two looks.
  private static let jitter = 2.0

  private var memory = IdleMemory()
  /// What an earlier controller noted was looked for: from then on this one's notes hold.
  private(set) var isRestored = false
  /// The silence under way was begun by an earlier controller, and was not looked at since.
  private var isUnwatched = false
  /// Of the wake under way: request-seconds that were waited, and seconds.
  private var waited = (requestSeconds: 0.0, seconds: 0.0)
  private var lastLook: Duration?

  /// For the silence that goes on, or the last one; nil: there was none yet.
  var choice: IdleWindowChoice? { memory.choice }

  /// What a later controller must know; nil: nothing was seen, or it is not known yet what an earlier one saw.
  var note: String? {
    guard isRestored, memory != IdleMemory() else { return nil }
    return IdleNote.text(memory)
  }

  /// Goes on from an earlier controller's note; nil: there is none. What was seen of the service since counts for less.
  /// - Throws: what is wrong with the note; it is not used.
  mutating func restore(_ note: String?) throws {
    isRestored = true
    guard let note else { return }
    let earlier = try IdleNote.memory(note)
    guard earlier.history.gaps >= memory.history.gaps else { return }
    memory = earlier
    isUnwatched = true
  }

  /// The policy with the window as its `sleepAfter`.
  func applied(to policy: ScalingPolicy) -> ScalingPolicy {
    guard let choice = memory.choice else { return policy }
    var policy = policy
    policy.sleepAfter = .seconds(choice.window)
    policy.idleWindow = choice
    return policy
  }

  /// A request is expected at a moment of the silence under way: a replica should be there, or loading.
  func isExpected(at wall: Date) -> Bool {
    guard let silence = silence(at: wall), let choice = memory.choice else { return false }
    return choice.isExpected(after: silence)
  }

  /// How long until ``isExpected(at:)`` becomes true; nil: it does not in the silence under way.
  func untilExpected(at wall: Date) -> Duration? {
    guard let silence = silence(at: wall), let next = memory.choice?.nextExpected(after: silence) else { return nil }
    return .seconds(next - silence)
  }

  /// Seconds of the silence under way.
  private func silence(at wall: Date) -> Double? {
    memory.history.pending.map { wall.timeIntervalSince1970 - $0.start }
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
      // A wake ahead of its request says nothing of how many wait for one that is not.
      if waited.requestSeconds > 0 {
        memory.meanWaiters += Self.share * (waited.requestSeconds / waited.seconds - memory.meanWaiters)
      }
      waited = (0, 0)
    }
  }

  /// Looks at the need for the burst pool after a decision: a silence begins, goes on or ends.
  /// - Parameters:
  ///   - idleFor: time since the pool was last needed, zero while it is; nil: not known.
  ///   - loadTime: how long wakes take; nil: none was seen.
  ///   - wakesAhead: a replica may be started for a request that is only expected, and go within a minute.
  mutating func note(
    idleFor: Duration?, price: WakePrice, loadTime: Duration?, wakesAhead: Bool = false,
    _ learner: inout IdleWindowLearner, now: Now
  ) {
    guard let idleFor else { return }
    let wall = now.wall.timeIntervalSince1970
    let start = wall - idleFor.inSeconds
    let wasUnwatched = isUnwatched
    isUnwatched = false
    if let pending = memory.history.pending, idleFor == .zero || start > pending.start + Self.jitter {
      // When it ended is known, but for one that went on while no controller ran.
      if wasUnwatched { memory.history.dropPending() } else { learner.end(&memory.history, at: start) }
    }
    guard idleFor > .zero, memory.history.pending == nil else { return }
    if let loadTime { memory.loadSeconds = loadTime.inSeconds }
    let load = memory.loadSeconds ?? Self.usualLoad
    memory.choice = learner.begin(
      &memory.history, at: start, loadSeconds: load,
      waitingPrice: price.waiting(loadSeconds: load, meanWaiters: memory.meanWaiters), wakesAhead: wakesAhead)
  }
}
