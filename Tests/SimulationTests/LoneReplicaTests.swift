import Testing

@testable import Simulation

struct LoneReplicaTests {
  private func run(_ window: some IdleWindowPolicy, _ trace: [TraceRequest], _ settings: SimulationSettings)
    -> PolicyOutcome
  {
    var run = LoneReplicaRun("lone", window, settings)
    return run.outcome(of: trace)
  }

  @Test("a lone request pays one load time; what the trace's end cuts off does not count")
  func loneRequest() throws {
    let outcome = run(FixedWindow(window: 60_000_000), trace(at: [100]), settings())
    let account = try #require(outcome.models.first)
    #expect(account.coldStarts == 1)
    #expect(account.burst.loading == 10_000_000)
    #expect(account.burst.busy == 1_000_000)
    #expect(account.burst.idle == 0)
    #expect(account.waited == 10_000_000)
  }

  @Test(
    "a gap up to the window keeps the replica, a longer one ends it after the window",
    arguments: [(41.0, 1, 30.0), (71.0, 1, 60.0), (71.25, 2, 60.0), (500.0, 2, 60.0)])
  func gaps(second: Double, coldStarts: Int, idle: Double) throws {
    // The first ends at 11 s.
    let outcome = run(FixedWindow(window: 60_000_000), trace(at: [0, second]), settings())
    let account = try #require(outcome.models.first)
    #expect(account.coldStarts == coldStarts)
    #expect(account.burst.idle == Int64(idle * 1e6))
  }

  @Test("held requests start at the end of the load in order, and beyond the limit as places become free")
  func limit() throws {
    let outcome = run(FixedWindow(window: 0), trace(at: [0, 1, 2], service: 5), settings(limit: 2))
    let account = try #require(outcome.models.first)
    // 10, 9 and, after the first has ended, 13.
    #expect(account.waited == 32_000_000)
    #expect(account.burst.busy == 10_000_000)
  }

  @Test("an always-on replica never loads, and is there from the first to the last request")
  func alwaysOn() throws {
    let outcome = run(AlwaysOn(), trace(at: [0, 50, 100]), settings())
    let account = try #require(outcome.models.first)
    #expect(account.coldStarts == 0 && account.waiting == 0)
    #expect(account.burst.busy + account.burst.idle == 101_000_000)
  }

  /// The event-driven engine, for any number of replicas, is the reference.
  @Test("it equals the general engine", arguments: 0..<24)
  func equalsTheGeneralEngine(seed: Int) {
    let trace = burstyTrace(seed: seed)
    for limit in [1, 2, 64] {
      for load in [[0.0], [10], [1, 7.5, 60]] {
        let settings = settings(load: load, limit: limit, timeline: true)
        for window in [0, 1, 20, 150, 1 << 40] as [Int64] {
          expectEqual(FixedWindow(window: window * 1_000_000), trace, settings)
        }
        expectEqual(HybridHistogram(), trace, settings)
        expectEqual(PrewarmingWindow(), trace, settings)
      }
    }
  }

  private func expectEqual<Window: IdleWindowPolicy>(
    _ window: Window, _ trace: [TraceRequest], _ settings: SimulationSettings
  ) {
    var lone = LoneReplicaRun("run", window, settings)
    var general = ScaledRun("run", OneReplicaByWindow(window), settings)
    let (left, right) = (lone.outcome(of: trace), general.outcome(of: trace))
    #expect(left.models == right.models, "\(window)")
    #expect(left.waits == right.waits)
    #expect(left.firstTokens == right.firstTokens)
  }

  @Test("plans that depend on all models are made in order of time")
  func ordered() {
    var run = LoneReplicaRun("run", OrderCheck(), settings())
    var general = ScaledRun("run", OneReplicaByWindow(OrderCheck()), settings())
    let trace = burstyTrace(seed: 3, models: 7)
    #expect(run.outcome(of: trace).models == general.outcome(of: trace).models)
  }

  @Test("replica time over time sums up to the account", arguments: 0..<6)
  func timeline(seed: Int) throws {
    let trace = burstyTrace(seed: seed)
    let end = try #require(trace.last).timeMicroseconds
    let outcome = run(FixedWindow(window: 20_000_000), trace, settings(timeline: true))
    let timeline = try #require(outcome.timeline)
    let sum = timeline.averages(until: end + 600_000_000).reduce(0) { $0 + $1.replicas * Double(timeline.width) }
    #expect(abs(sum - Double(outcome.sum.burst.total)) < 1e-6 * sum)
  }

  @Test("time translation changes nothing")
  func translation() {
    let trace = burstyTrace(seed: 9)
    let later = trace.map { request in
      var request = request
      request.timeMicroseconds += 86_400_000_000 * 365
      return request
    }
    let window = FixedWindow(window: 20_000_000)
    #expect(run(window, trace, settings()).models == run(window, later, settings()).models)
  }

  @Test("load times follow their distribution, and depend on the seed")
  func loadTimes() {
    let times = LoadTimes(seconds: [30, 10, 20], seed: 1)
    var counts: [Int64: Int] = [:]
    for request in 0..<3000 { counts[times.draw(model: 4, request: request, ordinal: 0), default: 0] += 1 }
    #expect(counts.keys.sorted() == [10_000_000, 20_000_000, 30_000_000])
    #expect(counts.values.allSatisfy { (900...1100).contains($0) })
    let other = LoadTimes(seconds: [30, 10, 20], seed: 2)
    let differs = (0..<100).count {
      other.draw(model: 4, request: $0, ordinal: 0) != times.draw(model: 4, request: $0, ordinal: 0)
    }
    #expect((40...90).contains(differs))
  }
}

/// Goes after 5 s, and is there again from 20 s to 50 s and from 70 s to 90 s; every third time it stays for 8 s only.
private struct PrewarmingWindow: IdleWindowPolicy {
  private var count = 0
  mutating func plan(model: Int, idleSince: Int64) -> IdlePlan {
    count += 1
    if count % 3 == 0 { return IdlePlan(keep: 8_000_000) }
    return IdlePlan(
      keep: 5_000_000,
      prewarms: [.init(after: 20_000_000, until: 50_000_000), .init(after: 70_000_000, until: 90_000_000)])
  }
  var learnsAcrossModels: Bool { true }
}

/// Its windows grow with the number of gaps seen anywhere, so a wrong order shows.
private struct OrderCheck: IdleWindowPolicy {
  private var seen: Int64 = 0
  private var last = Int64.min
  var learnsAcrossModels: Bool { true }
  mutating func plan(model: Int, idleSince: Int64) -> IdlePlan {
    #expect(idleSince >= last)
    last = idleSince
    return IdlePlan(keep: seen * 500_000 % 40_000_000)
  }
  mutating func noteGap(model: Int, idleSince: Int64, gap: Int64) {
    #expect(idleSince + gap >= last)
    last = idleSince + gap
    seen += 1
  }
}
