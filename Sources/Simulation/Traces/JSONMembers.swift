/// The members of one JSON object on one line (RFC 8259), in order, without building values.
struct JSONMembers {
  struct Member {
    /// Between its quotes, escapes and all.
    var name: LineBytes
    /// A string between its quotes; else the value's text.
    var value: LineBytes
    var isString: Bool
    var isNull: Bool { !isString && value.equals("null") }
  }

  /// Deeper nesting is refused.
  static let mostDepth = 32
  private let line: LineBytes
  private var position = 0
  private var isStarted = false

  init(_ line: LineBytes) { self.line = line }

  /// The next member; nil: the object has ended, and so has the line.
  mutating func next() throws(RowProblem) -> Member? {
    skipBlanks()
    if !isStarted {
      try take(UInt8(ascii: "{"), "an object")
      isStarted = true
      skipBlanks()
      if peek == UInt8(ascii: "}") { return try end() }
    } else if peek == UInt8(ascii: "}") {
      return try end()
    } else {
      try take(UInt8(ascii: ","), "a comma or }")
      skipBlanks()
    }
    let name = try string("a member's name in quotes")
    skipBlanks()
    try take(UInt8(ascii: ":"), "a colon")
    skipBlanks()
    if peek == UInt8(ascii: "\"") {
      return Member(name: name, value: try string("a string"), isString: true)
    }
    let start = position
    try skipValue()
    return Member(name: name, value: line.part(start, position), isString: false)
  }

  private mutating func end() throws(RowProblem) -> Member? {
    position += 1
    skipBlanks()
    guard position == line.count else { throw problem("the end of the line") }
    return nil
  }

  private var peek: UInt8 { position < line.count ? line[position] : 0 }

  private mutating func skipBlanks() {
    while position < line.count, line[position].isLineSpace { position += 1 }
  }

  private mutating func take(_ octet: UInt8, _ what: StaticString) throws(RowProblem) {
    guard peek == octet else { throw problem(what) }
    position += 1
  }

  private mutating func string(_ what: StaticString) throws(RowProblem) -> LineBytes {
    try take(UInt8(ascii: "\""), what)
    let start = position
    while position < line.count, line[position] != UInt8(ascii: "\"") {
      position += line[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < line.count else {
      position = line.count
      throw problem("a closing quote")
    }
    position += 1
    return line.part(start, position - 1)
  }

  /// Over a number, a word, an array or an object; of the latter two only quotes and brackets are checked.
  private mutating func skipValue() throws(RowProblem) {
    guard peek == UInt8(ascii: "[") || peek == UInt8(ascii: "{") else {
      let start = position
      while position < line.count, Self.isWord(line[position]) { position += 1 }
      if position == start { throw problem("a value") }
      return
    }
    var depth = 0
    repeat {
      guard position < line.count else { throw problem("a closing bracket") }
      switch line[position] {
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        if depth > Self.mostDepth { throw RowProblem("values are nested more than \(Self.mostDepth) deep") }
        position += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        position += 1
      case UInt8(ascii: "\""): _ = try string("a string")
      default: position += 1
      }
    } while depth > 0
  }

  private static func isWord(_ octet: UInt8) -> Bool {
    switch octet {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): true
    default: false
    }
  }

  private func problem(_ expected: StaticString) -> RowProblem {
    RowProblem("this is no JSON object: \(expected) should stand at column \(position + 1)")
  }
}
