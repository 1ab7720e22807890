/// A number that stands for the beginning of a prompt, so that requests which share it can go to the replica that has it in
/// its cache: of `prompt`, or of the first message of a user in `messages`, whichever comes first in the body.
///
/// The same text gives the same number in every process. Text is taken as it is written, escapes and all: a client writes
/// one text one way.
public enum PrefixKey {
  /// - Parameters:
  ///   - body: JSON.
  ///   - length: how many bytes of the text count; what follows does not matter.
  /// - Returns: nil when the body is no JSON object or holds no such text.
  public static func hash(_ body: Span<UInt8>, length: Int) -> UInt64? {
    var scanner = JSONScanner()
    return try? firstText(&scanner, body).map { range in
      hash(body, range.lowerBound..<min(range.upperBound, range.lowerBound + length))
    }
  }

  private static func firstText(_ scanner: inout JSONScanner, _ body: Span<UInt8>) throws(JSONScanError) -> Range<Int>?
  {
    var found: Range<Int>?
    try scanner.members(body) { scanner, key throws(JSONScanError) in
      if body.equals(key, "prompt"), try scanner.peek(body) == 0x22 {
        found = try scanner.string(body).range
      } else if body.equals(key, "messages"), try scanner.peek(body) == 0x5b {
        found = try firstUserText(&scanner, body)
      } else {
        try scanner.skipValue(body)
      }
      return found == nil
    }
    return found
  }

  private static func firstUserText(
    _ scanner: inout JSONScanner, _ body: Span<UInt8>
  ) throws(JSONScanError) -> Range<Int>? {
    var found: Range<Int>?
    try scanner.elements(body) { scanner throws(JSONScanError) in
      guard try scanner.peek(body) == 0x7b else {
        try scanner.skipValue(body)
        return true
      }
      var isUser = false
      var text: Range<Int>?
      try scanner.members(body) { scanner, key throws(JSONScanError) in
        let start = scanner.position
        if body.equals(key, "content") {
          text = try contentText(&scanner, body)
        } else {
          try scanner.skipValue(body)
          if body.equals(key, "role") { isUser = body.equals(start..<scanner.position, "\"user\"") }
        }
        return true
      }
      if isUser { found = text }
      return !isUser
    }
    return found
  }

  /// The content itself, or the first text among its parts.
  private static func contentText(
    _ scanner: inout JSONScanner, _ body: Span<UInt8>
  ) throws(JSONScanError) -> Range<Int>? {
    switch try scanner.peek(body) {
    case 0x22: return try scanner.string(body).range
    case 0x5b:
      var found: Range<Int>?
      try scanner.elements(body) { scanner throws(JSONScanError) in
        guard try scanner.peek(body) == 0x7b else {
          try scanner.skipValue(body)
          return true
        }
        try scanner.members(body) { scanner, key throws(JSONScanError) in
          if found == nil, body.equals(key, "text"), try scanner.peek(body) == 0x22 {
            found = try scanner.string(body).range
          } else {
            try scanner.skipValue(body)
          }
          return true
        }
        return true
      }
      return found
    default:
      try scanner.skipValue(body)
      return nil
    }
  }

  /// FNV-1a, 64 bits (draft-eastlake-fnv), its high bits mixed into the low ones.
  private static func hash(_ body: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in range { hash = (hash ^ UInt64(body[index])) &* 0x100_0000_01B3 }
    return hash ^ hash >> 32
  }
}

extension JSONScanner {
  /// Steps through an object, one member after the other: `visit` gets the key and stands before the value, which it must
  /// step over. It answers whether to go on; if not, the scanner stays where it is.
  fileprivate mutating func members(
    _ octets: Span<UInt8>,
    _ visit: (inout JSONScanner, Range<Int>) throws(JSONScanError) -> Bool
  ) throws(JSONScanError) {
    skipBlanks(octets)
    try expect(0x7b, octets)
    skipBlanks(octets)
    if try peek(octets) == 0x7d {
      position += 1
      return
    }
    while true {
      skipBlanks(octets)
      let key = try string(octets)
      skipBlanks(octets)
      try expect(0x3a, octets)
      skipBlanks(octets)
      guard try visit(&self, key.range) else { return }
      guard try continues(octets, until: 0x7d) else { return }
    }
  }

  /// The same with an array's elements.
  fileprivate mutating func elements(
    _ octets: Span<UInt8>, _ visit: (inout JSONScanner) throws(JSONScanError) -> Bool
  ) throws(JSONScanError) {
    try expect(0x5b, octets)
    skipBlanks(octets)
    if try peek(octets) == 0x5d {
      position += 1
      return
    }
    while true {
      skipBlanks(octets)
      guard try visit(&self) else { return }
      guard try continues(octets, until: 0x5d) else { return }
    }
  }

  private mutating func continues(_ octets: Span<UInt8>, until end: UInt8) throws(JSONScanError) -> Bool {
    skipBlanks(octets)
    let next = try peek(octets)
    guard next == 0x2c || next == end else { throw fail("expected ',' or a closing bracket") }
    position += 1
    return next == 0x2c
  }
}
