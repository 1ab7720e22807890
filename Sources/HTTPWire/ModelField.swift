/// What a gateway must know of a JSON request body: the top-level members `model`, `stream` and the bound on output tokens.
///
/// The whole body is checked to be one JSON object, so that no later reader can see another `model` than this one did.
/// Readers differ in which of two members of one name they take, and some compare names without regard to case (Go's
/// encoding/json), so that a body whose top level names `model` twice, or in other letters, is refused as ambiguous. Of the
/// other members given twice the last one counts. Names are compared after their escapes are resolved; members of nested
/// objects never count.
public struct ModelField: Hashable, Sendable {
  /// The value of `model`; nil when absent.
  public private(set) var model: String?
  /// The value of `stream`, false when absent or not a boolean.
  public private(set) var stream = false
  /// `max_completion_tokens`, else `max_tokens`, where it is a whole number.
  public private(set) var maxOutputTokens: Int?
  /// Where the value of `model` stands, quotes included; nil when absent.
  public private(set) var valueRange: Range<Int>?

  /// Scans `body`. Throws when it is not a JSON object, `model` is not a string, or readers could take different members
  /// for `model`.
  public init(scanning body: [UInt8]) throws(JSONScanError) { try self.init(scanning: body.span) }

  public init(scanning body: Span<UInt8>) throws(JSONScanError) {
    var scanner = JSONScanner()
    scanner.skipBlanks(body)
    try scanner.expect(0x7b, body)
    scanner.skipBlanks(body)
    var legacyTokens: Int?
    if try scanner.peek(body) == 0x7d {
      scanner.position += 1
    } else {
      repeat {
        scanner.skipBlanks(body)
        let keyStart = scanner.position
        let key = try scanner.string(body)
        scanner.skipBlanks(body)
        try scanner.expect(0x3a, body)
        scanner.skipBlanks(body)
        let start = scanner.position
        switch Member(body, key.range, isEscaped: key.isEscaped) {
        case .model: try readModel(&scanner, body, keyStart: keyStart)
        case .modelInOtherCase: throw Self.ambiguity("a key differs from \"model\" only in case", at: keyStart)
        case .stream:
          try scanner.skipValue(body)
          stream = body.equals(start..<scanner.position, "true")
        case .maxCompletionTokens:
          try scanner.skipValue(body)
          maxOutputTokens = body.wholeNumber(start..<scanner.position)
        case .maxTokens:
          try scanner.skipValue(body)
          legacyTokens = body.wholeNumber(start..<scanner.position)
        case .other: try scanner.skipValue(body)
        }
        scanner.skipBlanks(body)
      } while try scanner.takesComma(body)
      try scanner.expect(0x7d, body)
    }
    scanner.skipBlanks(body)
    guard scanner.position == body.count else { throw scanner.fail("something follows the object") }
    maxOutputTokens = maxOutputTokens ?? legacyTokens
  }

  private mutating func readModel(
    _ scanner: inout JSONScanner, _ body: Span<UInt8>, keyStart: Int
  ) throws(JSONScanError) {
    guard valueRange == nil else { throw Self.ambiguity("\"model\" stands there more than once", at: keyStart) }
    let start = scanner.position
    guard try scanner.peek(body) == 0x22 else { throw scanner.fail("\"model\" is not a string") }
    let value = try scanner.string(body)
    guard let text = JSONScanner.text(body, value.range, isEscaped: value.isEscaped) else {
      throw JSONScanError(reason: "\"model\" is not valid Unicode", offset: start)
    }
    model = text
    valueRange = start..<scanner.position
  }

  private static func ambiguity(_ reason: String, at offset: Int) -> JSONScanError {
    JSONScanError(reason: reason, offset: offset, isAmbiguous: true)
  }

  /// `body`, the bytes this was found in, with the value of `model` replaced by `name`; no other byte changes.
  public func rewriting(_ body: [UInt8], to name: String) -> [UInt8] {
    guard let range = valueRange else { return body }
    let value = Self.encoded(name)
    var result: [UInt8] = []
    result.reserveCapacity(body.count - range.count + value.count)
    result.append(contentsOf: body[..<range.lowerBound])
    result.append(contentsOf: value)
    result.append(contentsOf: body[range.upperBound...])
    return result
  }

  /// Whether the server would find another name than `name`.
  public func needsRewriting(to name: String) -> Bool { model != name }

  private static func encoded(_ name: String) -> [UInt8] {
    var value: [UInt8] = [0x22]
    for octet in name.utf8 {
      switch octet {
      case 0x22, 0x5c:
        value.append(0x5c)
        value.append(octet)
      case 0..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        value.append(contentsOf: "\\u00".utf8)
        value.append(digits[Int(octet >> 4)])
        value.append(digits[Int(octet & 15)])
      default: value.append(octet)
      }
    }
    value.append(0x22)
    return value
  }

  private enum Member {
    case model
    case modelInOtherCase
    case stream
    case maxTokens
    case maxCompletionTokens
    case other

    /// Octets of the longest name.
    private static let longest = 21

    init(_ body: Span<UInt8>, _ range: Range<Int>, isEscaped: Bool) {
      guard isEscaped else {
        self.init(plain: body, range)
        return
      }
      // An escape takes six octets at most: a longer key is none of ours, and is not resolved.
      guard range.count <= 6 * Self.longest else {
        self = .other
        return
      }
      var name = InlineArray<21, UInt8>(repeating: 0)
      var count = 0
      var index = range.lowerBound
      while index < range.upperBound {
        var octet = UInt32(body[index])
        if octet == 0x5c { octet = JSONScanner.unescaped(body, &index) } else { index += 1 }
        guard octet < 0x80, count < Self.longest else {
          self = .other
          return
        }
        name[count] = UInt8(octet)
        count += 1
      }
      self.init(plain: name.span, 0..<count)
    }

    private init(plain octets: Span<UInt8>, _ range: Range<Int>) {
      self =
        switch range.count {
        case 5 where octets.equals(range, "model"): .model
        // Only letters: no other octet becomes one of these by the bit that tells upper from lower case.
        case 5 where octets.matches(range, "model"): .modelInOtherCase
        case 6 where octets.equals(range, "stream"): .stream
        case 10 where octets.equals(range, "max_tokens"): .maxTokens
        case 21 where octets.equals(range, "max_completion_tokens"): .maxCompletionTokens
        default: .other
        }
    }
  }
}

extension JSONScanner {
  fileprivate mutating func takesComma(_ octets: Span<UInt8>) throws(JSONScanError) -> Bool {
    guard try peek(octets) == 0x2c else { return false }
    position += 1
    return true
  }
}

extension Span<UInt8> {
  fileprivate func wholeNumber(_ range: Range<Int>) -> Int? {
    guard !range.isEmpty, range.count <= 18 else { return nil }
    var number = 0
    for index in range {
      guard self[index].isDigit else { return nil }
      number = number * 10 + Int(self[index] - 0x30)
    }
    return number
  }
}
