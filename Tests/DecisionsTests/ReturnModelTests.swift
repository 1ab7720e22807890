import Testing

@testable import Decisions

@Suite struct ReturnModelTests {
  /// Ten minutes of the clock begin here.
  private static let start = 600.0 * 3_000_000

  /// What is told of a silence after those that were learned from, by turns of the two: the chance that it ends within two minutes.
  private func told(
    _ rounds: Int, _ short: IdleMoment, _ long: IdleMoment
  ) -> (afterShort: Double, afterLong: Double) {
    var model = ReturnModel()
    let history = IdleHistory()
    var random = SplitMix(seed: 3)
    for _ in 0..<rounds {
      model.learn(Double.random(in: 2..<120, using: &random), short, history)
      model.learn(Double.random(in: 2000..<20_000, using: &random), long, history)
    }
    func ends(_ idle: IdleMoment) -> Double {
      1 - zip(model.chances(idle, history), IdleGrid.edges).filter { $0.1 < 120 }.reduce(1) { $0 * (1 - $1.0) }
    }
    return (ends(short), ends(long))
  }

  @Test("A silence is told from how many have begun in the same ten minutes")
  func turns() {
    let few = IdleMoment(start: Self.start, scale: 3, age: 4, peak: 5, turns: 0)
    var many = few
    many.turns = 6
    let told = told(30, few, many)
    #expect(told.afterShort > told.afterLong + 0.5)
    #expect(self.told(30, few, few).afterShort == self.told(30, few, few).afterLong)
  }

  @Test("A silence is told from when in ten minutes it began, sooner than from each moment in it")
  func phase() {
    var model = ReturnModel()
    let history = IdleHistory()
    func idle(_ seconds: Double) -> IdleMoment {
      IdleMoment(start: Self.start + seconds, scale: 3, age: 4, peak: 5, turns: 2)
    }
    // Silences that begin early end within a second or two; whether they go on longer was hardly seen.
    for _ in 0..<60 {
      model.learn(3, idle(10), history)
      model.learn(3000, idle(310), history)
    }
    let (early, late) = (model.chances(idle(10), history), model.chances(idle(310), history))
    #expect(early[4] > 1.5 * late[4])
  }

  @Test("How many have begun in ten minutes is counted anew in the next")
  func counted() {
    var history = IdleHistory()
    #expect(history.begin(at: Self.start + 1).turns == 0)
    for second in 2...9 { _ = history.begin(at: Self.start + Double(second)) }
    #expect(history.begin(at: Self.start + 599).turns == 4)
    #expect(history.begin(at: Self.start + 601).turns == 0)
  }
}
