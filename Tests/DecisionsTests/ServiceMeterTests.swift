import Decisions
import Testing

@Suite struct ServiceMeterTests {
  static let objective = ScalingPolicy(objective: LatencyObjective(timeToFirstToken: .seconds(1)))

  /// A sample after `count` answers of 2 s, first token after 0.5 s, one each second.
  static func sample(_ count: Int, tokens: Int? = nil) -> LoadSample {
    var totals = ServiceTotals()
    for _ in 0..<count {
      totals.add(firstToken: 0.5, occupied: 2, concurrency: 3)
      totals.addGap(1)
    }
    return LoadSample(
      inFlight: 2, requestsTotal: count, concurrencySeconds: Double(2 * count), tokensTotal: tokens, service: totals)
  }

  @Test("Answers are measured over gateways and their restarts; the first sight of old counters adds nothing")
  func measured() throws {
    var meter = LoadMeter(span: .seconds(60))
    meter.record(Self.sample(1000), from: "g", bootID: "1", at: .seconds(0))
    #expect(meter.read(Self.objective, now: .seconds(0)).service?.occupied.mean == nil)
    for second in 1...30 { meter.record(Self.sample(1000 + second), from: "g", bootID: "1", at: .seconds(second)) }
    let service = try #require(meter.read(Self.objective, now: .seconds(30)).service)
    #expect(abs((service.occupied.mean ?? 0) - 2) < 1e-9 && abs((service.firstToken.mean ?? 0) - 0.5) < 1e-9)
    #expect(service.firstToken.count > 29 && service.firstToken.count <= 30)
    #expect(abs(service.stableArrivals - 1) < 0.05)
    // A line is lost, and then the gateway restarts: nothing is missing and nothing twice.
    meter.record(Self.sample(1040), from: "g", bootID: "1", at: .seconds(40))
    meter.record(Self.sample(5), from: "g", bootID: "2", at: .seconds(45))
    let later = try #require(meter.read(Self.objective, now: .seconds(45)).service)
    #expect(later.firstToken.count > 43 && later.firstToken.count <= 45)
  }

  @Test("Without an objective nothing of it is measured; counters that fall are not believed")
  func unmeasured() {
    var meter = LoadMeter(span: .seconds(60))
    for second in 0...60 { meter.record(Self.sample(second), from: "g", bootID: "1", at: .seconds(second)) }
    #expect(meter.read(ScalingPolicy(), now: .seconds(60)).service == nil)
    let before = meter.recentFirstTokens
    meter.record(Self.sample(10), from: "g", bootID: "1", at: .seconds(61))
    #expect(meter.recentFirstTokens == before)
  }

  @Test("Tokens per second: a gateway that does not count them is no data, which is not zero")
  func tokens() throws {
    func average(_ meter: LoadMeter, _ seconds: Int) -> Double? {
      meter.average(.tokensPerSecond, over: .seconds(10), now: .seconds(seconds))
    }
    var meter = LoadMeter(span: .seconds(60))
    for second in 0...20 {
      meter.record(Self.sample(second, tokens: 300 * second), from: "g", bootID: "1", at: .seconds(second))
    }
    #expect(abs(try #require(average(meter, 20)) - 300) < 1)
    // An older gateway joins. Idle it says nothing against the others; with requests it does.
    meter.record(LoadSample(requestsTotal: 3), from: "old", bootID: "1", at: .seconds(20))
    #expect(average(meter, 20) != nil)
    meter.record(LoadSample(inFlight: 1, requestsTotal: 4), from: "old", bootID: "1", at: .seconds(21))
    #expect(average(meter, 21) == nil)
    meter.remove(gateway: "old")
    #expect(average(meter, 21) != nil)
  }

  @Test("Replicas follow tokens per second, and stay when there is no data")
  func tokensScale() {
    let policy = ScalingPolicy(
      metric: .tokensPerSecond, target: 1000, scaleDownDelay: .zero, maxBurstReplicas: 9)
    func decide(_ average: Double?, wanted: Int) -> ScalingDecision {
      var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .zero)
      let seen = ScalingObservation(
        inFlight: 1, stableAverage: average, panicAverage: average, burstWanted: wanted, burstReady: wanted)
      return decideScale(policy, &state, seen, now: .seconds(100))
    }
    #expect(decide(4200, wanted: 4).burst == 5)
    #expect(decide(1200, wanted: 4).burst == 2)
    #expect(decide(nil, wanted: 4).burst == 4 && decide(nil, wanted: 4).reason == .noData)
    #expect(decide(4200, wanted: 4).message.hasPrefix("4200 tokens/s over 1m"))
  }
}
