/// Numbers of a trace, read from their digits: without rounding where microseconds can say them.
enum TraceNumber {
  /// What whole microseconds can express with room to spare: 285 years.
  static let mostMicroseconds: Int64 = 9_000_000_000_000_000

  /// A decimal number times `10^scale`, rounded to the nearest whole; nil: it is no number, is negative or too large.
  @inline(__always)
  static func scaled(_ text: LineBytes, by scale: Int) -> Int64? {
    var value: Int64 = 0
    var index = 0
    var fraction = -1
    var roundsUp = false
    guard !text.isEmpty, text.count <= 40 else { return nil }
    while index < text.count {
      let digit = text[index].digit
      if digit <= 9 {
        if fraction < scale {
          guard value <= mostMicroseconds / 10 else { return nil }
          value = value &* 10 &+ Int64(digit)
          if fraction >= 0 { fraction += 1 }
        } else if fraction == scale {
          roundsUp = digit >= 5
          fraction += 1
        }
      } else if text[index] == UInt8(ascii: "."), fraction < 0, index > 0, index + 1 < text.count {
        fraction = 0
      } else {
        return withExponent(text, by: scale)
      }
      index += 1
    }
    for _ in min(max(0, fraction), scale)..<scale {
      guard value <= mostMicroseconds / 10 else { return nil }
      value *= 10
    }
    return value + (roundsUp ? 1 : 0)
  }

  /// Such as `1.5e3`.
  private static func withExponent(_ text: LineBytes, by scale: Int) -> Int64? {
    guard var value = double(text), value >= 0 else { return nil }
    for _ in 0..<scale { value *= 10 }
    value.round()
    return value <= Double(mostMicroseconds) ? Int64(value) : nil
  }

  /// A finite number as CSV and JSON write it: digits, point, exponent, sign.
  static func double(_ text: LineBytes) -> Double? {
    guard let first = text.first, let last = text.last, text.count <= 40,
      first.digit <= 9 || first == UInt8(ascii: "-"), last.digit <= 9
    else { return nil }
    for octet in text {
      switch octet {
      case 0x30...0x39, UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
        continue
      default: return nil
      }
    }
    guard let value = Double(text.text), value.isFinite else { return nil }
    return value
  }

  static func microseconds(_ text: LineBytes, scale: Int = 6, _ name: StaticString) throws(RowProblem) -> Int64 {
    guard let value = scaled(text, by: scale) else {
      throw RowProblem(
        "\(name) '\(text.excerpt)' is not a number of \(scale == 6 ? "seconds" : "milliseconds") from 0 to "
          + (scale == 6 ? "9000000000" : "9000000000000"))
    }
    return value
  }

  /// Whole tokens; -1 where nothing is said.
  @inline(__always)
  static func tokens(_ text: LineBytes, _ name: StaticString) throws(RowProblem) -> Int32 {
    if text.isEmpty { return -1 }
    guard let value = scaled(text, by: 0), value <= Int64(Int32.max) else {
      throw RowProblem("\(name) '\(text.excerpt)' is not a number of tokens from 0 to \(Int32.max)")
    }
    return Int32(value)
  }
}
