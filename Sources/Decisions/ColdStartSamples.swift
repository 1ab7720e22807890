/// How long wakes took: the last 64 of them, and how many there were.
public struct ColdStartSamples: Hashable, Sendable {
  public static let capacity = 64
  private var recent: [Duration] = []
  /// Wakes ever counted.
  public private(set) var count: Int

  /// - Parameter count: wakes counted by an earlier controller, whose times are not known any more.
  public init(count: Int = 0) { self.count = count }

  public mutating func add(_ wake: Duration) {
    if recent.count == Self.capacity { recent.removeFirst() }
    recent.append(wake)
    count += 1
  }

  /// Nearest-rank percentile of the recent wakes; nil without any.
  public func percentile(_ percent: Int) -> Duration? {
    guard !recent.isEmpty else { return nil }
    let sorted = recent.sorted()
    let rank = (Double(percent) / 100 * Double(sorted.count)).rounded(.up)
    return sorted[min(sorted.count - 1, max(0, Int(rank) - 1))]
  }
}
