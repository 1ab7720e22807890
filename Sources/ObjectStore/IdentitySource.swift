/// Uids and generated name suffixes, from a seed: two stores with the same seed and requests make the same.
struct IdentitySource: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A version 4 UUID (RFC 9562).
  mutating func uid() -> String {
    let high = next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    let low = next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    let digits = Array(hex(high) + hex(low))
    return [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
      .map { String($0) }.joined(separator: "-")
  }

  /// Five characters that spell no word, as `generateName` appends (k8s.io/apimachinery/pkg/util/rand).
  mutating func nameSuffix() -> String {
    let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
    var value = next()
    var suffix = ""
    for _ in 0..<5 {
      suffix.append(alphabet[Int(value % UInt64(alphabet.count))])
      value /= UInt64(alphabet.count)
    }
    return suffix
  }

  /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  private func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
