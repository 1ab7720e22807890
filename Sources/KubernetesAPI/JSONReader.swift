/// Why some bytes are not JSON (RFC 8259): what was met, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  public var message: String
  /// Offset of the offending byte.
  public var offset: Int
  public var description: String { "\(message) at byte \(offset)" }
}

/// Walks JSON text (RFC 8259) value by value, and checks all that it passes. What is not asked for is not made: of a large text
/// one can take the few members that matter, and know that the rest is JSON.
///
///     var reader = JSONReader(bytes)
///     try reader.enterObject()
///     while let name = try reader.nextMember() {
///       if reader.bytes[name].elementsEqual("kind".utf8) { kind = try reader.string() } else { try reader.skipValue() }
///     }
///     try reader.end()
public struct JSONReader {
  public let bytes: [UInt8]
  /// Offset of what comes next.
  public private(set) var index = 0
  /// Objects and arrays that have not ended.
  private var depth = 0
  /// A member or element came before in the innermost of them.
  private var isAfterFirst = false

  /// Bounds the nesting, and with it the stack that a stranger's text can use.
  static let maximumDepth = 512

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  func fail(_ message: String) -> JSONError { JSONError(message: message, offset: index) }

  private mutating func skipWhitespace() {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x09, 0x0A, 0x0D: index += 1
      default: return
      }
    }
  }

  /// The first byte of the next value, or whatever is there instead.
  mutating func peek() throws(JSONError) -> UInt8 {
    skipWhitespace()
    guard index < bytes.count else { throw fail("unexpected end of JSON input") }
    return bytes[index]
  }

  /// Whether the next value is null, or nothing that any value begins with.
  public mutating func isNull() throws(JSONError) -> Bool { try peek() == UInt8(ascii: "n") }

  /// Whether the next value is a string.
  public mutating func isString() throws(JSONError) -> Bool { try peek() == UInt8(ascii: "\"") }

  /// Only white space may follow the text's value.
  public mutating func end() throws(JSONError) {
    skipWhitespace()
    guard index == bytes.count else { throw fail("unexpected text after the value") }
  }
}

// MARK: - Objects and arrays

extension JSONReader {
  /// Steps into an object: its members come with ``nextMember()``.
  public mutating func enterObject() throws(JSONError) {
    guard try peek() == UInt8(ascii: "{") else { throw fail("expected an object") }
    try enter()
  }

  /// Steps into an array: its elements come with ``nextElement()``.
  public mutating func enterArray() throws(JSONError) {
    guard try peek() == UInt8(ascii: "[") else { throw fail("expected an array") }
    try enter()
  }

  private mutating func enter() throws(JSONError) {
    index += 1
    depth += 1
    guard depth <= Self.maximumDepth else { throw fail("nested deeper than \(Self.maximumDepth) levels") }
    isAfterFirst = false
  }

  private mutating func leave() {
    index += 1
    depth -= 1
    // What ended is itself a member or an element.
    isAfterFirst = true
  }

  /// The next member's name as it is written between its quotes; its value follows. Nil: the object has ended.
  public mutating func nextMember() throws(JSONError) -> Range<Int>? {
    guard try next(before: UInt8(ascii: "}"), "expected ',' or '}'") else { return nil }
    guard try peek() == UInt8(ascii: "\"") else { throw fail("expected a member name") }
    let name = try skipString()
    try checkText(of: name)
    guard try peek() == UInt8(ascii: ":") else { throw fail("expected ':'") }
    index += 1
    isAfterFirst = true
    return name.range
  }

  /// Whether another element follows; false: the array has ended.
  public mutating func nextElement() throws(JSONError) -> Bool {
    guard try next(before: UInt8(ascii: "]"), "expected ',' or ']'") else { return false }
    isAfterFirst = true
    return true
  }

  private mutating func next(before end: UInt8, _ expectation: String) throws(JSONError) -> Bool {
    let byte = try peek()
    if byte == end {
      leave()
      return false
    }
    guard isAfterFirst else { return true }
    guard byte == UInt8(ascii: ",") else { throw fail(expectation) }
    index += 1
    return true
  }

  /// Passes a value of any kind.
  public mutating func skipValue() throws(JSONError) {
    switch try peek() {
    case UInt8(ascii: "{"):
      try enter()
      while try nextMember() != nil { try skipValue() }
    case UInt8(ascii: "["):
      try enter()
      while try nextElement() { try skipValue() }
    case UInt8(ascii: "\""): try checkText(of: try skipString())
    default: _ = try scalar()
    }
  }
}

// MARK: - Scalars

extension JSONReader {
  /// Reads a string.
  public mutating func string() throws(JSONError) -> String {
    guard try peek() == UInt8(ascii: "\"") else { throw fail("expected a string") }
    return try text(of: try skipString())
  }

  /// The text of a string that was passed: ``nextMember()`` gives that of a name.
  func text(of name: Range<Int>) throws(JSONError) -> String {
    try text(of: (name, bytes[name].contains(UInt8(ascii: "\\"))))
  }

  /// Reads a number or a word.
  mutating func scalar() throws(JSONError) -> JSONValue {
    switch try peek() {
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw fail("unexpected character")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    for offset in 0..<word.utf8CodeUnitCount {
      guard index < bytes.count, bytes[index] == word.utf8Start[offset] else { throw fail("unexpected character") }
      index += 1
    }
    return value
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = index
    if bytes[index] == UInt8(ascii: "-") { index += 1 }
    guard index < bytes.count, isDigit(bytes[index]) else { throw fail("expected a digit") }
    if bytes[index] == UInt8(ascii: "0"), index + 1 < bytes.count, isDigit(bytes[index + 1]) {
      throw fail("a number must not start with 0")
    }
    skipDigits()
    var isInteger = true
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      isInteger = false
      index += 1
      guard index < bytes.count, isDigit(bytes[index]) else { throw fail("expected a digit") }
      skipDigits()
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      index += 1
      if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
      guard index < bytes.count, isDigit(bytes[index]) else { throw fail("expected a digit") }
      skipDigits()
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if isInteger, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw fail("number out of range") }
    return .double(value)
  }

  private mutating func skipDigits() { while index < bytes.count, isDigit(bytes[index]) { index += 1 } }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}

// MARK: - Strings

extension JSONReader {
  /// Passes a string: its range between the quotes, and whether it has escapes, which are not looked at yet.
  private mutating func skipString() throws(JSONError) -> (range: Range<Int>, hasEscapes: Bool) {
    index += 1
    let start = index
    var hasEscapes = false
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        defer { index += 1 }
        return (start..<index, hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        index += 2
      case 0..<0x20: throw fail("control character in a string")
      default: index += 1
      }
    }
    index = bytes.count
    throw fail("unexpected end of JSON input")
  }

  private func text(of string: (range: Range<Int>, hasEscapes: Bool)) throws(JSONError) -> String {
    let text: String?
    if string.hasEscapes {
      var unescaping = JSONUnescaping(bytes: bytes, range: string.range)
      text = String(validating: try unescaping.unescaped(), as: UTF8.self)
    } else {
      text = String(validating: bytes[string.range], as: UTF8.self)
    }
    guard let text else { throw fail("invalid UTF-8 in a string") }
    return text
  }

  /// The same without the text. Of ASCII without escapes there is nothing to check.
  private func checkText(of string: (range: Range<Int>, hasEscapes: Bool)) throws(JSONError) {
    if string.hasEscapes || bytes[string.range].contains(where: { $0 >= 0x80 }) { _ = try text(of: string) }
  }
}

/// Replaces the escapes of a string (RFC 8259, section 7).
private struct JSONUnescaping {
  let bytes: [UInt8]
  let range: Range<Int>
  var index: Int

  init(bytes: [UInt8], range: Range<Int>) {
    self.bytes = bytes
    self.range = range
    index = range.lowerBound
  }

  private func fail(_ message: String) -> JSONError { JSONError(message: message, offset: index) }

  mutating func unescaped() throws(JSONError) -> [UInt8] {
    var buffer: [UInt8] = []
    buffer.reserveCapacity(range.count)
    while index < range.upperBound {
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\\") { try unescape(into: &buffer) } else { buffer.append(byte) }
    }
    return buffer
  }

  private mutating func unescape(into buffer: inout [UInt8]) throws(JSONError) {
    let byte = bytes[index]
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
    case UInt8(ascii: "b"): buffer.append(0x08)
    case UInt8(ascii: "f"): buffer.append(0x0C)
    case UInt8(ascii: "n"): buffer.append(0x0A)
    case UInt8(ascii: "r"): buffer.append(0x0D)
    case UInt8(ascii: "t"): buffer.append(0x09)
    case UInt8(ascii: "u"): buffer.append(contentsOf: Array(String(Character(try scalar())).utf8))
    default: throw fail("unknown escape in a string")
    }
  }

  private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
    var code = try hex()
    if (0xD800..<0xDC00).contains(code), index + 1 < range.upperBound, bytes[index] == UInt8(ascii: "\\"),
      bytes[index + 1] == UInt8(ascii: "u")
    {
      let mark = index
      index += 2
      let low = try hex()
      if (0xDC00..<0xE000).contains(low) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
      } else {
        index = mark
      }
    }
    // A lone surrogate has no UTF-8 form; like Go's decoder, take U+FFFD.
    return Unicode.Scalar(code) ?? "\u{FFFD}"
  }

  private mutating func hex() throws(JSONError) -> UInt32 {
    guard index + 4 <= range.upperBound else { throw fail("bad \\u escape") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else { throw fail("bad \\u escape") }
      code = code << 4 | UInt32(digit)
      index += 1
    }
    return code
  }
}
