/// The newest values of a stream, for exact percentiles over a bounded memory.
public struct SampleWindow: Hashable, Sendable {
  private var values: [Double] = []
  private var oldest = 0
  public let capacity: Int

  /// - Parameter capacity: how many values are kept; at least one.
  public init(capacity: Int) { self.capacity = max(1, capacity) }

  public var count: Int { values.count }

  /// Adds a value; the oldest one leaves when the window is full.
  public mutating func append(_ value: Double) {
    if values.count < capacity {
      values.append(value)
    } else {
      values[oldest] = value
      oldest = (oldest + 1) % capacity
    }
  }

  /// The smallest kept value that at least `percent` (0...100) of the values do not exceed (nearest rank); nil when empty.
  /// Sorts: O(n log n).
  public func percentile(_ percent: Double) -> Double? {
    guard !values.isEmpty else { return nil }
    let rank = Int((min(max(percent, 0), 100) / 100 * Double(values.count)).rounded(.up))
    return values.sorted()[max(0, rank - 1)]
  }
}
