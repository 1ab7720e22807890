import Testing

@testable import Simulation

struct OptimumTests {
  private func cost(_ outcome: PolicyOutcome, _ settings: SimulationSettings) -> Int64 {
    let sum = outcome.sum
    return sum.burst.total + Int64(settings.costs.coldStartPrice * 1e6) * Int64(sum.coldStarts)
  }

  private func optimum(_ trace: [TraceRequest], _ settings: SimulationSettings) -> Int64 {
    var run = ClairvoyantRun("optimum", settings)
    return cost(run.outcome(of: trace), settings)
  }

  /// Every choice of keeping or ending the replica in each idle period.
  private func cheapest(_ trace: [TraceRequest], _ settings: SimulationSettings) -> Int64 {
    (0..<(1 << trace.count)).map { choices in
      var run = LoneReplicaRun("choice", ChosenWindow(choices: choices), settings)
      return cost(run.outcome(of: trace), settings)
    }.min() ?? 0
  }

  @Test("it is exactly the least cost of all ways to choose", arguments: 0..<120)
  func bruteForce(seed: Int) {
    var numbers = SeededNumbers(seed)
    var now = 0.0
    let times = (0..<11).map { _ in
      now += Double(numbers.next(below: [6, 40, 90][numbers.next(below: 3)]))
      return now
    }
    let loads = [[0.0], [10], [35], [4, 25, 50]][seed % 4]
    let settings = settings(
      load: loads, limit: 1 + seed % 3, price: Double(numbers.next(below: 60)))
    let trace = trace(at: times)
    #expect(optimum(trace, settings) == cheapest(trace, settings))
  }

  @Test("what is told of it is that of the choices, whatever was held back", arguments: 0..<8)
  func told(seed: Int) {
    let trace = burstyTrace(seed: seed, requests: 900)
    let settings = settings(load: [7], price: 20, timeline: true)
    var run = ClairvoyantRun("optimum", settings)
    let outcome = run.outcome(of: trace)
    #expect(outcome.sum.requests == trace.count && outcome.waits.total == UInt64(trace.count))
    #expect(outcome.sum.coldStarts > 0 && outcome.sum.waiting >= outcome.sum.coldStarts)
    #expect(outcome.sum.burst.loading == Int64(outcome.sum.coldStarts) * 7_000_000)
    let course = outcome.timeline?.averages(until: trace.last?.timeMicroseconds ?? 0) ?? []
    #expect(course.contains { $0.replicas > 0 } && course.contains { $0.held > 0 })
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

  @Test("no fixed window is cheaper than the optimum", arguments: 0..<10)
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
