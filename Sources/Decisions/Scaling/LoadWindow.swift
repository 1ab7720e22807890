/// A quantity summed over the last seconds: a ring of buckets of one second, as Knative's `TimedFloat64Buckets`.
public struct LoadWindow: Hashable, Sendable {
  private var buckets: [Double]
  /// The second that the newest bucket stands for; nil: nothing was added yet.
  private var newest: Int64?

  /// A window that remembers at least `span`.
  public init(span: Duration) { buckets = Array(repeating: 0, count: Self.bucketCount(span)) }

  // One bucket more for the partial second at each end.
  private static func bucketCount(_ span: Duration) -> Int { max(1, Int(span.components.seconds)) + 2 }

  /// Adds an amount that accrued evenly between two moments; what is older than the window is forgotten.
  public mutating func add(_ amount: Double, from start: Duration, to end: Duration) {
    guard amount > 0 else { return }
    advance(to: end)
    let span = (end - start).inSeconds
    let lastSecond = end.components.seconds
    guard span > 0, start.components.seconds < lastSecond else { return put(amount, in: lastSecond) }
    let oldest = max(start.components.seconds, lastSecond - Int64(buckets.count) + 1)
    for second in oldest...lastSecond {
      let from = max(start.inSeconds, Double(second))
      let to = min(end.inSeconds, Double(second + 1))
      put(amount * max(0, to - from) / span, in: second)
    }
  }

  /// What accrued between `now - span` and `now`.
  public func sum(over span: Duration, until now: Duration) -> Double {
    guard let newest else { return 0 }
    let start = max(0, (now - span).inSeconds)
    let firstSecond = Int64(start)
    let oldestKept = newest - Int64(buckets.count) + 1
    let last = min(newest, now.components.seconds)
    guard max(firstSecond, oldestKept) <= last else { return 0 }
    var total = 0.0
    for second in max(firstSecond, oldestKept)...last {
      let amount = buckets[index(second)]
      total += second == firstSecond ? amount * (1 - (start - Double(firstSecond))) : amount
    }
    return total
  }

  /// What accrued in one second, by its number; 0 where it is not remembered.
  func amount(in second: Int64) -> Double {
    guard let newest, second <= newest, second > newest - Int64(buckets.count) else { return 0 }
    return buckets[index(second)]
  }

  private func index(_ second: Int64) -> Int {
    let remainder = Int(second % Int64(buckets.count))
    return remainder < 0 ? remainder + buckets.count : remainder
  }

  private mutating func put(_ amount: Double, in second: Int64) {
    guard let newest, second <= newest, second > newest - Int64(buckets.count) else { return }
    buckets[index(second)] += amount
  }

  private mutating func advance(to moment: Duration) {
    let second = moment.components.seconds
    guard let newest else {
      newest = second
      return
    }
    guard second > newest else { return }
    let skipped = min(second - newest, Int64(buckets.count))
    for offset in 0..<skipped { buckets[index(second - offset)] = 0 }
    self.newest = second
  }
}
