extension JSONValue {
  /// Compact JSON with sorted keys.
  public var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.write(self)
    return writer.output
  }

  /// Compact JSON with sorted keys, as text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// JSON with sorted keys, indented by two spaces, for people.
  public var prettyText: String {
    var writer = JSONWriter()
    writer.writePretty(self, indent: 0)
    return String(decoding: writer.output, as: UTF8.self)
  }
}

private struct JSONWriter {
  var output: [UInt8] = []

  mutating func write(_ value: JSONValue) {
    switch value {
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        write(element)
      }
      output.append(UInt8(ascii: "]"))
    case .object(let members):
      output.append(UInt8(ascii: "{"))
      for (index, key) in members.keys.sorted().enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        writeString(key)
        output.append(UInt8(ascii: ":"))
        write(members[key] ?? .null)
      }
      output.append(UInt8(ascii: "}"))
    default: writeScalar(value)
    }
  }

  mutating func writePretty(_ value: JSONValue, indent: Int) {
    switch value {
    case .array(let elements) where !elements.isEmpty:
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        newline(indent + 1, first: index == 0)
        writePretty(element, indent: indent + 1)
      }
      newline(indent, first: true)
      output.append(UInt8(ascii: "]"))
    case .object(let members) where !members.isEmpty:
      output.append(UInt8(ascii: "{"))
      for (index, key) in members.keys.sorted().enumerated() {
        newline(indent + 1, first: index == 0)
        writeString(key)
        output.append(contentsOf: [UInt8(ascii: ":"), 0x20])
        writePretty(members[key] ?? .null, indent: indent + 1)
      }
      newline(indent, first: true)
      output.append(UInt8(ascii: "}"))
    default: write(value)
    }
  }

  private mutating func newline(_ indent: Int, first: Bool) {
    if !first { output.append(UInt8(ascii: ",")) }
    output.append(0x0A)
    for _ in 0..<indent * 2 { output.append(0x20) }
  }

  private mutating func writeScalar(_ value: JSONValue) {
    switch value {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
    case .integer(let number): output.append(contentsOf: String(number).utf8)
    case .double(let number): output.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
    case .string(let text): writeString(text)
    case .array, .object: break
    }
  }

  private mutating func writeString(_ text: String) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0x0A: output.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
      case 0x0D: output.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "r")])
      case 0x09: output.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "t")])
      case 0..<0x20:
        output.append(contentsOf: "\\u00".utf8)
        output.append(Self.hexDigits[Int(byte >> 4)])
        output.append(Self.hexDigits[Int(byte & 15)])
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)
}
