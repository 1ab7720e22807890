import Synchronization

/// How values are spread: counts by upper bound, their sum and their number.
public final class Histogram: Sendable {
  /// Upper bounds in seconds that separate fractions of a millisecond from minutes: waits in a serverless system span both.
  public static let latencyBuckets: [Double] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
  ]

  /// One set of label values of a histogram.
  public final class Series: Sendable {
    private struct State {
      var counts: [Int]
      var sum = 0.0
      var recent: SampleWindow
    }
    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
      self.bounds = bounds
      state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1), recent: SampleWindow(capacity: 512)))
    }

    public func observe(_ value: Double) {
      guard value.isFinite else { return }
      let index = bounds.firstIndex { value <= $0 } ?? bounds.count
      state.withLock { state in
        state.counts[index] += 1
        state.sum += value
        state.recent.append(value)
      }
    }

    /// In seconds.
    public func observe(_ duration: Duration) { observe(duration.seconds) }

    public var count: Int { state.withLock { $0.counts.reduce(0, +) } }
    public var sum: Double { state.withLock { $0.sum } }

    /// Exact percentile (0...100, nearest rank) of the newest 512 values; nil when there are none.
    public func percentile(_ percent: Double) -> Double? { state.withLock { $0.recent.percentile(percent) } }

    /// Counts per bucket, not cumulative; the last one is above every bound. With the sum, as one consistent reading.
    var snapshot: (counts: [Int], sum: Double) { state.withLock { ($0.counts, $0.sum) } }
  }

  let table: SeriesTable<Series>
  let bounds: [Double]

  init(name: String, help: String, labels: [String], buckets: [Double], limit: Int) {
    let bounds = buckets.filter(\.isFinite).sorted()
    self.bounds = bounds
    table = SeriesTable(name: name, help: help, labelNames: labels, limit: limit) { Series(bounds: bounds) }
  }

  /// The series with these label values, in the order of the label names; made when it is new.
  public func series(_ labels: [String]) -> Series { table.series(labels) }

  public func observe(_ value: Double, _ labels: String...) { table.series(labels).observe(value) }

  /// In seconds.
  public func observe(_ duration: Duration, _ labels: String...) { table.series(labels).observe(duration) }

  /// How many values were observed.
  public func count(_ labels: String...) -> Int { table.existing(labels)?.count ?? 0 }

  /// Exact percentile (0...100, nearest rank) of the newest 512 values; nil when there are none.
  public func percentile(_ percent: Double, _ labels: String...) -> Double? {
    table.existing(labels)?.percentile(percent)
  }

  /// Forgets a series whose subject is gone.
  public func remove(_ labels: String...) { table.remove(labels) }
}
