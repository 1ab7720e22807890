/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators"): equal seeds give equal numbers.
struct DeterministicRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// From 0 up to, but not including, 1.
  mutating func nextUnit() -> Double { Double(next() >> 11) / Double(1 << 53) }

  /// FNV-1a of a text, for seeds.
  static func seed(of text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
