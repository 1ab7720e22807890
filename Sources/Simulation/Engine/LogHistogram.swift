/// How often durations of each size came, in bounded memory: buckets that grow with the value, as in HdrHistogram.
///
/// Below 128 µs each microsecond has a bucket; above, each power of two has 64. A value read back is its bucket's middle, so
/// it is off by less than 1 % (1/128).
public struct LogHistogram: Hashable, Sendable {
  /// The largest relative error of a value read back.
  public static let relativeError = 1.0 / 128

  // 128 exact buckets, then 64 for each of the exponents 7 to 62.
  private static let bucketCount = 128 + 56 * 64
  private var counts: [UInt64]
  public private(set) var total: UInt64 = 0

  public init() { counts = Array(repeating: 0, count: Self.bucketCount) }

  /// Counts a duration in microseconds; below 0 counts as 0.
  @inline(__always)
  mutating func add(_ microseconds: Int64) { add(1, to: Self.bucket(of: microseconds)) }

  /// Counts so many durations of one bucket.
  @inline(__always)
  mutating func add(_ count: UInt64, to bucket: Int) {
    counts[bucket] &+= count
    total &+= count
  }

  /// The duration in seconds that `share` (0 to 1) of all do not exceed, by nearest rank; 0 without any.
  public func quantile(_ share: Double) -> Double {
    guard total > 0 else { return 0 }
    let rank = min(total, max(1, UInt64((share * Double(total)).rounded(.up))))
    var seen: UInt64 = 0
    for (bucket, count) in counts.enumerated() where count > 0 {
      seen += count
      if seen >= rank { return Self.middle(of: bucket) / 1e6 }
    }
    return 0
  }

  @inline(__always)
  static func bucket(of microseconds: Int64) -> Int {
    let value = UInt64(max(0, microseconds))
    if value < 128 { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    return 128 + (exponent - 7) * 64 + Int((value >> UInt64(exponent - 6)) & 63)
  }

  private static func middle(of bucket: Int) -> Double {
    if bucket < 128 { return Double(bucket) }
    let (exponent, step) = ((bucket - 128) / 64 + 7, (bucket - 128) % 64)
    let width = Double(UInt64(1) << UInt64(exponent - 6))
    return (Double(64 + step) + 0.5) * width
  }
}
