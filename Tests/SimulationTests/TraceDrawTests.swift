import Testing

@testable import Simulation

/// Requests drawn from ServeGen's rates.
struct TraceDrawTests {
  private static let bin: Int64 = 600_000_000
  private static let header = "client,t_seconds,rate_rps,cv,dist,param1,param2\n"

  /// Rows of clients.
  private func draw(_ rows: [String], _ reading: TraceReading = TraceReading()) -> ParsedTrace {
    ParsedTrace(Self.header + rows.joined(separator: "\n"), reading)
  }

  @Test(
    "a bin has exactly rate × 600 requests, in order, all within it",
    arguments: ["Exponential,1", "Gamma,0.05", "Gamma,1", "Gamma,40", "Weibull,0.2", "Weibull,3", "Gamma,0.001"])
  func counts(distribution: String) {
    let rates = [0.1, 0.2, 1.0 / 600, 0, 0.056667]
    let starts: [Int64] = [0, 600, 1200, 1800, 6000]
    let parsed = draw(zip(starts, rates).map { "c,\($0),\($1),1,\(distribution),9" })
    #expect(parsed.failure == nil)
    let counts = starts.map { start in
      parsed.requests.count { start * 1_000_000..<start * 1_000_000 + Self.bin ~= $0.timeMicroseconds }
    }
    #expect(counts == [60, 120, 1, 0, 34])
    #expect(parsed.requests.count == 215)
    #expect(parsed.seconds == parsed.seconds.sorted())
    #expect(parsed.requests.allSatisfy { $0.promptTokens == -1 && $0.durationMicroseconds == -1 && $0.model == 0 })
  }

  @Test("rates of a whole service are drawn as one model's, however high")
  func rates() {
    let parsed = ParsedTrace("t_seconds,total_requests_per_second\n0,5\n600,0.5\n")
    #expect(parsed.requests.count == 3300)
    #expect(parsed.requests.count { $0.timeMicroseconds < Self.bin } == 3000)
    #expect(parsed.models == ["m"])
  }

  @Test("a rate that is no count is rounded up or down, so that the mean is right")
  func mean() {
    let parsed = draw((0..<2000).map { "c,\($0 * 600),0.0025,1,Exponential,1,1" })
    var counts = [Int](repeating: 0, count: 2000)
    for request in parsed.requests { counts[Int(request.timeMicroseconds / Self.bin)] += 1 }
    #expect(Set(counts) == [1, 2])
    // Five standard deviations of 2000 tosses of a coin.
    #expect(abs(parsed.requests.count - 3000) <= 112)
  }

  @Test("the same seed draws the same, another draws others")
  func seeds() {
    let rows = ["a,0,0.1,1,Gamma,0.5,1", "b,0,0.1,1,Weibull,2,1"]
    let first = draw(rows, TraceReading(seed: 7))
    #expect(draw(rows, TraceReading(seed: 7)) == first)
    let other = draw(rows, TraceReading(seed: 8))
    #expect(other.requests.count == first.requests.count)
    for client in ["a", "b"] { #expect(other.times(of: client) != first.times(of: client)) }
  }

  @Test("a client's draws depend on nobody else in the file")
  func independence() {
    let own = ["x,0,0.15,1,Gamma,0.5,1", "x,600,0.0025,1,Weibull,0.7,1"]
    let alone = draw(own)
    let others = ["a,0,0.1,1,Gamma,0.5,1", "b,0,0.15,1,Gamma,0.5,1", "a,600,0.0025,1,Gamma,0.5,1"]
    for rows in [others + own, own + others, [others[0], own[0], others[1], own[1], others[2]]] {
      let together = draw(rows)
      #expect(together.times(of: "x") == alone.times(of: "x"))
      #expect(together.seconds == together.seconds.sorted())
    }
    let together = draw(others + own)
    #expect(together.times(of: "b") != Array(alone.times(of: "x").prefix(90)))
  }

  @Test("rows above the highest rate are left out, not the client's other rows")
  func rowRule() {
    let rows = [
      "a,0,0.2,1,Exponential,1,1", "a,600,0.21,1,Exponential,1,1", "a,1200,0.1,1,Exponential,1,1",
      "loud,0,3,1,Exponential,1,1",
    ]
    let parsed = draw(rows)
    #expect(parsed.requests.count == 180)
    #expect(parsed.times(of: "loud").isEmpty)
    #expect(!parsed.times(of: "a").contains { Self.bin..<2 * Self.bin ~= $0 })
    #expect(draw(rows, TraceReading(maxClientRate: 0.1)).requests.count == 60)
    #expect(draw(rows, TraceReading(maxClientRate: 3)).requests.count == 306 + 1800)
  }

  @Test("a highest rate that leaves nothing is an error")
  func nothingLeft() {
    #expect(
      draw(["a,0,0.5,1,Exponential,1,1"]).failure
        == "load.txt line 2: every row has a rate above 0.2/s; give a higher --max-client-rate")
    #expect(
      draw(["a,0,0.5,1,Exponential,1,1", "b,0,0.3,1,Gamma,2,1"], TraceReading(maxClientRate: 0.25, badRows: .skip))
        .failure == "load.txt line 3: every row has a rate above 0.25/s; give a higher --max-client-rate")
    #expect(draw([]).failure == nil)
    #expect(draw(["a,0,0,1,Exponential,1,1"]).failure == nil)
  }

  @Test(
    "gaps have the variation of their distribution",
    arguments: [
      ("Exponential,1", 1), ("Gamma,4", 0.5), ("Gamma,0.25", 2), ("Weibull,2", 0.5227), ("Weibull,0.5", 2.236),
    ] as [(String, Double)])
  func variation(distribution: String, expected: Double) {
    let times = draw(["c,0,100,1,\(distribution),1"], TraceReading(maxClientRate: 100)).requests.map {
      Double($0.timeMicroseconds)
    }
    let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(gaps.count)
    #expect(times.count == 60_000)
    #expect(abs(variance.squareRoot() / mean / expected - 1) < 0.05)
  }
}
