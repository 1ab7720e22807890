import Decisions
import Testing

@Suite struct LoadMeterTests {
  static func at(_ seconds: Double) -> Duration { .milliseconds(Int(seconds * 1000)) }

  /// A meter that was told of `busy` requests in flight at gateway `g` each second from 0 to `end`.
  static func steady(_ busy: Int, until end: Int, from start: Int = 0) -> LoadMeter {
    var meter = LoadMeter(span: .seconds(60))
    for second in start...end {
      meter.record(
        LoadSample(
          inFlight: busy, requestsTotal: second * 3, concurrencySeconds: Double(busy * (second - start))),
        from: "g", bootID: "1", at: .seconds(second))
    }
    return meter
  }

  static func close(_ left: Double?, _ right: Double) -> Bool { abs((left ?? .infinity) - right) < 1e-6 }

  @Test("Constant load averages to itself, over full and partial windows")
  func constant() {
    for end in [2, 10, 59, 60, 300] {
      let meter = Self.steady(5, until: end)
      for window in [6, 60] {
        let average = meter.average(.concurrency, over: .seconds(window), now: Self.at(Double(end) + 0.25))
        #expect(Self.close(average, 5), "\(window) s after \(end) s: \(average)")
      }
      #expect(abs((meter.average(.requestsPerSecond, over: .seconds(60), now: .seconds(end)) ?? 0) - 3) < 0.01)
    }
  }

  @Test("A burst of a second counts as what it is, not as a minute of it")
  func requestCount() {
    var meter = Self.steady(0, until: 3)
    meter.record(
      LoadSample(held: 100, requestsTotal: 109, concurrencySeconds: 0), from: "g", bootID: "1", at: .seconds(4))
    #expect(Self.close(meter.requestCount(over: .seconds(60), now: .seconds(5)), 109))
    #expect(Self.close(meter.requestCount(over: .seconds(60), now: .seconds(90)), 0))
  }

  @Test("After a sleep, the first second counts in full; the time asleep is no part of the average")
  func partialWindow() {
    var meter = Self.steady(1, until: 3)
    meter.recordAbsence(from: "g", bootID: "1", at: .seconds(4))
    #expect(meter.average(.concurrency, over: .seconds(60), now: .seconds(500)) == 0)
    meter.record(
      LoadSample(held: 40, requestsTotal: 49, concurrencySeconds: 4), from: "g", bootID: "1", at: .seconds(1000))
    meter.record(
      LoadSample(held: 40, requestsTotal: 49, concurrencySeconds: 44), from: "g", bootID: "1", at: .seconds(1001))
    let average = meter.average(.concurrency, over: .seconds(60), now: .seconds(1001)) ?? 0
    #expect(average > 19 && average <= 40)
  }

  @Test("A gateway that falls silent keeps its last counts until it has left")
  func silence() {
    var meter = Self.steady(5, until: 100)
    #expect(Self.close(meter.average(.concurrency, over: .seconds(60), now: .seconds(500)), 5))
    #expect(meter.inFlight == 5)
    meter.remove(gateway: "g")
    #expect(meter.inFlight == 0)
    #expect(meter.average(.concurrency, over: .seconds(60), now: .seconds(500)) == 0)
  }

  @Test("A silence that ends is corrected by the true integral")
  func silenceEnds() {
    var meter = Self.steady(5, until: 100)
    meter.record(
      LoadSample(inFlight: 5, requestsTotal: 310, concurrencySeconds: 520), from: "g", bootID: "1", at: .seconds(110))
    #expect(Self.close(meter.average(.concurrency, over: .seconds(10), now: .seconds(110)), 2))
  }

  @Test("A restarted gateway counts from zero, a counter that falls without a restart counts nothing")
  func resets() {
    var restarted = Self.steady(5, until: 100)
    restarted.record(
      LoadSample(inFlight: 2, requestsTotal: 4, concurrencySeconds: 20), from: "g", bootID: "2", at: .seconds(110))
    #expect(Self.close(restarted.average(.concurrency, over: .seconds(10), now: .seconds(110)), 2))
    var lying = Self.steady(5, until: 100)
    lying.record(
      LoadSample(inFlight: 0, requestsTotal: 1, concurrencySeconds: 20), from: "g", bootID: "1", at: .seconds(110))
    #expect(Self.close(lying.average(.concurrency, over: .seconds(10), now: .seconds(110)), 0))
  }

  @Test("Gateways add up, and the first sight of old counters adds nothing")
  func severalGateways() {
    var meter = Self.steady(5, until: 100)
    meter.record(
      LoadSample(inFlight: 3, requestsTotal: 9000, concurrencySeconds: 5e6, lastRequestAge: .seconds(1)), from: "h",
      bootID: "9", at: .seconds(100))
    #expect(meter.inFlight == 8)
    #expect(Self.close(meter.average(.concurrency, over: .seconds(4), now: .seconds(102)), 6.5))
  }

  @Test("The last activity is when requests were last about, not when a counter was last read")
  func lastActivity() {
    var meter = Self.steady(1, until: 5)
    meter.record(
      LoadSample(requestsTotal: 15, concurrencySeconds: 5.5), from: "g", bootID: "1", at: .seconds(6))
    meter.record(
      LoadSample(requestsTotal: 15, concurrencySeconds: 5.5), from: "g", bootID: "1", at: .seconds(90))
    #expect(meter.lastActivity == .seconds(6))
    var fresh = LoadMeter(span: .seconds(60))
    fresh.record(LoadSample(lastRequestAge: .seconds(30)), from: "g", bootID: "1", at: .seconds(90))
    #expect(fresh.lastActivity == .seconds(60))
    #expect(fresh.isQuiet)
  }
}
