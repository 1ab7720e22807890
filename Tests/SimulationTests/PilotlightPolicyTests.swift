import Decisions
import Testing

@testable import Simulation

struct PilotlightPolicyTests {
  private func policy(replicas: Int, sleepAfter: Duration = .seconds(60), target: Double = 2) -> ScalingPolicy {
    ScalingPolicy(
      target: target, stableWindow: .seconds(12), panicWindow: .seconds(3), scaleDownDelay: .seconds(20),
      sleepAfter: sleepAfter, maxBurstReplicas: replicas)
  }

  @Test("a lone request pays one load time, and the replica sleeps after the window")
  func loneRequest() throws {
    var run = ScaledRun("pilotlight", PilotlightPolicy(policy(replicas: 4)), settings(replicas: 4))
    let account = try #require(run.outcome(of: trace(at: [0, 1000])).models.first)
    #expect(account.coldStarts == 2)
    #expect(account.waited == 20_000_000)
    // At most two ticks of a second more.
    #expect((60_000_000...62_000_000).contains(account.burst.idle))
  }

  @Test("more load than one replica carries adds replicas up to the ceiling, and they go again")
  func scalesOut() throws {
    let requests = trace(at: (0..<600).map { Double($0) * 0.1 } + [2000])
    var run = ScaledRun(
      "pilotlight", PilotlightPolicy(policy(replicas: 4)), settings(load: [1], limit: 2, replicas: 4))
    let account = try #require(run.outcome(of: requests).models.first)
    #expect(account.peakReplicas == 4)
    #expect(account.requests == 601)
    #expect(account.burst.total < 4 * 200_000_000)
  }

  @Test("ticks that are left out change nothing", arguments: 0..<12)
  func leavesOutTicks(seed: Int) {
    let trace = burstyTrace(seed: seed, requests: 300, grain: 130_000)
    for replicas in [1, 3] {
      for sleepAfter in [0, 0.4, 7, 33.3, 400] {
        let policy = policy(replicas: replicas, sleepAfter: .seconds(sleepAfter))
        let settings = settings(limit: 2, replicas: replicas)
        var brief = ScaledRun("run", PilotlightPolicy(policy), settings)
        var full = ScaledRun("run", PilotlightPolicy(policy, leavesOutTicks: false), settings)
        let (left, right) = (brief.outcome(of: trace), full.outcome(of: trace))
        #expect(left.models == right.models, "\(replicas) \(sleepAfter)")
        #expect(left.waits == right.waits)
      }
    }
  }

  @Test("dedicated replicas are there all the time, and take requests first")
  func dedicated() throws {
    var settings = settings(limit: 1, replicas: 2)
    settings.scaling.dedicatedReplicas = 1
    settings.dedicatedMaxConcurrency = 1
    settings.scaling.target = 1
    settings.scaling.dedicatedTarget = 1
    var run = ScaledRun("pilotlight", PilotlightPolicy(settings.scaling), settings)
    let account = try #require(run.outcome(of: trace(at: [0, 10, 20, 100])).models.first)
    #expect(account.waiting == 0 && account.coldStarts == 0)
    #expect(account.dedicated.busy == 4_000_000)
    #expect(account.dedicated.idle == 97_000_000)
    #expect(account.burst.total == 0)
  }

  @Test("overflow takes what would wait, and the model wakes none the less")
  func overflow() throws {
    var settings = settings()
    settings.overflow = OverflowEndpoint(firstTokenMicroseconds: 200_000)
    var run = ScaledRun("pilotlight", PilotlightPolicy(settings.scaling), settings)
    let outcome = run.outcome(of: trace(at: [0, 5, 15]))
    let account = try #require(outcome.models.first)
    #expect(account.overflowRequests == 2)
    #expect(account.coldStarts == 1)
    #expect(account.waiting == 0)
    #expect(account.burst.busy == 1_000_000)
  }

  @Test("always-on at its peak never waits, and counts its peak from start to end")
  func alwaysOn() throws {
    let settings = settings(limit: 2, replicas: 5)
    func account(_ policy: SimulatedPolicy) throws -> ModelAccount {
      var run = policy.run("baseline", settings, bestWindow: nil)
      return try #require(run.outcome(of: trace(at: [0, 0, 0, 0.5, 0.5, 100])).models.first)
    }
    for policy in [SimulatedPolicy.alwaysOn, .floorOnDemand] {
      let account = try account(policy)
      #expect(account.waiting == 0 && account.coldStarts == 0)
      #expect(account.peakReplicas == 3)
    }
    // The last one is busy for a second after it came.
    #expect(try account(.alwaysOn).burst.total == 301_000_000)
    // Beyond the first: one for the first second and a half, a third one for the half in the middle.
    #expect(try account(.floorOnDemand).burst.total == 102_500_000)
  }

  @Test("replica time of a scaled run is its replicas over time", arguments: 0..<4)
  func timeline(seed: Int) throws {
    let trace = burstyTrace(seed: seed)
    let end = try #require(trace.last).timeMicroseconds
    var run = ScaledRun(
      "run", PilotlightPolicy(policy(replicas: 3)), settings(limit: 2, replicas: 3, timeline: true))
    let outcome = run.outcome(of: trace)
    let timeline = try #require(outcome.timeline)
    let sum = timeline.averages(until: end).reduce(0) { $0 + $1.replicas * Double(timeline.width) }
    // What is busy after the trace's end is in the account only.
    #expect(sum <= Double(outcome.sum.burst.total) + 1)
    #expect(sum >= Double(outcome.sum.burst.total) - 3 * 60e6)
  }

  @Test("Where a caller is a timer, Predictive wakes before it, for one replica and for several", arguments: [1, 3])
  func predictive(replicas: Int) throws {
    let requests = trace(at: (0..<300).map { Double($0) * 1800 })
    let settings = settings(load: [40], price: 900, replicas: replicas)
    func account(_ policy: SimulatedPolicy) throws -> ModelAccount {
      var run = policy.run("run", settings, bestWindow: nil)
      return try #require(run.outcome(of: requests).models.first)
    }
    let (reactive, predictive) = (try account(.pilotlightAuto), try account(.pilotlightPredictive))
    #expect(reactive.prewarms == 0 && reactive.coldStarts + reactive.burst.idle.wholeSeconds / 900 > 200)
    #expect(predictive.prewarms > 200 && predictive.coldStarts < 80)
    #expect(predictive.burst.total < reactive.burst.total || predictive.coldStarts * 2 < reactive.coldStarts)
  }
}

extension Int64 {
  fileprivate var wholeSeconds: Int { Int(self / 1_000_000) }
}
