import Testing

@testable import Decisions

@Suite struct SilencePlanTests {
  /// What a plan that is awake in some steps costs on average, by the tree of what may happen.
  private func expected(_ awake: [Bool], _ chances: [Double], load: Double, price: Double) -> Double {
    var (cost, goesOn, wasAwake) = (0.0, 1.0, true)
    for step in 0..<IdleGrid.steps {
      let length = IdleGrid.edges[step + 1] - IdleGrid.edges[step]
      if awake[step] {
        if !wasAwake { cost += goesOn * load }
        cost += goesOn * (chances[step] * length / 2 + (1 - chances[step]) * length)
      } else {
        cost += goesOn * chances[step] * price
      }
      goesOn *= 1 - chances[step]
      wasAwake = awake[step]
    }
    return cost + goesOn * price
  }

  /// The steps in which a plan is awake. What is loaded for a step begins before it.
  private func steps(of plan: SilencePlan, load: Double) -> [Bool] {
    (0..<IdleGrid.steps).map { step in
      let (from, to) = (IdleGrid.edges[step], IdleGrid.edges[step + 1])
      return to <= plan.window
        || plan.ahead.contains { from + 1e-6 >= $0.from + load && to <= $0.until }
    }
  }

  @Test("No plan of those tried costs less, whatever the chances", arguments: 0..<20)
  func least(seed: Int) {
    var random = SplitMix(seed: UInt64(seed))
    let (load, price) = ([0.0, 30, 60, 200][seed % 4], [60.0, 600, 3600][seed % 3])
    // Few moments at which returns are likely, so that the plan has no more wakes than it may have.
    var chances = (0..<IdleGrid.steps).map { _ in Double.random(in: 0..<0.02, using: &random) }
    for _ in 0..<3 { chances[Int.random(in: 0..<IdleGrid.steps, using: &random)] = 0.6 }
    let plan = SilencePlan.leastCost(chances: chances, loadSeconds: load, wakePrice: price)
    let best = expected(steps(of: plan, load: load), chances, load: load, price: price)
    var others: [Double] = []
    for _ in 0..<1000 {
      var (awake, isAwake) = ([Bool](), true)
      for _ in 0..<IdleGrid.steps {
        if Int.random(in: 0..<6, using: &random) == 0 { isAwake.toggle() }
        awake.append(isAwake)
      }
      others.append(expected(awake, chances, load: load, price: price))
    }
    for window in 0...IdleGrid.steps {
      let staying = (0..<IdleGrid.steps).map { $0 < window }
      others.append(expected(staying, chances, load: load, price: price))
    }
    #expect(others.allSatisfy { best <= $0 + 1e-6 }, "\(best) \(others.min() ?? 0)")
  }

  @Test("Where a return is certain after an hour, the replica goes at once and is loaded by then")
  func certain() throws {
    var chances = [Double](repeating: 0.0001, count: IdleGrid.steps)
    let step = try #require(IdleGrid.step(of: 3600))
    chances[step] = 0.99
    let plan = SilencePlan.leastCost(chances: chances, loadSeconds: 45, wakePrice: 900)
    #expect(plan.window == 1)
    #expect(plan.ahead == [WakeAhead(from: IdleGrid.edges[step] - 45, until: IdleGrid.edges[step + 1])])
    // Not worth it where a load costs as much as the wait.
    #expect(SilencePlan.leastCost(chances: chances, loadSeconds: 899, wakePrice: 900).ahead.isEmpty)
  }

  @Test("A plan has four wakes at most, apart from each other and within a day")
  func bounded() {
    let chances = (0..<IdleGrid.steps).map { $0 % 4 == 3 ? 0.5 : 0.0001 }
    let plan = SilencePlan.leastCost(chances: chances, loadSeconds: 5, wakePrice: 50_000)
    #expect(plan.ahead.count <= SilencePlan.mostWakes)
    var end = plan.window
    for wake in plan.ahead {
      #expect(wake.from >= end && wake.until > wake.from && wake.until <= 86_400)
      end = wake.until
    }
  }

  @Test(
    "What a silence costs under a plan",
    arguments: [
      (50, 50), (100, 100),
      // Asleep: the window and a wake.
      (400, 100 + 900),
      // While it loads: the load, and the caller waits all the same.
      (520, 100 + 30 + 900), (540, 100 + 40), (600, 100 + 100),
      // It came and went; the second one is there in time.
      (700, 100 + 100 + 900), (1050, 100 + 100 + 50), (5000, 100 + 100 + 100 + 900),
    ] as [(Double, Double)])
  func costs(gap: Double, cost: Double) {
    let plan = SilencePlan(
      window: 100, ahead: [WakeAhead(from: 500, until: 600), WakeAhead(from: 1000, until: 1100)])
    #expect(plan.cost(of: gap, loadSeconds: 30, wakePrice: 900) == cost)
  }
}
