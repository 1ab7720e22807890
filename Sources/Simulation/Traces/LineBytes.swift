/// Octets of one line or of a part of it, where they stand in the reader's buffer: valid only while that is not changed.
typealias LineBytes = UnsafeBufferPointer<UInt8>

extension LineBytes {
  @inline(__always)
  func part(_ start: Int, _ end: Int) -> LineBytes { LineBytes(rebasing: self[start..<end]) }

  /// As text; what is no UTF-8 is replaced.
  var text: String { String(decoding: self, as: UTF8.self) }

  /// At most 40 octets of it, for a message.
  var excerpt: String { count <= 40 ? text : part(0, 40).text + "…" }

  func equals(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count where self[index] != text.utf8Start[index] { return false }
    return true
  }

  /// Without blanks and carriage returns at its ends.
  @inline(__always)
  var trimmed: LineBytes {
    var start = 0
    var end = count
    while start < end, self[start].isLineSpace { start += 1 }
    while start < end, self[end - 1].isLineSpace { end -= 1 }
    return start == 0 && end == count ? self : part(start, end)
  }
}

extension UInt8 {
  @inline(__always)
  var isLineSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0D }

  /// Of a decimal digit; above 9: it is none.
  @inline(__always)
  var digit: UInt8 { self &- 0x30 }
}
