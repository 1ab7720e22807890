import Decisions
import Testing

@Suite struct WakeAndDrainTests {
  @Test("Failed wakes wait 10 s, then twice as long, at most ten minutes; a new template starts afresh")
  func backoff() {
    var backoff = WakeBackoff(template: "a")
    let waits = (1...9).map { _ in backoff.fail(template: "a").components.seconds }
    #expect(waits == [10, 20, 40, 80, 160, 320, 600, 600, 600])
    #expect(backoff.fail(template: "b") == .seconds(10))
    #expect(backoff.failures == 1)
    backoff.succeed()
    #expect(WakeBackoff.delay(afterFailures: backoff.failures) == .zero)
  }

  @Test("Those not ready go first, then the least busy, then the youngest")
  func drainOrder() {
    let candidates = [
      DrainCandidate(id: "busy", isReady: true, inFlight: 4, createdAt: "2026-01-05T00:00:00Z"),
      DrainCandidate(id: "old", isReady: true, inFlight: 1, createdAt: "2026-01-01T00:00:00Z"),
      DrainCandidate(id: "young", isReady: true, inFlight: 1, createdAt: "2026-01-02T00:00:00Z"),
      DrainCandidate(id: "loading", isReady: false, inFlight: 0, createdAt: "2026-01-03T00:00:00Z"),
    ]
    #expect(DrainOrder.victims(candidates, count: 3) == ["loading", "young", "old"])
    #expect(DrainOrder.victims(candidates.reversed(), count: 9).last == "busy")
    #expect(DrainOrder.victims(candidates, count: -1).isEmpty)
  }

  @Test("Cold starts are summed up by nearest rank over the last 64")
  func coldStarts() {
    var samples = ColdStartSamples(count: 10)
    #expect(samples.percentile(50) == nil)
    for second in 1...164 { samples.add(.seconds(second)) }
    #expect(samples.count == 174)
    #expect(samples.percentile(50) == .seconds(132))
    #expect(samples.percentile(95) == .seconds(161))
  }

  @Test(
    "Durations and decimals read as people write them",
    arguments: [
      (Duration.seconds(90).shortText, "1m30s"), (Duration.milliseconds(1250).shortText, "1.25s"),
      (Duration.seconds(3600).shortText, "1h"), (Duration.zero.shortText, "0s"),
      ((-0.004).decimalText(places: 2), "0"), ((-1.5).decimalText(places: 2), "-1.5"),
      ((-0.25).decimalText(places: 2), "-0.25"), (1234.5678.decimalText(places: 3), "1234.568"),
      (Double.infinity.decimalText(places: 2), "0"), (0.05.decimalText(places: 2), "0.05"),
    ])
  func texts(text: String, expected: String) { #expect(text == expected) }
}
