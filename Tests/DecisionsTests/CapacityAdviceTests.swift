import Testing

@testable import Decisions

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
