/// The fields of a received head: offsets into its bytes. Nothing is decoded until it is asked for.
///
/// Iteration yields every field line in the order received. Look-ups compare names without regard to ASCII case.
public struct HTTPHeaders: Sequence, Sendable {
  /// One field line, as offsets from the head's first byte.
  public struct Line: Sendable {
    var nameStart: UInt32
    var valueStart: UInt32
    var valueLength: UInt32
    var nameLength: UInt16
    /// The field, if it is a known one.
    public internal(set) var field: KnownField

    public var name: Range<Int> { Int(nameStart)..<Int(nameStart) + Int(nameLength) }
    /// Without the blanks around it.
    public var value: Range<Int> { Int(valueStart)..<Int(valueStart) + Int(valueLength) }
  }

  let octets: [UInt8]
  let lines: [Line]

  init(octets: [UInt8], lines: [Line]) {
    self.octets = octets
    self.lines = lines
  }

  /// A table of the given fields, for tests and for heads made by hand.
  public init(_ fields: [(String, String)]) {
    var octets: [UInt8] = []
    var lines: [Line] = []
    for (name, value) in fields {
      let start = octets.count
      octets.append(contentsOf: name.utf8)
      let valueStart = octets.count
      octets.append(contentsOf: value.utf8)
      lines.append(
        Line(
          nameStart: UInt32(start), valueStart: UInt32(valueStart), valueLength: UInt32(octets.count - valueStart),
          nameLength: UInt16(clamping: valueStart - start), field: KnownField(name: name)))
    }
    self.init(octets: octets, lines: lines)
  }

  /// The number of field lines.
  public var count: Int { lines.count }

  /// The value of the first field line of that name.
  public func first(_ name: String) -> String? {
    guard let index = index(of: name, from: 0) else { return nil }
    return text(lines[index].value)
  }

  /// The values of all field lines of that name, in order.
  public func all(_ name: String) -> [String] {
    var values: [String] = []
    var next = 0
    while let index = index(of: name, from: next) {
      values.append(text(lines[index].value))
      next = index + 1
    }
    return values
  }

  /// Whether there is a field line of that name.
  public func contains(_ name: String) -> Bool { index(of: name, from: 0) != nil }

  /// The value of the first line of a known field, without comparing names.
  public func first(_ field: KnownField) -> String? {
    for line in lines where line.field == field { return text(line.value) }
    return nil
  }

  /// Calls `body` with the raw bytes of each field line in order: name, value, and the field if it is a known one.
  /// The bytes are valid during the call only.
  public func forEachLine(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, KnownField) -> Void) {
    octets.withUnsafeBytes { bytes in
      for line in lines {
        body(
          UnsafeRawBufferPointer(rebasing: bytes[line.name]), UnsafeRawBufferPointer(rebasing: bytes[line.value]),
          line.field)
      }
    }
  }

  public struct Iterator: IteratorProtocol {
    let headers: HTTPHeaders
    var position = 0

    public mutating func next() -> (name: String, value: String)? {
      guard position < headers.lines.count else { return nil }
      let line = headers.lines[position]
      position += 1
      return (headers.text(line.name), headers.text(line.value))
    }
  }

  public func makeIterator() -> Iterator { Iterator(headers: self) }

  /// Whether any line of `field`, read as a comma-separated list, holds `token` (lowercase, compared without case).
  public func lists(_ token: StaticString, in field: KnownField) -> Bool {
    let span = octets.span
    for line in lines where line.field == field {
      var rest = line.value
      while let element = span.nextListElement(&rest) {
        if span.matches(element, token) { return true }
      }
    }
    return false
  }

  func text(_ range: Range<Int>) -> String { String(decoding: octets[range], as: UTF8.self) }

  private func index(of name: String, from start: Int) -> Int? {
    var name = name
    return name.withUTF8 { wanted in
      var index = start
      while index < lines.count {
        if equal(lines[index], wanted) { return index }
        index += 1
      }
      return nil
    }
  }

  private func equal(_ line: Line, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
    guard Int(line.nameLength) == wanted.count else { return false }
    let start = Int(line.nameStart)
    for index in 0..<wanted.count {
      let left = octets[start + index]
      let right = wanted[index]
      if left == right { continue }
      let folded = left | 0x20
      guard folded == right | 0x20, folded >= 0x61, folded <= 0x7a else { return false }
    }
    return true
  }
}

extension Span<UInt8> {
  /// Takes the next element of a comma-separated list off the front of `rest`, blanks and empty elements dropped.
  func nextListElement(_ rest: inout Range<Int>) -> Range<Int>? {
    while !rest.isEmpty {
      var end = rest.lowerBound
      while end < rest.upperBound, self[end] != 0x2c { end += 1 }
      let element = trimmingBlanks(rest.lowerBound..<end)
      rest = Swift.min(end + 1, rest.upperBound)..<rest.upperBound
      if !element.isEmpty { return element }
    }
    return nil
  }

  func trimmingBlanks(_ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, self[start].isBlank { start += 1 }
    while end > start, self[end - 1].isBlank { end -= 1 }
    return start..<end
  }
}
