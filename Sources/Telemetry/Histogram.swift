import Synchronization

/// How values are spread: counts by upper bound, their sum and their number.
public final class Histogram: Sendable {
  /// Upper bounds in seconds that separate fractions of a millisecond from minutes: waits in a serverless system span both.
  public static let latencyBuckets: [Double] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
  ]

  /// One set of label values of a histogram. Observing takes no lock.
  public final class Series: Sendable {
    /// How many of the newest values are kept for percentiles; a power of two.
    private static let recentCapacity = 512
    private let bounds: [Double]
    private let counts: AtomicCells
    private let total = AtomicDouble(0)
    /// A ring of bit patterns.
    private let recent = AtomicCells(count: recentCapacity)
    private let observed = Atomic(0)

    init(bounds: [Double]) {
      self.bounds = bounds
      counts = AtomicCells(count: bounds.count + 1)
    }

    public func observe(_ value: Double) {
      guard value.isFinite else { return }
      counts.add(1, at: bucket(of: value))
      total.add(value)
      let position = observed.wrappingAdd(1, ordering: .relaxed).oldValue
      recent.store(value.bitPattern, at: position & (Self.recentCapacity - 1))
    }

    /// In seconds.
    public func observe(_ duration: Duration) { observe(duration.seconds) }

    /// The index of the first bound that `value` does not exceed, by halving.
    private func bucket(of value: Double) -> Int {
      bounds.withUnsafeBufferPointer { bounds in
        var first = 0
        var length = bounds.count
        while length > 0 {
          let half = length / 2
          if bounds[first + half] < value {
            first += half + 1
            length -= half + 1
          } else {
            length = half
          }
        }
        return first
      }
    }

    public var count: Int { snapshot.counts.reduce(0, +) }
    public var sum: Double { total.value }

    /// Exact percentile (0...100, nearest rank) of the newest 512 values; nil when there are none.
    public func percentile(_ percent: Double) -> Double? {
      var window = SampleWindow(capacity: Self.recentCapacity)
      for index in 0..<min(observed.load(ordering: .relaxed), Self.recentCapacity) {
        window.append(Double(bitPattern: recent[index]))
      }
      return window.percentile(percent)
    }

    /// Counts per bucket, not cumulative; the last one is above every bound. With the sum; a value observed meanwhile may be
    /// in one and not yet in the other.
    var snapshot: (counts: [Int], sum: Double) {
      ((0...bounds.count).map { Int(counts[$0]) }, total.value)
    }
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
