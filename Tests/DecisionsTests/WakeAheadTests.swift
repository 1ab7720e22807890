import Glibc
import Testing

@testable import Decisions

@Suite struct WakeAheadTests {
  /// Lets silences pass; returns the choice made for each, and what they cost together.
  private func pass(
    _ learner: inout IdleWindowLearner, _ history: inout IdleHistory, _ gaps: [Double], wakesAhead: Bool
  ) -> (choices: [IdleWindowChoice], cost: Double) {
    var (now, choices, cost) = (1_750_000_000.0, [IdleWindowChoice](), 0.0)
    for gap in gaps {
      let choice = learner.begin(&history, at: now, loadSeconds: 60, waitingPrice: 900, wakesAhead: wakesAhead)
      choices.append(choice)
      cost += SilencePlan(window: choice.window, ahead: choice.ahead).cost(of: gap, loadSeconds: 60, wakePrice: 960)
      now += gap
      learner.end(&history, at: now)
      now += 5
    }
    return (choices, cost)
  }

  private func costs(_ gaps: [Double]) -> (reactive: Double, ahead: Double, choices: [IdleWindowChoice]) {
    var (learner, history) = (IdleWindowLearner(), IdleHistory())
    let reactive = pass(&learner, &history, gaps, wakesAhead: false)
    #expect(reactive.choices.allSatisfy { $0.ahead.isEmpty })
    (learner, history) = (IdleWindowLearner(), IdleHistory())
    let ahead = pass(&learner, &history, gaps, wakesAhead: true)
    return (reactive.cost, ahead.cost, ahead.choices)
  }

  @Test("A caller that comes every hour is expected, and costs less than half")
  func timers() throws {
    let seen = costs((0..<200).map { 3590 + Double($0 % 7) })
    let last = try #require(seen.choices.last)
    #expect(last.window < 5)
    #expect(last.isExpected(after: 3590) && !last.isExpected(after: 1000))
    let start = try #require(last.nextExpected(after: 60))
    #expect(start > 2400 && start <= 3530)
    #expect(last.nextExpected(after: 3590) == nil)
    #expect(seen.ahead < 0.5 * seen.reactive)
  }

  @Test("Where nothing recurs, wakes ahead bring nothing, and are left")
  func chance() {
    var random = SplitMix(seed: 11)
    let gaps = (0..<3000).map { _ in -1500 * log(Double.random(in: 0.0001..<1, using: &random)) }
    let seen = costs(gaps)
    #expect(seen.ahead < 1.01 * seen.reactive)
    #expect(seen.choices.count { !$0.ahead.isEmpty } < gaps.count / 10)
  }

  @Test("What brought nothing for a model is left for it, whatever it brings others")
  func ownRecord() {
    var learner = IdleWindowLearner()
    var (regular, stranger) = (IdleHistory(), IdleHistory())
    _ = pass(&learner, &regular, Array(repeating: 3590, count: 100), wakesAhead: true)
    // It looks as regular, until it stops coming back in time.
    let first = pass(&learner, &stranger, Array(repeating: 3590, count: 10), wakesAhead: true).choices
    let later = pass(&learner, &stranger, Array(repeating: 30_000, count: 300), wakesAhead: true).choices
    #expect(first.contains { !$0.ahead.isEmpty })
    #expect(later.suffix(100).allSatisfy { $0.ahead.isEmpty || $0.isExpected(after: 30_000) })
  }

  @Test("Where a wake is cheap, the model goes within the minute; `Auto` alone keeps it for one")
  func soon() throws {
    let gaps = (0..<200).map { [900.0, 2000, 700, 5000][$0 % 4] }
    var seen: [Bool: IdleWindowChoice] = [:]
    for wakesAhead in [false, true] {
      var (learner, history) = (IdleWindowLearner(), IdleHistory())
      var now = 1_750_000_000.0
      for gap in gaps {
        seen[wakesAhead] = learner.begin(
          &history, at: now, loadSeconds: 60, waitingPrice: 60, wakesAhead: wakesAhead)
        now += gap
        learner.end(&history, at: now)
      }
    }
    #expect(seen[false]?.window == IdleWindowLearner.leastWindow)
    let soon = try #require(seen[true])
    #expect(soon.window < 5)
    // The reason is that of the window that was chosen.
    #expect(soon.returnChance < 0.1 && soon.expectedCost < 70)
  }

  @Test("The choice says when the model is awake again")
  func says() {
    var choice = IdleWindowChoice(window: 60, wakePrice: 900, returnChance: 0.1, expectedCost: 200)
    choice.ahead = [WakeAhead(from: 3000, until: 3600), WakeAhead(from: 86_000, until: 86_400)]
    #expect(choice.explanation.hasSuffix(", and is awake again from 50m to 1h, from 23h53m20s to 24h"))
    choice.ahead = []
    #expect(!choice.explanation.contains("again"))
  }
}
