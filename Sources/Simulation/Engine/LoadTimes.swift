/// How long replicas load, as a distribution: one value, or values that were measured.
///
/// A draw depends on the seed, the model and what woke it, not on draws before it: two policies that wake a model for the same
/// request meet the same load time.
public struct LoadTimes: Hashable, Sendable {
  /// In microseconds, ascending; never empty.
  public let microseconds: [Int64]
  public let seed: UInt64

  /// - Parameter seconds: measured load times, each as likely as the others; negative ones count as 0, none as 60 s.
  public init(seconds: [Double], seed: UInt64 = 1) {
    let known = seconds.isEmpty ? [60] : seconds
    microseconds = known.map { Int64((min(max(0, $0), 1e9) * 1e6).rounded()) }.sorted()
    self.seed = seed
  }

  /// The load time of a replica.
  /// - Parameters:
  ///   - request: how many requests the model had seen when the replica was started.
  ///   - ordinal: 0 for the first replica that was started then, 1 for the second, and so on.
  @inline(__always)
  func draw(model: Int, request: Int, ordinal: Int) -> Int64 {
    if microseconds.count == 1 { return microseconds[0] }
    let key = mixed(seed, UInt64(truncatingIfNeeded: model), UInt64(truncatingIfNeeded: request &* 4096 &+ ordinal))
    return microseconds[Int(key.multipliedFullWidth(by: UInt64(microseconds.count)).high)]
  }

  /// Mean, in microseconds.
  public var mean: Double { microseconds.reduce(0) { $0 + Double($1) } / Double(microseconds.count) }
}

/// A hash of three numbers by SplitMix64's finaliser (Steele, Lea, Flood 2014).
@inline(__always)
func mixed(_ first: UInt64, _ second: UInt64, _ third: UInt64) -> UInt64 {
  func finalised(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
  return finalised(finalised(finalised(first) ^ second) ^ third)
}
