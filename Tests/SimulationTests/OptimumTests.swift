import Testing

@testable import Simulation

struct OptimumTests {
  private func cost(_ outcome: PolicyOutcome, _ settings: SimulationSettings) -> Int64 {
    let sum = outcome.sum
    return sum.burst.total + Int64(settings.costs.coldStartPrice * 1e6) * Int64(sum.coldStarts)
  }

  private func optimum(_ trace: [TraceRequest], _ settings: SimulationSettings) -> PolicyOutcome {
    var run = ClairvoyantRun("optimum", settings)
    return run.outcome(of: trace)
  }

  private func chosen(_ choices: [[Bool]], _ trace: [TraceRequest], _ settings: SimulationSettings) -> PolicyOutcome {
    var run = LoneReplicaRun("optimum", ChosenPeriods(choices), settings)
    return run.outcome(of: trace)
  }

  /// Loads, places, service times and prices of all kinds; with a high price per request of a batch, one that starts
  /// among others takes several times as long as alone.
  private func anySettings(_ seed: Int, _ numbers: inout SeededNumbers) -> SimulationSettings {
    var settings = settings(
      load: [[0.0], [10], [35], [4, 25, 50]][seed % 4], limit: 1 + seed % 3,
      price: Double(numbers.next(below: [1, 20, 60][seed / 4 % 3])), timeline: true)
    settings.service.secondsPerBatchedRequest = [0.0004, 0.02, 0.06][numbers.next(below: 3)]
    return settings
  }

  @Test("it is exactly the least cost of all ways to choose, and reports one that is so cheap", arguments: 0..<150)
  func bruteForce(seed: Int) {
    var numbers = SeededNumbers(seed)
    let settings = anySettings(seed, &numbers)
    var now: Int64 = 0
    let trace = (0..<10).map { _ in
      now += Int64(numbers.next(below: [6, 40, 90][numbers.next(below: 3)])) * 1_000_000
      let isMeasured = numbers.next(below: 2) == 0
      return TraceRequest(
        timeMicroseconds: now, durationMicroseconds: isMeasured ? Int64(numbers.next(below: 20)) * 1_000_000 : -1,
        model: 0, promptTokens: 100, outputTokens: Int32(numbers.next(below: 400)))
    }
    let all = (0..<(1 << (trace.count - 1))).map { bits in
      chosen([(0..<trace.count - 1).map { bits >> $0 & 1 == 1 }], trace, settings)
    }
    let least = all.map { cost($0, settings) }.min()
    let found = optimum(trace, settings)
    #expect(cost(found, settings) == least)
    #expect(
      all.contains {
        cost($0, settings) == least && $0.models == found.models && $0.waits == found.waits
          && $0.firstTokens == found.firstTokens && $0.timeline == found.timeline
      })
  }

  @Test("it is a shortest path, and reports what that one is", arguments: 0..<24)
  func shortestPath(seed: Int) {
    var numbers = SeededNumbers(seed)
    let settings = anySettings(seed, &numbers)
    expectShortestPath(burstyTrace(seed: seed, requests: 1200), settings)
  }

  /// Two courses are the cheaper one by turns, up to the last request: what they count stays small, and nothing is lost
  /// of it.
  @Test("a job that comes once in the length of a load and the price of a cold start", arguments: [40.5, 42, 44])
  func periodicJob(seconds: Double) {
    let trace = trace(at: [0] + (0..<1000).map { 48 + Double($0) * seconds })
    let settings = settings(load: [10], price: 30, timeline: true)
    #expect(!ShortestPath(trace, settings).hasTies)
    expectShortestPath(trace, settings)
  }

  private func expectShortestPath(_ trace: [TraceRequest], _ settings: SimulationSettings) {
    let models = Int(trace.map(\.model).max() ?? 0) + 1
    let paths = (0..<models).map { model in ShortestPath(trace.filter { $0.model == Int32(model) }, settings) }
    let found = optimum(trace, settings)
    #expect(cost(found, settings) == paths.reduce(0) { $0 + $1.cost })
    #expect(found.note == nil)
    let replayed = chosen(paths.map(\.keeps), trace, settings)
    #expect(cost(replayed, settings) == cost(found, settings))
    if paths.contains(where: \.hasTies) { return }
    #expect(replayed.models == found.models)
    #expect(replayed.waits == found.waits && replayed.firstTokens == found.firstTokens)
    #expect(replayed.timeline == found.timeline)
  }

  @Test("where more courses are open than are held, a note says that it may not be the least cost")
  func tooManyCourses() {
    // Each second an idle period, in a load of ten minutes, and a cold start costs nothing besides.
    let trace = trace(at: (0..<1000).map { Double($0) + Double($0 * 37 % 101) / 1000 }, service: 0.5)
    let settings = settings(load: [600], price: 0)
    let found = optimum(trace, settings)
    #expect(found.note != nil)
    #expect(cost(found, settings) >= ShortestPath(trace, settings).cost)
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

  @Test("no fixed window and no learned one is cheaper than the optimum", arguments: 0..<20)
  func lowerBound(seed: Int) {
    let trace = burstyTrace(seed: seed, requests: 900)
    for settings in [settings(load: [2], price: 100), settings(load: [20, 60], limit: 2, price: 15)] {
      let end = trace.last?.timeMicroseconds ?? 0
      var search = BestFixedSearch(windows: BestFixedSearch.coarseGrid, settings)
      search.add(trace)
      search.finish(at: end)
      let least = cost(optimum(trace, settings), settings)
      #expect(least <= search.costs.min() ?? 0)
      var learned = SimulatedPolicy.pilotlightAuto.run("auto", settings, bestWindow: nil)
      learned.add(trace)
      #expect(least <= cost(learned.finish(at: end), settings))
    }
  }
}
