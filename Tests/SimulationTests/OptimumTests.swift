import Testing

@testable import Simulation

struct OptimumTests {
  private func cost(_ outcome: PolicyOutcome, _ settings: SimulationSettings) -> Int64 {
    let sum = outcome.sum
    return sum.burst.total + Int64(settings.costs.coldStartPrice * 1e6) * Int64(sum.coldStarts)
  }

  private func optimum(_ trace: [TraceRequest], _ settings: SimulationSettings) -> Int64 {
    var run = LoneReplicaRun(
      "optimum", ClairvoyantWindow(coldStartPrice: Int64(settings.costs.coldStartPrice * 1e6)), settings)
    return cost(run.outcome(of: trace), settings)
  }

  /// Every choice of keeping or ending the replica in each idle period.
  private func cheapest(_ trace: [TraceRequest], _ settings: SimulationSettings) -> Int64 {
    (0..<(1 << trace.count)).map { choices in
      var run = LoneReplicaRun("choice", ChosenWindow(choices: choices), settings)
      return cost(run.outcome(of: trace), settings)
    }.min() ?? 0
  }

  @Test("where a cold start does not move the next idle period, no choice is cheaper", arguments: 0..<40)
  func bruteForce(seed: Int) {
    var numbers = SeededNumbers(seed)
    // Requests come at least a load and a service time apart, so each idle period begins when its own request ends.
    var now = 0.0
    let times = (0..<9).map { _ in
      now += 12 + Double(numbers.next(below: 80))
      return now
    }
    let settings = settings(load: [10], price: Double(numbers.next(below: 50)))
    let trace = trace(at: times)
    let (found, best) = (optimum(trace, settings), cheapest(trace, settings))
    // A cold start delays the end by its load time, which may spare that much of the next gap.
    #expect(found >= best)
    #expect(found <= best + Int64(trace.count) * 10_000_000)
  }

  @Test("it is exactly the least cost without load time", arguments: 0..<40)
  func bruteForceExactly(seed: Int) {
    var numbers = SeededNumbers(seed + 100)
    var now = 0.0
    let times = (0..<10).map { _ in
      now += Double(numbers.next(below: 90))
      return now
    }
    let settings = settings(load: [0], price: Double(numbers.next(below: 60)))
    let trace = trace(at: times)
    #expect(optimum(trace, settings) == cheapest(trace, settings))
  }

  @Test("the search over many windows equals one run for each", arguments: 0..<16)
  func search(seed: Int) {
    let trace = burstyTrace(seed: seed)
    let end = trace.last?.timeMicroseconds ?? 0
    for settings in [settings(limit: 1), settings(load: [3, 30, 11], limit: 4, price: 100), settings(limit: 64)] {
      let windows: [Int64] = (0..<40).map { Int64($0 * $0) * 400_000 }
      var search = BestFixedSearch(windows: windows, settings)
      search.add(trace)
      search.finish(at: end)
      for (window, found) in zip(windows, search.costs) {
        var run = LoneReplicaRun("fixed", FixedWindow(window: window), settings)
        #expect(cost(run.outcome(of: trace), settings) == found, "window \(window)")
      }
      #expect(search.costs[windows.firstIndex(of: search.best) ?? 0] == search.costs.min())
    }
  }

  @Test("no fixed window is cheaper than the optimum by more than what cold starts move", arguments: 0..<10)
  func lowerBound(seed: Int) {
    let trace = burstyTrace(seed: seed, requests: 900)
    let settings = settings(load: [2], price: 100)
    var search = BestFixedSearch(windows: BestFixedSearch.coarseGrid, settings)
    search.add(trace)
    search.finish(at: trace.last?.timeMicroseconds ?? 0)
    #expect(optimum(trace, settings) <= search.costs.min() ?? 0)
  }
}

/// Keeps or ends by the bits of a number, in order of idle periods.
private struct ChosenWindow: IdleWindowPolicy {
  var choices: Int
  mutating func plan(model: Int, idleSince: Int64) -> IdlePlan {
    defer { choices >>= 1 }
    return IdlePlan(keep: choices & 1 == 1 ? .max : 0)
  }
  /// The idle period after the last request has no choice.
  mutating func plan(model: Int, idleSince: Int64, knowing gap: Int64?, loadTime: Int64) -> IdlePlan {
    gap == nil ? IdlePlan(keep: 0) : plan(model: model, idleSince: idleSince)
  }
}
