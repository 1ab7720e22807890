/// Why a body is refused, with the offset of the octet at fault.
public struct JSONScanError: Error, Hashable, Sendable, CustomStringConvertible {
  public var reason: String
  public var offset: Int
  /// It may be JSON, but two readers could find different values in it.
  public var isAmbiguous = false

  public var description: String { "invalid JSON at byte \(offset): \(reason)" }
}

/// Steps over JSON values (RFC 8259) without building them. Strict: what it accepts, every JSON reader accepts.
struct JSONScanner {
  static let maximumDepth = 512

  var position = 0

  mutating func skipBlanks(_ octets: Span<UInt8>) {
    while position < octets.count {
      switch octets[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position &+= 1
      default: return
      }
    }
  }

  func peek(_ octets: Span<UInt8>) throws(JSONScanError) -> UInt8 {
    guard position < octets.count else { throw fail("it ends too early") }
    return octets[position]
  }

  mutating func expect(_ octet: UInt8, _ octets: Span<UInt8>) throws(JSONScanError) {
    guard try peek(octets) == octet else {
      throw fail("expected '\(Character(UnicodeScalar(octet)))'")
    }
    position += 1
  }

  /// Steps over one value of any kind, with a stack of one bit per level instead of recursion.
  mutating func skipValue(_ octets: Span<UInt8>) throws(JSONScanError) {
    var isObject: [Bool] = []
    while true {
      skipBlanks(octets)
      let first = try peek(octets)
      if first == 0x7b || first == 0x5b {
        guard isObject.count < Self.maximumDepth else { throw fail("nested deeper than \(Self.maximumDepth) levels") }
        position += 1
        skipBlanks(octets)
        if try peek(octets) == first + 2 {  // '}' follows '{' by two, ']' follows '[' by two.
          position += 1
        } else {
          isObject.append(first == 0x7b)
          if first == 0x7b { try skipKey(octets) }
          continue
        }
      } else {
        try skipScalar(octets, first)
      }
      guard try !closeOrContinue(octets, &isObject) else { return }
    }
  }

  /// After a value: a comma leads to the next member, closing brackets lead out. True once the outermost value is over.
  private mutating func closeOrContinue(
    _ octets: Span<UInt8>, _ isObject: inout [Bool]
  ) throws(JSONScanError) -> Bool {
    while let inObject = isObject.last {
      skipBlanks(octets)
      let next = try peek(octets)
      if next == 0x2c {
        position += 1
        if inObject {
          skipBlanks(octets)
          try skipKey(octets)
        }
        return false
      }
      guard next == (inObject ? 0x7d : 0x5d) else { throw fail("expected ',' or a closing bracket") }
      position += 1
      isObject.removeLast()
    }
    return true
  }

  private mutating func skipKey(_ octets: Span<UInt8>) throws(JSONScanError) {
    _ = try string(octets)
    skipBlanks(octets)
    try expect(0x3a, octets)
  }

  private mutating func skipScalar(_ octets: Span<UInt8>, _ first: UInt8) throws(JSONScanError) {
    switch first {
    case 0x22: _ = try string(octets)
    case 0x74: try literal("true", octets)
    case 0x66: try literal("false", octets)
    case 0x6e: try literal("null", octets)
    default: try number(octets)
    }
  }

  mutating func literal(_ text: StaticString, _ octets: Span<UInt8>) throws(JSONScanError) {
    let end = position + text.utf8CodeUnitCount
    guard end <= octets.count, octets.equals(position..<end, text) else { throw fail("unknown literal") }
    position = end
  }

  /// Steps over a string, escapes checked. Returns the range between its quotes and whether escapes are in it.
  mutating func string(_ octets: Span<UInt8>) throws(JSONScanError) -> (range: Range<Int>, isEscaped: Bool) {
    try expect(0x22, octets)
    let start = position
    var isEscaped = false
    while true {
      let octet = try peek(octets)
      if octet == 0x22 { break }
      guard octet >= 0x20 else { throw fail("control character in a string") }
      position &+= 1
      guard octet == 0x5c else { continue }
      isEscaped = true
      let escape = try peek(octets)
      position += 1
      switch escape {
      case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: break
      case 0x75:
        for _ in 0..<4 {
          guard try peek(octets).hexValue != nil else { throw fail("\\u without four hexadecimal digits") }
          position += 1
        }
      default: throw fail("unknown escape")
      }
    }
    position += 1
    return (start..<position - 1, isEscaped)
  }

  /// `[-] int [frac] [exp]`, no leading zeros.
  mutating func number(_ octets: Span<UInt8>) throws(JSONScanError) {
    if try peek(octets) == 0x2d { position += 1 }
    if try peek(octets) == 0x30 { position += 1 } else { try digits(octets) }
    if position < octets.count, octets[position] == 0x2e {
      position += 1
      try digits(octets)
    }
    if position < octets.count, octets[position] | 0x20 == 0x65 {
      position += 1
      let sign = try peek(octets)
      if sign == 0x2b || sign == 0x2d { position += 1 }
      try digits(octets)
    }
  }

  private mutating func digits(_ octets: Span<UInt8>) throws(JSONScanError) {
    let start = position
    while position < octets.count, octets[position].isDigit { position += 1 }
    guard position > start else { throw fail("expected a value") }
  }

  func fail(_ reason: String) -> JSONScanError { JSONScanError(reason: reason, offset: position) }

  /// The text of a string's inside, escapes resolved; nil when it is no valid Unicode.
  static func text(_ octets: Span<UInt8>, _ range: Range<Int>, isEscaped: Bool) -> String? {
    if !isEscaped { return String(validating: octets.copy(range), as: UTF8.self) }
    var plain: [UInt8] = []
    plain.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      guard octets[index] == 0x5c else {
        plain.append(octets[index])
        index &+= 1
        continue
      }
      var scalar = unescaped(octets, &index)
      if scalar & 0xfc00 == 0xd800 {
        guard index < range.upperBound, octets[index] == 0x5c else { return nil }
        let low = unescaped(octets, &index)
        guard low & 0xfc00 == 0xdc00 else { return nil }
        scalar = 0x10000 + (scalar & 0x3ff) << 10 + low & 0x3ff
      }
      if scalar < 0x80 {
        plain.append(UInt8(scalar))
        continue
      }
      guard let character = Unicode.Scalar(scalar), let encoded = UTF8.encode(character) else { return nil }
      plain.append(contentsOf: encoded)
    }
    return String(validating: plain, as: UTF8.self)
  }

  /// What the escape at `index` stands for, one half of a surrogate pair maybe; `index` moves behind it. It was checked by
  /// ``string(_:)`` before.
  static func unescaped(_ octets: Span<UInt8>, _ index: inout Int) -> UInt32 {
    let escape = octets[index + 1]
    index += 2
    switch escape {
    case 0x62: return 8
    case 0x66: return 12
    case 0x6e: return 10
    case 0x72: return 13
    case 0x74: return 9
    case 0x75:
      var scalar: UInt32 = 0
      for offset in 0..<4 { scalar = scalar << 4 | UInt32(octets[index + offset].hexValue ?? 0) }
      index += 4
      return scalar
    default: return UInt32(escape)
    }
  }
}
