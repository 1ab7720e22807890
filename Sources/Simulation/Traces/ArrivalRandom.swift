import Glibc

/// Random numbers that a seed repeats: SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
struct ArrivalRandom: Hashable, Sendable {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  @inline(__always)
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Above 0 and below 1.
  @inline(__always)
  mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

  /// Of mean 0 and variance 1 (Box, Muller 1958; the second number is not kept).
  mutating func normal() -> Double { sqrt(-2 * log(uniform())) * cos(2 * .pi * uniform()) }
}

/// How the gaps between a client's requests are distributed. Only the shape counts: the gaps of a bin are scaled to fill it.
enum GapShape: Hashable, Sendable {
  case exponential
  case gamma(shape: Double)
  case weibull(shape: Double)

  /// A gap, in units of its own.
  func draw(_ random: inout ArrivalRandom) -> Double {
    switch self {
    case .exponential: return -log(random.uniform())
    case .weibull(let shape): return pow(-log(random.uniform()), 1 / shape)
    case .gamma(let shape) where shape < 1:
      // Marsaglia and Tsang, section 6: one more, times a power of a uniform number.
      let whole = Self.gamma(shape + 1, &random)
      return whole * pow(random.uniform(), 1 / shape)
    case .gamma(let shape): return Self.gamma(shape, &random)
    }
  }

  /// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); `shape` is at least 1.
  private static func gamma(_ shape: Double, _ random: inout ArrivalRandom) -> Double {
    let d = shape - 1.0 / 3
    let c = 1 / sqrt(9 * d)
    while true {
      let x = random.normal()
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      if log(random.uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
    }
  }
}
