import Testing

@testable import Simulation

struct KnativeAutoscalerTests {
  private static let second: Int64 = 1_000_000

  /// Worked out by hand from the published algorithm; the target is 70, as with Knative's defaults.
  @Test(
    "desired pods",
    arguments: [
      // (ready, stable, panic, desired, panicking)
      (0, 1.0, 1.0, 1, false),  // wakes: ceil(1/70)
      (1, 70, 70, 1, false),
      (1, 71, 71, 2, true),  // 2 pods wanted of 1 ready: at the threshold of 200 %
      (2, 141, 141, 3, false),  // 3 of 2: 150 %
      (2, 100, 281, 5, true),  // ceil(281/70) = 5 of 2
      (10, 70, 70, 5, false),  // not below floor(10/2)
      (1, 0, 0, 0, false),
      (3, 0, 0, 1, false),  // floor(3/2)
      (1, 700_000, 700_000, 1000, true),  // not above 1000 times the ready ones
    ])
  func desired(ready: Int, stable: Double, panic: Double, wanted: Int, isPanicking: Bool) {
    var autoscaler = KnativeAutoscaler(target: 70)
    #expect(autoscaler.desired(ready: ready, stable: stable, panic: panic, now: 0) == wanted)
    #expect(autoscaler.isPanicking == isPanicking)
  }

  @Test("in panic nothing goes down, and it ends a stable window after the last excess")
  func panic() {
    var autoscaler = KnativeAutoscaler(target: 10)
    let second = Self.second
    #expect(autoscaler.desired(ready: 1, stable: 5, panic: 40, now: 0) == 4)
    #expect(autoscaler.desired(ready: 4, stable: 10, panic: 30, now: 2 * second) == 4)
    #expect(autoscaler.desired(ready: 4, stable: 10, panic: 10, now: 60 * second) == 4)
    #expect(autoscaler.isPanicking)
    #expect(autoscaler.desired(ready: 4, stable: 10, panic: 10, now: 62 * second) == 2)
    #expect(!autoscaler.isPanicking)
    // A further excess while panicking extends it.
    #expect(autoscaler.desired(ready: 1, stable: 5, panic: 40, now: 100 * second) == 4)
    #expect(autoscaler.desired(ready: 1, stable: 5, panic: 50, now: 150 * second) == 5)
    #expect(autoscaler.desired(ready: 5, stable: 5, panic: 5, now: 170 * second) == 5)
    #expect(autoscaler.desired(ready: 5, stable: 5, panic: 5, now: 211 * second) == 2)
  }

  @Test("the last pod goes a stable window and the grace period after the last request")
  func scaleToZero() throws {
    var run = ScaledRun("kpa", KnativePolicy(maxConcurrency: 64, maxReplicas: 1), settings())
    let outcome = run.outcome(of: trace(at: [0, 1000]))
    let account = try #require(outcome.models.first)
    // Ends at 11 s; 60 s of window, 30 s of grace, up to one tick each.
    #expect(account.coldStarts == 2)
    #expect((90_000_000...95_000_000).contains(account.burst.idle))
  }
}

struct HorizontalAutoscalerTests {
  private static let second: Int64 = 1_000_000

  /// (current, load, desired) at a target of 10.
  @Test(
    "a sync", arguments: [(1, 10.9, 1), (1, 11.5, 2), (4, 37, 4), (4, 60, 6), (1, 400, 5), (10, 900, 20), (0, 5, 1)])
  func sync(current: Int, load: Double, wanted: Int) {
    var autoscaler = HorizontalAutoscaler(target: 10, minReplicas: 1, maxReplicas: 20)
    #expect(autoscaler.desired(current: current, load: load, now: 0) == wanted)
  }

  @Test("down only to the most that was wanted in 300 s")
  func stabilization() {
    var autoscaler = HorizontalAutoscaler(target: 10, minReplicas: 1, maxReplicas: 20)
    let second = Self.second
    #expect(autoscaler.desired(current: 4, load: 60, now: 0) == 6)
    #expect(autoscaler.desired(current: 6, load: 30, now: 15 * second) == 6)
    #expect(autoscaler.desired(current: 6, load: 10, now: 300 * second) == 6)
    #expect(autoscaler.desired(current: 6, load: 10, now: 301 * second) == 3)
    #expect(autoscaler.desired(current: 3, load: 10, now: 316 * second) == 1)
  }

  @Test("KEDA ends the last replica at the first poll after the cooldown")
  func cooldown() throws {
    var run = ScaledRun("keda", KedaPolicy(target: 8, maxReplicas: 1, seed: 1), settings())
    let account = try #require(run.outcome(of: trace(at: [0, 2000])).models.first)
    #expect(account.coldStarts == 2)
    #expect((300_000_000...330_000_000).contains(account.burst.idle))
  }
}

struct HybridHistogramTests {
  private static let minute: Int64 = 60_000_000

  @Test("without enough idle times the replica stays for four hours")
  func fallback() {
    var policy = HybridHistogram()
    for _ in 0..<9 { policy.noteGap(model: 0, idleSince: 0, gap: Self.minute) }
    #expect(policy.plan(model: 0, idleSince: 0) == IdlePlan(keep: 240 * Self.minute))
  }

  @Test("a regular model is left alone until just before the next request")
  func regular() {
    var policy = HybridHistogram()
    for _ in 0..<50 { policy.noteGap(model: 0, idleSince: 0, gap: 30 * Self.minute + 1) }
    // Bin 30: prewarm at 27 min, until 31 min and 10 %.
    let plan = policy.plan(model: 0, idleSince: 0)
    #expect(plan == IdlePlan(keep: 0, prewarms: [IdlePlan.Prewarm(after: 27 * Self.minute, until: 2_046_000_000)]))
  }

  @Test("idle times from the first minute on keep the replica")
  func head() {
    var policy = HybridHistogram()
    for gap in 0..<100 { policy.noteGap(model: 0, idleSince: 0, gap: gap < 90 ? 1 : 9 * Self.minute) }
    #expect(policy.plan(model: 0, idleSince: 0) == IdlePlan(keep: 660_000_000))
  }

  @Test("idle times spread evenly over the range, or beyond it, say nothing")
  func unrepresentative() {
    var even = HybridHistogram()
    for gap in 0..<240 { even.noteGap(model: 0, idleSince: 0, gap: Int64(gap) * Self.minute) }
    #expect(even.plan(model: 0, idleSince: 0).keep == 240 * Self.minute)
    var beyond = HybridHistogram()
    for gap in 0..<40 { beyond.noteGap(model: 0, idleSince: 0, gap: gap % 3 == 0 ? 1 : 300 * Self.minute) }
    #expect(beyond.plan(model: 0, idleSince: 0).keep == 240 * Self.minute)
  }
}
