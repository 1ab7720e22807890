import Testing

@testable import Telemetry

@Suite struct MetricsTests {
  @Test("metrics are printed in the Prometheus text format, sorted")
  func render() {
    let registry = MetricsRegistry()
    let requests = registry.counter("requests_total", help: "Requests.\nAll.", labels: ["pool", "code"])
    requests.increment("burst", "200")
    requests.increment("burst", "200", by: 2)
    requests.increment("a\"b\\c", "500")
    registry.gauge("held", help: "Held.").set(2.5)
    let waits = registry.histogram("wait_seconds", help: "Waits.", buckets: [1, 0.1])
    for value in [0.05, 0.1, 0.5, 7] { waits.observe(value) }
    #expect(
      registry.render() == """
        # HELP held Held.
        # TYPE held gauge
        held 2.5
        # HELP requests_total Requests.\\nAll.
        # TYPE requests_total counter
        requests_total{pool="a\\"b\\\\c",code="500"} 1
        requests_total{pool="burst",code="200"} 3
        # HELP wait_seconds Waits.
        # TYPE wait_seconds histogram
        wait_seconds_bucket{le="0.1"} 2
        wait_seconds_bucket{le="1"} 3
        wait_seconds_bucket{le="+Inf"} 4
        wait_seconds_sum 7.65
        wait_seconds_count 4

        """)
  }

  @Test("the same name is the same metric; a counter never falls")
  func identity() {
    let registry = MetricsRegistry()
    registry.counter("c", help: "").increment(by: 2)
    registry.counter("c", help: "").increment(by: -1)
    #expect(registry.counter("c", help: "").value() == 2)
  }

  @Test("label values beyond the bound share one series")
  func bounded() {
    let counter = MetricsRegistry(seriesLimit: 2).counter("c", help: "", labels: ["user"])
    for user in ["a", "b", "c", "d", "a"] { counter.increment(user) }
    #expect(counter.value("a") == 2 && counter.value("b") == 1 && counter.value("other") == 2)
    #expect(counter.value("c") == 0)
    counter.remove("a")
    #expect(counter.value("a") == 0)
  }

  @Test("no increment is lost between threads")
  func threads() async {
    let counter = MetricsRegistry().counter("c", help: "")
    let histogram = MetricsRegistry().histogram("h", help: "")
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<1000 {
            counter.increment()
            histogram.observe(1)
          }
        }
      }
    }
    #expect(counter.value() == 8000 && histogram.count() == 8000 && histogram.series([]).sum == 8000)
  }

  @Test("a value is counted at the first bound that it does not exceed, whatever their number", arguments: 0...9)
  func buckets(number: Int) {
    let bounds = (0..<number).map(Double.init)
    let series = Histogram(name: "h", help: "", labels: [], buckets: bounds, limit: 1).series([])
    var expected = Array(repeating: 0, count: number + 1)
    for value in stride(from: -1.0, through: 10, by: 0.5) {
      series.observe(value)
      expected[bounds.firstIndex { value <= $0 } ?? number] += 1
    }
    series.observe(.nan)
    #expect(series.snapshot.counts == expected)
  }

  @Test("a histogram's percentiles are those of its newest 512 values")
  func recent() {
    let histogram = MetricsRegistry().histogram("h", help: "")
    #expect(histogram.percentile(50) == nil)
    for value in 1...100 { histogram.observe(Double(value)) }
    #expect(histogram.percentile(99) == 99)
    for value in 101...1000 { histogram.observe(Double(value)) }
    #expect(histogram.percentile(0) == 489 && histogram.percentile(100) == 1000)
  }

  @Test(
    "percentiles are exact over the newest values",
    arguments: [(0.0, 3.0), (20, 3), (21, 4), (50, 5), (99, 7), (100, 7)])
  func percentiles(percent: Double, value: Double) {
    var window = SampleWindow(capacity: 5)
    #expect(window.percentile(50) == nil)
    for sample in [1, 2, 7, 3, 6, 4, 5] { window.append(Double(sample)) }
    #expect(window.percentile(percent) == value)
  }
}
