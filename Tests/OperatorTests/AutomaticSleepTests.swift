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
    #expect(abs((sleep.choice?.wakePrice ?? 0) - 630) < 1e-6)
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
    let waiting = (sleep.choice?.wakePrice ?? 0) - 15
    #expect(abs(waiting - 4 * 30 * 30 / 3) < 5)
  }
}
