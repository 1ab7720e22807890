/// Random numbers that a seed repeats: SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
public struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// How long to wait after the n-th failure in a row: doubling up to a bound, spread so that many who failed together do not
/// come back together.
public struct ExponentialBackoff: Hashable, Sendable {
  public var base: Duration
  public var maximum: Duration

  public init(base: Duration, maximum: Duration) {
    self.base = base
    self.maximum = maximum
  }

  /// Between half and all of `base` x 2^(failures - 1), at most between half and all of `maximum`.
  public func delay(failures: Int, using generator: inout SeededGenerator) -> Duration {
    // 2^40 milliseconds is 35 years: more doublings only overflow.
    let doublings = min(max(0, failures - 1), 40)
    let full = min(maximum, base * Double(UInt64(1) << UInt64(doublings)))
    return full * Double.random(in: 0.5...1, using: &generator)
  }
}
