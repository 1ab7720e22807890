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
    #expect(told.afterShort > 2 * told.afterLong)
    #expect(self.told(30, few, few).afterShort == self.told(30, few, few).afterLong)
  }

  @Test("When in ten minutes a silence began is worth something for steps in which it was not seen to end")
  func phase() throws {
    var model = ReturnModel()
    let history = IdleHistory()
    func idle(_ seconds: Double) -> IdleMoment {
      IdleMoment(start: Self.start + seconds, scale: 3, age: 4, peak: 5, turns: 2)
    }
    let seen = try #require(IdleGrid.step(of: 1500))
    #expect(IdleGrid.group(of: seen) == IdleGrid.group(of: seen - 1))
    for _ in 0..<60 {
      model.learn(1500, idle(10), history)
      model.learn(60_000, idle(310), history)
    }
    let (early, late) = (model.chances(idle(10), history), model.chances(idle(310), history))
    #expect(early[seen - 1] > 1.5 * late[seen - 1], "\(early[seen - 1]) \(late[seen - 1])")
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
