/// Searches over received bytes, eight octets at a time.
///
/// A word's octets equal to a wanted one become zero by an exclusive or; the lowest set high bit of
/// `(word - 0x01…) & ~word & 0x80…` then marks the first of them (Warren, Hacker's Delight, 6-1).
extension UnsafeRawBufferPointer {
  /// Eight octets from `offset`, the first of them lowest. They must be there.
  @inline(__always) func word(at offset: Int) -> UInt64 {
    UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The index of the first line feed or carriage return at or after `start`; ``count`` when there is none.
  func firstLineEnd(from start: Int) -> Int {
    var index = start
    while index &+ 16 <= count {
      let low = word(at: index).lineEndMarks
      let high = word(at: index &+ 8).lineEndMarks
      if low | high != 0 {
        return low != 0 ? index &+ low.trailingZeroBitCount / 8 : index &+ 8 &+ high.trailingZeroBitCount / 8
      }
      index &+= 16
    }
    while index < count, self[index] != UInt8.lineFeed, self[index] != UInt8.carriageReturn { index &+= 1 }
    return index
  }

  /// The index of the first `first` at or after `start` that `second` follows; nil when there is none.
  func firstPair(_ first: UInt8, _ second: UInt8, from start: Int) -> Int? {
    let firsts = UInt64(first) &* 0x0101_0101_0101_0101
    let seconds = UInt64(second) &* 0x0101_0101_0101_0101
    var index = start
    while index &+ 17 <= count {
      let low = ((word(at: index) ^ firsts) | (word(at: index &+ 1) ^ seconds)).zeroOctetMarks
      let high = ((word(at: index &+ 8) ^ firsts) | (word(at: index &+ 9) ^ seconds)).zeroOctetMarks
      if low | high != 0 {
        return low != 0 ? index &+ low.trailingZeroBitCount / 8 : index &+ 8 &+ high.trailingZeroBitCount / 8
      }
      index &+= 16
    }
    while index &+ 1 < count {
      if self[index] == first, self[index &+ 1] == second { return index }
      index &+= 1
    }
    return nil
  }
}

extension UInt64 {
  /// Nonzero when an octet is zero; the lowest set bit is the highest of the first such octet.
  @inline(__always) fileprivate var zeroOctetMarks: UInt64 {
    (self &- 0x0101_0101_0101_0101) & ~self & 0x8080_8080_8080_8080
  }
  /// The marks of line feeds and carriage returns.
  @inline(__always) fileprivate var lineEndMarks: UInt64 {
    (self ^ 0x0a0a_0a0a_0a0a_0a0a).zeroOctetMarks | (self ^ 0x0d0d_0d0d_0d0d_0d0d).zeroOctetMarks
  }
}
