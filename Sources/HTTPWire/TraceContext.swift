/// The value of `traceparent` (W3C Trace Context, 3.2): which trace a request belongs to.
///
/// A gateway takes no part in the trace: it passes the field on as it came, valid or not, together with `tracestate`, and
/// reads it only to name the trace in its log.
public struct TraceContext: Hashable, Sendable {
  /// 0 to 254.
  public let version: UInt8
  /// The trace's 128 bits; never zero.
  public let traceHigh: UInt64
  public let traceLow: UInt64
  /// The caller's own span; never zero.
  public let parentID: UInt64
  public let flags: UInt8

  /// Reads a field value without the blanks around it; nil when it is not valid. Of a later version than 0, what follows
  /// the flags is skipped, as 4 of the specification asks.
  public init?(_ value: UnsafeRawBufferPointer) {
    guard value.count >= 55, value[2] == UInt8(ascii: "-"), value[35] == UInt8(ascii: "-"),
      value[52] == UInt8(ascii: "-"), let version = value.hexNumber(0..<2), version != 0xff,
      let traceHigh = value.hexNumber(3..<19), let traceLow = value.hexNumber(19..<35), traceHigh | traceLow != 0,
      let parentID = value.hexNumber(36..<52), parentID != 0, let flags = value.hexNumber(53..<55)
    else { return nil }
    guard value.count == 55 || (version > 0 && value[55] == UInt8(ascii: "-")) else { return nil }
    self.version = UInt8(version)
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.parentID = parentID
    self.flags = UInt8(flags)
  }

  /// The caller may have recorded its part of the trace.
  public var isSampled: Bool { flags & 1 != 0 }

  /// 32 lowercase hexadecimal digits.
  public var traceID: String {
    String(unsafeUninitializedCapacity: 32) { digits in
      for index in 0..<32 {
        let half = index < 16 ? traceHigh : traceLow
        let digit = UInt8(truncatingIfNeeded: half >> UInt64(60 - index % 16 * 4) & 15)
        digits[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
      }
      return 32
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The number of at most sixteen lowercase hexadecimal digits; nil when there is another octet among them.
  fileprivate func hexNumber(_ range: Range<Int>) -> UInt64? {
    var number: UInt64 = 0
    for index in range {
      let octet = self[index]
      guard octet.isDigit || (octet >= 0x61 && octet <= 0x66), let digit = octet.hexValue else { return nil }
      number = number << 4 | UInt64(digit)
    }
    return number
  }
}
