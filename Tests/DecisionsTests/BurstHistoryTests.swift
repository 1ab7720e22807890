import Testing

@testable import Decisions

@Suite struct BurstHistoryTests {
  /// A history of `arrivals` in each second, with answers that take `occupied` seconds.
  static func history(_ arrivals: [Double], occupied: Double, objective: Double) -> BurstHistory {
    var history = BurstHistory()
    for (second, count) in arrivals.enumerated() {
      history.add(count, from: .seconds(second), to: .seconds(Double(second) + 0.999))
      history.advance(to: .seconds(second + 1), occupied: occupied, objective: objective)
    }
    history.advance(to: .seconds(arrivals.count + 5), occupied: occupied, objective: objective)
    return history
  }

  static let instant = SampleSums(count: 100, sum: 1e-6, squares: 1e-14)

  @Test("A burst of 60 with 1 s each and 2 s of patience needs 20 slots: 20 at once, 20 after 1 s, 20 after 2 s")
  func oneBurst() throws {
    var arrivals = [Double](repeating: 0, count: 300)
    for second in stride(from: 10, to: 300, by: 60) { arrivals[second] = 60 }
    let history = Self.history(arrivals, occupied: 1, objective: 2)
    let slots = try #require(
      history.slots(for: LatencyObjective(timeToFirstToken: .seconds(2), percentile: 99), Self.instant))
    // Classes are a twelfth to an eleventh wide, and the higher end counts.
    #expect(slots >= 20 - 1e-9 && slots <= 22)
  }

  @Test("A steady stream needs what it occupies; rare bursts count by their share of the requests")
  func shares() throws {
    let steady = Self.history([Double](repeating: 10, count: 600), occupied: 2, objective: 1)
    let objective = LatencyObjective(timeToFirstToken: .seconds(1), percentile: 80)
    let base = try #require(steady.slots(for: objective, Self.instant))
    #expect(base >= 18 && base <= 23)
    var arrivals = [Double](repeating: 10, count: 600)
    arrivals[400] = 300
    let rare = Self.history(arrivals, occupied: 2, objective: 1)
    // A seventh of the requests came in the burst or while 30 slots would work it off: a fifth may be late.
    #expect(try #require(rare.slots(for: objective, Self.instant)) < 30)
    let strict = LatencyObjective(timeToFirstToken: .seconds(1), percentile: 99)
    #expect(try #require(rare.slots(for: strict, Self.instant)) > 150)
  }

  @Test("The slots that it names do meet the objective when the same arrivals are queued, and half of them do not")
  func suffices() throws {
    var random = SplitMix(seed: 3)
    var arrivals = [Double](repeating: 0, count: 1200)
    for second in arrivals.indices where random.next() % 20 == 0 { arrivals[second] = Double(random.next() % 40) }
    let objective = LatencyObjective(timeToFirstToken: .seconds(2), percentile: 95)
    let history = Self.history(arrivals, occupied: 1.5, objective: 2)
    let slots = try #require(history.slots(for: objective, Self.instant))
    func inTime(_ servers: Int) -> Double {
      var free = [Double](repeating: 0, count: servers)
      var (met, all) = (0.0, 0.0)
      for (second, count) in arrivals.enumerated() {
        for _ in 0..<Int(count) {
          let index = free.indices.min { free[$0] < free[$1] } ?? 0
          let start = max(Double(second), free[index])
          free[index] = start + 1.5
          all += 1
          if start - Double(second) <= 2 { met += 1 }
        }
      }
      return met / all
    }
    #expect(inTime(Int(slots.rounded(.up))) >= 0.95)
    #expect(inTime(Int(slots / 2)) < 0.95)
  }

  @Test("Few requests say nothing, old ones fade, and a long silence is stepped over")
  func memory() throws {
    let objective = LatencyObjective(timeToFirstToken: .seconds(1), percentile: 95)
    #expect(Self.history([10, 10, 10], occupied: 1, objective: 1).slots(for: objective, Self.instant) == nil)
    var history = Self.history([0, 0, 500], occupied: 1, objective: 1)
    #expect(try #require(history.slots(for: objective, Self.instant)) > 200)
    for second in 200_000..<200_600 {
      history.add(2, from: .seconds(second), to: .seconds(Double(second) + 0.999))
      history.advance(to: .seconds(second + 1), occupied: 1, objective: 1)
    }
    #expect(try #require(history.slots(for: objective, Self.instant)) < 5)
  }
}

@Suite struct CapacityAdviceTests {
  /// Means by class, each of `count` answers.
  static func buckets(_ means: [Double], count: Double = 100) -> [SampleSums] {
    means.map { SampleSums(count: count, sum: $0 * count, squares: $0 * $0 * count) }
  }

  @Test("A bend is found where the first token begins to take longer")
  func bend() throws {
    // Level to 6.5, then 0.02 s for each further request: half as long again at 6.5 + 0.1 / 0.02 = 11.5.
    let means = [0.2, 0.2, 0.2, 0.2, 0.32, 0.56]
    let advice = try #require(capacityAdvice(Self.buckets(means)))
    #expect(abs(advice.bend - 6.5) < 1e-9 && abs(advice.concurrency - 11.5) < 1e-6)
    #expect(abs(advice.aloneSeconds - 0.2) < 1e-9)
    #expect(advice.target == 8)
    #expect(advice.samples == 600)
  }

  @Test("Advice is news where its target is another by more than a tenth of what was told")
  func news() {
    func isNews(_ concurrency: Double, after last: Int?) -> Bool {
      CapacityAdvice(bend: 1, concurrency: concurrency, aloneSeconds: 1, samples: 60).isNews(after: last)
    }
    #expect(isNews(20, after: nil))
    // 14 of 20, 28 of 40.
    #expect(!isNews(20, after: 14) && isNews(20, after: 12) && isNews(20, after: 16))
    #expect(!isNews(40, after: 30) && !isNews(40, after: 26) && isNews(40, after: 25))
    #expect(isNews(1, after: 2) && !isNews(1, after: 1))
  }

  @Test("No bend: level, noisy, too few answers, or not slow by half yet")
  func none() {
    #expect(capacityAdvice(Self.buckets([0.2, 0.2, 0.2, 0.2])) == nil)
    #expect(capacityAdvice(Self.buckets([0.21, 0.19, 0.2, 0.215, 0.2])) == nil)
    #expect(capacityAdvice(Self.buckets([0.2, 0.2, 0.2, 0.5], count: 5)) == nil)
    #expect(capacityAdvice(Self.buckets([0.2, 0.22, 0.25, 0.28])) == nil)
    #expect(capacityAdvice([]) == nil)
  }

  @Test(
    "Requests fall into eight classes",
    arguments: [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (64, 6), (65, 7), (9999, 7)])
  func classes(concurrency: Int, expected: Int) {
    #expect(ServiceTotals.bucket(concurrency: concurrency) == expected)
  }
}
