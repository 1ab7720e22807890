import Testing

@testable import Simulation

struct LogHistogramTests {
  @Test(
    "a quantile is off by less than 1 %", arguments: [1, 127, 128, 129, 1000, 65_537, 999_999_999, 1 << 50] as [Int64])
  func error(value: Int64) {
    var histogram = LogHistogram()
    histogram.add(value)
    let read = histogram.quantile(0.5) * 1e6
    #expect(abs(read - Double(value)) <= Double(value) * LogHistogram.relativeError)
  }

  @Test("quantiles are by nearest rank")
  func rank() {
    var histogram = LogHistogram()
    for value in 1...100 { histogram.add(Int64(value)) }
    #expect(histogram.quantile(0.5) == 50e-6)
    #expect(histogram.quantile(0.99) == 99e-6)
    #expect(histogram.quantile(1) == 100e-6)
    #expect(LogHistogram().quantile(0.5) == 0)
  }
}

struct ReportTests {
  private func result(_ policies: [SimulatedPolicy], _ change: (inout SimulationSettings) -> Void = { _ in })
    -> SimulationResult
  {
    var settings = settings()
    change(&settings)
    var simulator = Simulator(
      policies.map { Simulator.Contender(policy: $0, settings: settings) }, bestWindow: 60_000_000)
    for request in trace(at: [0, 41, 500, 10_000]) { simulator.add(request) }
    return simulator.finish(models: ["m"])
  }

  @Test("figures of a run that was worked out by hand")
  func figures() throws {
    let result = result([.fixed(60_000_000), .optimum]) {
      $0.costs.burstHourlyPrice = 3600
      $0.costs.idleWatts = 100
      $0.costs.busyWatts = 400
      $0.costs.powerUsageEffectiveness = 1.5
      $0.costs.carbonGramsPerKWh = 200
      $0.objective = FirstTokenObjective(firstTokenMicroseconds: 2_000_000)
    }
    let fixed = try #require(result.reports.first)
    // Loads at 0, 500 and 10,000 (10 s each); busy 4 s; idle 11..41, 42..102, 511..571.
    #expect(fixed.coldStarts == 3)
    #expect(fixed.cost == 30 + 4 + 150 + 3 * 30)
    #expect(fixed.waitingShare == 0.75)
    #expect(fixed.objectiveAttainment == 0.25)
    #expect(fixed.objectiveIsMet == false)
    #expect(abs((fixed.money ?? 0) - 184) < 1e-9)
    let kilowattHours = (4 * 0.4 + 180 * 0.1) / 3600 * 1.5
    #expect(abs((fixed.energyKWh ?? 0) - kilowattHours) < 1e-12)
    #expect(abs((fixed.carbonGrams ?? 0) - kilowattHours * 200) < 1e-9)
    #expect(abs((fixed.shareOfAlwaysOn ?? 0) - 184.0 / 10_000) < 1e-12)
    // Keeps for 30 s, which is less than the 40 of a cold start, and else ends at once.
    #expect(abs((fixed.costRatioToOptimum ?? 0) - 274.0 / (30 + 4 + 30 + 90)) < 1e-12)
  }

  @Test("scaling all prices changes no ratio")
  func prices() {
    let ratios = [1.0, 7].map { factor in
      result([.fixed(60_000_000), .alwaysOn]) { $0.costs.burstHourlyPrice = 2 * factor }
        .reports.map(\.costRatioToOptimum)
    }
    #expect(ratios[0] == ratios[1])
  }

  @Test("JSON names what evaluations read")
  func json() {
    let text = ReportDocument(result([.knative, .fixed(nil)]), settings: [("seed", "1")]).json
    for key in [
      "policy", "replica_hours", "cold_starts", "requests", "waiting_share", "wait_p50_seconds", "wait_p95_seconds",
      "wait_p99_seconds", "cost", "cost_ratio_to_optimum", "share_of_always_on", "objective_attainment",
      "overflow_share", "money", "kwh", "gco2",
    ] {
      #expect(text.contains("\"\(key)\": "), "\(key)")
    }
    #expect(text.contains("\"policy\": \"kpa\""))
    #expect(text.contains("\"objective_attainment\": null"))
  }

  @Test("CSV has a header and a row for each policy; texts are quoted where they must be")
  func csv() {
    let lines = ReportDocument(result([.keda, .bestFixed]), settings: []).csv.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(
      lines.allSatisfy {
        $0.split(separator: ",", omittingEmptySubsequences: false).count == lines[0].split(separator: ",").count
      })
    #expect(ReportValue.text("a \"b\", c").csv == "\"a \"\"b\"\", c\"")
    #expect(ReportValue.text("\u{1}\"\\\n").json == "\"\\u0001\\\"\\\\\\n\"")
  }

  @Test("a backtest says what changes, and in which direction")
  func backtest() {
    var short = settings()
    short.scaling.sleepAfter = .seconds(5)
    var long = settings()
    long.scaling.sleepAfter = .seconds(100)
    var simulator = Simulator([
      .init(name: "against", policy: .pilotlight, settings: short),
      .init(name: "service", policy: .pilotlight, settings: long),
    ])
    for request in trace(at: [0, 41, 500, 10_000]) { simulator.add(request) }
    let lines = BacktestTable(simulator.finish(models: ["m"])).text.split(separator: "\n")
    #expect(lines.first?.contains("AGAINST") == true)
    let cold = lines.first { $0.hasPrefix("cold starts") }
    #expect(cold?.split(separator: " ").suffix(4) == ["4", "3", "-1", "-25.0%"])
  }

  @Test("names of policies are read, and printed as they were given")
  func names() {
    for name in SimulatedPolicy.names + ["fixed:1m30s"] {
      #expect(SimulatedPolicy(name) { $0 == "1m30s" ? .seconds(90) : nil }?.description == name)
    }
    #expect(SimulatedPolicy("fixed:soon") { _ in nil } == nil)
    #expect(SimulatedPolicy("") { _ in nil } == nil)
  }

  @Test("a chart has a line for each policy, and says its units")
  func chart() {
    var settings = settings(timeline: true)
    settings.scaling.sleepAfter = .seconds(60)
    var simulator = Simulator([
      .init(policy: .fixed(nil), settings: settings), .init(policy: .alwaysOn, settings: settings),
    ])
    for request in burstyTrace(seed: 1) { simulator.add(request) }
    let svg = Chart(simulator.finish(models: ["a", "b", "c"])).svg
    #expect(svg.hasPrefix("<svg xmlns"))
    for text in ["Replicas", "Held requests", "replica-hours", "always-on", "requests that wait"] {
      #expect(svg.contains(">\(text)<"), "\(text)")
    }
    #expect(svg.components(of: "<path ").count == 2 * 2 + 1)
  }

  @Test(
    "axis marks are round, within the axis, and not too many", arguments: [(0.0, 1.0), (0, 7.3), (0, 1234), (3, 3.5)])
  func marks(low: Double, high: Double) {
    let steps = ChartAxis.steps(low, high, 5)
    #expect((2...7).contains(steps.count))
    #expect(steps.allSatisfy { $0 >= low && $0 <= high + 1e-9 })
  }
}

extension String {
  fileprivate func components(of part: String) -> [Int] {
    let (text, wanted) = (Array(utf8), Array(part.utf8))
    guard text.count >= wanted.count else { return [] }
    return (0...text.count - wanted.count).filter { text[$0..<$0 + wanted.count].elementsEqual(wanted) }
  }
}
