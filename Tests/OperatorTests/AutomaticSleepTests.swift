import Decisions
import FoundationEssentials
import Telemetry
import Testing

@testable import Operator

@Suite struct AutomaticSleepTests {
  private let price = WakePrice(waitingPerHour: 30, replicaPerHour: 3)

  private func now(_ seconds: Double) -> Now {
    Now(monotonic: .seconds(seconds), wall: Date(timeIntervalSince1970: 1_750_000_000 + seconds))
  }

  /// Lets a silence pass: the pool is needed, then idle for so long, looked at every second while awake.
  private func pass(
    _ sleep: inout AutomaticSleep, _ learner: inout IdleWindowLearner, silence: Double, from start: Double
  ) {
    sleep.note(idleFor: .zero, price: price, loadTime: .seconds(30), &learner, now: now(start))
    for second in 1...3 {
      sleep.note(
        idleFor: .seconds(second), price: price, loadTime: .seconds(30), &learner, now: now(start + Double(second)))
    }
    sleep.note(idleFor: .zero, price: price, loadTime: .seconds(30), &learner, now: now(start + silence))
  }

  @Test("The window becomes the policy's sleepAfter, and follows the service's silences")
  func follows() {
    var (sleep, learner) = (AutomaticSleep(), IdleWindowLearner())
    let policy = ScalingPolicy(sleepAfter: .seconds(600))
    #expect(sleep.applied(to: policy) == policy)
    var start = 0.0
    for _ in 0..<60 {
      pass(&sleep, &learner, silence: 200, from: start)
      start += 200
    }
    // Each silence is learned from once, though it was looked at four times.
    #expect(learner.learned == 60)
    let applied = sleep.applied(to: policy)
    #expect(applied.sleepAfter >= .seconds(200))
    #expect(applied.idleWindow == sleep.choice)
    #expect(sleep.choice?.gaps == 59)
  }

  @Test("A silence begins when the pool was last needed, not when it was looked at; without data nothing is learned")
  func begins() {
    var (sleep, learner) = (AutomaticSleep(), IdleWindowLearner())
    sleep.note(idleFor: nil, price: price, loadTime: nil, &learner, now: now(0))
    #expect(sleep.choice == nil)
    sleep.note(idleFor: .seconds(100), price: price, loadTime: nil, &learner, now: now(100))
    sleep.note(idleFor: .zero, price: price, loadTime: nil, &learner, now: now(110))
    #expect(learner.learned == 1)
    #expect(abs((sleep.choice?.wakePrice ?? 0) - 600) < 1e-6)
  }

  @Test("More waiters make a wake dearer")
  func waiters() {
    var (sleep, learner) = (AutomaticSleep(), IdleWindowLearner())
    for wake in 0..<40 {
      let start = Double(wake * 100)
      sleep.watch(held: 0, isWaking: false, now: now(start).monotonic)
      sleep.watch(held: 4, isWaking: true, now: now(start + 1).monotonic)
      sleep.watch(held: 4, isWaking: true, now: now(start + 31).monotonic)
      sleep.watch(held: 0, isWaking: false, now: now(start + 32).monotonic)
    }
    sleep.note(idleFor: .seconds(1), price: price, loadTime: .seconds(30), &learner, now: now(5000))
    let waiting = sleep.choice?.wakePrice ?? 0
    #expect(abs(waiting - 4 * 30 * 30 / 3) < 5)
  }

  /// Silences of 200 s, and a last one that goes on for `idle` seconds.
  private func learned(idle: Double = 3) throws -> (AutomaticSleep, IdleWindowLearner, end: Double) {
    var (sleep, learner) = (AutomaticSleep(), IdleWindowLearner())
    try sleep.restore(nil)
    var start = 0.0
    for _ in 0..<60 {
      pass(&sleep, &learner, silence: 200, from: start)
      start += 200
    }
    sleep.note(idleFor: .seconds(idle), price: price, loadTime: .seconds(30), &learner, now: now(start + idle))
    return (sleep, learner, start)
  }

  @Test("A new process that reads the note chooses the same windows, and goes on with the silence under way")
  func restarts() throws {
    var (before, learner, start) = try learned()
    var after = AutomaticSleep()
    #expect(after.note == nil)
    try after.restore(before.note)
    var again = try IdleWindowLearner(packed: learner.packed)
    #expect(after.choice == before.choice && after.note == before.note)
    // Two minutes without a controller; its wakes were forgotten with the process.
    after.note(idleFor: .seconds(123), price: price, loadTime: nil, &again, now: now(start + 123))
    before.note(idleFor: .seconds(123), price: price, loadTime: .seconds(30), &learner, now: now(start + 123))
    for index in 0..<20 {
      start += 200
      for idle in [0.0, 1, 2] {
        after.note(idleFor: .seconds(idle), price: price, loadTime: nil, &again, now: now(start + idle))
        before.note(idleFor: .seconds(idle), price: price, loadTime: .seconds(30), &learner, now: now(start + idle))
      }
      #expect(after.choice?.window == before.choice?.window, "silence \(index)")
      #expect(abs((after.choice?.wakePrice ?? 0) - (before.choice?.wakePrice ?? 1)) < 1e-3)
      #expect(after.choice?.gaps == before.choice?.gaps)
    }
    #expect(again.learned == learner.learned)
    // The load time is remembered, too: 300 for the waiting, and some of the 30 s of a load.
    #expect((300..<330).contains(after.choice?.wakePrice ?? 0))
  }

  @Test("Of a silence that ended while no controller ran nothing is learned")
  func unwatched() throws {
    let (before, learner, start) = try learned()
    for idle in [0.0, 40] {
      var (after, again) = (AutomaticSleep(), learner)
      try after.restore(before.note)
      after.note(idleFor: nil, price: price, loadTime: nil, &again, now: now(start + 500))
      after.note(idleFor: .seconds(idle), price: price, loadTime: nil, &again, now: now(start + 500))
      #expect(again.learned == learner.learned)
      #expect(after.choice?.gaps == before.choice?.gaps)
    }
  }

  @Test("A note that is foreign, broken or of another version is refused with a reason, and everything begins anew")
  func foreign() throws {
    let note = try #require(try learned().0.note)
    for text in ["", "gaps", "idle:", "idle:?", String(note.dropLast(8)), "idle:CQAA"] {
      var sleep = AutomaticSleep()
      #expect(throws: (any Error).self) { try sleep.restore(text) }
      #expect(sleep.isRestored && sleep.choice == nil && sleep.note == nil)
    }
    #expect(note.utf8.count <= 560)
  }

  @Test("What was learned meanwhile is kept where it is more than the note says")
  func richer() throws {
    let (before, _, _) = try learned()
    var (sleep, learner) = (AutomaticSleep(), IdleWindowLearner())
    for index in 0..<70 { pass(&sleep, &learner, silence: 100, from: Double(index) * 100) }
    #expect(sleep.note == nil)
    let choice = sleep.choice
    try sleep.restore(before.note)
    #expect(sleep.choice == choice && sleep.note != nil)
  }

  @Test("A request that came and went between two looks ends a silence")
  func short() {
    var (sleep, learner) = (AutomaticSleep(), IdleWindowLearner())
    for index in 0..<20 {
      let start = Double(index) * 90
      for idle in stride(from: 0.5, to: 90, by: 10) {
        sleep.note(idleFor: .seconds(idle), price: price, loadTime: nil, &learner, now: now(start + idle))
      }
    }
    #expect(learner.learned == 19 && sleep.choice?.gaps == 19)
  }

  /// Silences of 900 s, with wakes ahead; the last one goes on.
  private func expecting() throws -> (AutomaticSleep, start: Double) {
    var (sleep, learner) = (AutomaticSleep(), IdleWindowLearner())
    try sleep.restore(nil)
    for index in 0...60 {
      for second in [0.0, 1, 2] {
        sleep.note(
          idleFor: .seconds(second), price: price, loadTime: .seconds(30), wakesAhead: true, &learner,
          now: now(Double(index) * 900 + second))
      }
    }
    return (sleep, 60 * 900)
  }

  @Test("A request that recurs is expected in time, by the next controller too, and not once the silence is over")
  func expects() throws {
    let (first, start) = try expecting()
    var second = AutomaticSleep()
    try second.restore(first.note)
    for sleep in [first, second] {
      let wait = try #require(sleep.untilExpected(at: now(start + 60).wall)).inSeconds
      #expect(wait > 600 && wait < 810)
      #expect(!sleep.isExpected(at: now(start + 59 + wait).wall) && sleep.isExpected(at: now(start + 61 + wait).wall))
      #expect(sleep.isExpected(at: now(start + 895).wall))
      #expect(!sleep.isExpected(at: now(start + 86_400).wall))
    }
    var learner = IdleWindowLearner()
    second.note(idleFor: .zero, price: price, loadTime: nil, &learner, now: now(start + 895))
    #expect(!second.isExpected(at: now(start + 896).wall))
    #expect(second.untilExpected(at: now(start + 61).wall) == nil)
  }

  @Test("A wake ahead of its request does not say that nobody waits")
  func waitersOfWakesAhead() {
    var (sleep, learner) = (AutomaticSleep(), IdleWindowLearner())
    for wake in 0..<40 {
      sleep.watch(held: 0, isWaking: true, now: .seconds(wake * 100))
      sleep.watch(held: 0, isWaking: true, now: .seconds(wake * 100 + 30))
      sleep.watch(held: 0, isWaking: false, now: .seconds(wake * 100 + 31))
    }
    sleep.note(idleFor: .seconds(1), price: price, loadTime: .seconds(30), &learner, now: now(5000))
    #expect(abs((sleep.choice?.wakePrice ?? 0) - 30 * 30 / 3) < 5)
  }
}
