import Decisions
import Testing

@testable import Simulation

/// Baselines of the ledger and of the simulator: the same requests, the same figures.
struct BaselineTests {
  private static func settings(replicas: Int = 8, dedicated: Int = 0, slots: Int = 2) -> SimulationSettings {
    var settings = SimulationSettings(maxConcurrency: slots, loadTimes: LoadTimes(seconds: [20]))
    settings.scaling.maxBurstReplicas = replicas
    settings.scaling.dedicatedReplicas = dedicated
    settings.scaling.target = Double(slots)
    settings.scaling.dedicatedTarget = Double(slots)
    settings.scaling.sleepAfter = .seconds(30)
    return settings
  }

  /// Bursts and pauses of three models; one lone request of each before them, so that it is known how long one takes, and one
  /// long after them.
  private static func bursts(seed: Int, grain: Int64, service: (inout SeededNumbers) -> Int64) -> [TraceRequest] {
    var numbers = SeededNumbers(seed)
    func request(_ time: Int64, _ duration: Int64, _ model: Int) -> TraceRequest {
      TraceRequest(timeMicroseconds: time, durationMicroseconds: duration, model: Int32(model))
    }
    var trace = (0..<3).map { request(0, service(&numbers), $0) }
    var now: Int64 = 100_000_000
    for _ in 0..<500 {
      now += Int64(numbers.next(below: numbers.next(below: 60) == 0 ? 120_000_000 : 600_000))
      let next = request(now / grain * grain, service(&numbers), numbers.next(below: 3))
      // One at a time: where several come at once, a look may fall between them.
      if trace.last(where: { $0.model == next.model })?.timeMicroseconds != next.timeMicroseconds { trace.append(next) }
    }
    return trace + [request((now / 1_000_000 + 400) * 1_000_000, 3_000_000, 0)]
  }

  /// Replica-milliseconds of both baselines, in the order of `Baseline.allCases`.
  private static func both(_ trace: [TraceRequest], _ settings: SimulationSettings, models: Int) -> (
    simulated: [Int], kept: [Int]
  ) {
    let end = trace.last?.timeMicroseconds ?? 0
    var simulator = Simulator([
      .init(policy: .alwaysOn, settings: settings), .init(policy: .floorOnDemand, settings: settings),
    ])
    for request in trace { simulator.add(request) }
    let result = simulator.finish(models: (0..<models).map { "m\($0)" })
    // The last request is served after the period's end.
    let simulated = result.outcomes.map { outcome in
      Int((outcome.sum.dedicated.total + outcome.sum.burst.total - (trace.last?.durationMicroseconds ?? 0)) / 1000)
    }
    let keeper = LedgerKeeper(settings, models: models, end: end)
    var run = ScaledRun("ledger", keeper, settings)
    _ = run.outcome(of: trace)
    let until = Int(end / 1000)
    let report = LedgerReport([keeper.book.closed(at: until)], from: 0, to: until, now: until)
    let kept = Baseline.allCases.indices.map { index in
      report.models.reduce(0) { $0 + $1.comparisons[index].milliseconds }
    }
    return (simulated, kept)
  }

  @Test(
    "What changes in whole seconds, as the controller looks: the ledger's baselines are the simulator's, through cold starts and queues",
    arguments: [1, 2, 3], [0, 1, 2])
  func equal(seed: Int, dedicated: Int) {
    let trace = Self.bursts(seed: seed, grain: 1_000_000) { _ in 12_000_000 }
    let (simulated, kept) = Self.both(trace, Self.settings(dedicated: dedicated), models: 3)
    #expect(kept == simulated)
    #expect(simulated[0] > simulated[1] && simulated[1] > 0)
  }

  /// A look a second misses what comes and goes between two, and behind a queue one knows how long requests take on the average
  /// only.
  @Test(
    "What comes at any moment and takes any time: the ledger's baselines are within the looks' error", arguments: 1...6)
  func close(seed: Int) {
    let trace = Self.bursts(seed: seed, grain: 1) { Int64(200_000 + $0.next(below: 16_000_000)) }
    let (simulated, kept) = Self.both(trace, Self.settings(), models: 3)
    let shares = zip(kept, simulated).map { Double($0) / Double($1) }
    #expect(shares[0] <= 1 && shares[0] >= 0.75, "\(shares)")
    #expect(abs(shares[1] - 1) < 0.02, "\(shares)")
  }

  @Test("A queue that a cold start made is no demand: one replica could have served it")
  func queue() {
    let calls = stride(from: 0.0, through: 300, by: 1).map { $0 } + [1000]
    let trace = trace(at: calls, service: 1)
    let (simulated, kept) = Self.both(trace, Self.settings(), models: 1)
    #expect(simulated == [1_000_000, 1_000_000])
    #expect(kept == simulated)
  }
}
