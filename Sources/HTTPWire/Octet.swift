/// Character classes of RFC 9110 and RFC 9112 as bit tests: no table in memory, no branch per class.
extension UInt8 {
  /// `tchar` of RFC 9110, 5.6.2: what a method and a field name are made of.
  @inline(__always) var isToken: Bool {
    let mask: UInt64 = self < 64 ? 0x03ff_6cfa_0000_0000 : 0x57ff_ffff_c7ff_fffe
    return self < 128 && (mask >> UInt64(self & 63)) & 1 != 0
  }

  /// What a field value may hold (RFC 9110, 5.5): HTAB, SP, visible ASCII and obs-text; never another control character.
  @inline(__always) var isFieldContent: Bool { (self >= 0x20 && self != 0x7f) || self == 0x09 }

  /// What a request target may hold: visible ASCII.
  @inline(__always) var isTarget: Bool { self > 0x20 && self < 0x7f }

  @inline(__always) var isDigit: Bool { self >= 0x30 && self <= 0x39 }

  @inline(__always) var isBlank: Bool { self == 0x20 || self == 0x09 }

  /// The value of a hexadecimal digit, nil for any other octet.
  @inline(__always) var hexValue: UInt8? {
    if isDigit { return self &- 0x30 }
    let lower = self | 0x20
    return lower >= 0x61 && lower <= 0x66 ? lower &- 0x57 : nil
  }

  static let carriageReturn: UInt8 = 13
  static let lineFeed: UInt8 = 10
}

extension Span<UInt8> {
  /// The index of the first line feed at or after `start`, eight octets at a time.
  func firstLineFeed(from start: Int) -> Int? {
    withUnsafeBytes { bytes in
      var index = start
      let pattern: UInt64 = 0x0a0a_0a0a_0a0a_0a0a
      while index &+ 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ pattern
        // The lowest set high bit marks the first zero octet of `word` (Hacker's Delight, 6-1).
        let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
        if zeros != 0 { return index &+ zeros.trailingZeroBitCount / 8 }
        index &+= 8
      }
      while index < bytes.count {
        if bytes[index] == UInt8.lineFeed { return index }
        index &+= 1
      }
      return nil
    }
  }

  /// Whether every octet of `range` may stand in a field value, eight at a time as long as none is suspicious.
  func isFieldContent(_ range: Range<Int>) -> Bool {
    withUnsafeBytes { bytes in
      var index = range.lowerBound
      while index &+ 8 <= range.upperBound {
        let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        // The high bit of each octet below 0x20, and of each that is 0x7f (Bit Twiddling Hacks: "hasless", "haszero").
        let low = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
        let del = word ^ 0x7f7f_7f7f_7f7f_7f7f
        let isDel = (del &- 0x0101_0101_0101_0101) & ~del & 0x8080_8080_8080_8080
        if low | isDel != 0 { break }
        index &+= 8
      }
      while index < range.upperBound {
        guard bytes[index].isFieldContent else { return false }
        index &+= 1
      }
      return true
    }
  }

  /// Whether `range` equals `lowercase` without regard to ASCII case. Meant for octets already known to be token characters.
  func matches(_ range: Range<Int>, _ lowercase: StaticString) -> Bool {
    guard range.count == lowercase.utf8CodeUnitCount else { return false }
    return lowercase.withUTF8Buffer { expected in
      for index in 0..<expected.count where self[range.lowerBound &+ index] | 0x20 != expected[index] { return false }
      return true
    }
  }

  /// A copy of `range`.
  func copy(_ range: Range<Int>) -> [UInt8] {
    withUnsafeBufferPointer { Array($0[range]) }
  }
}
