import KubernetesAPI

/// JSON values as YAML in block style, for people to read: keys sorted, two spaces, no anchors, no folding.
public enum BlockYAML {
  /// The text of one document, ending in a line break.
  public static func text(_ value: JSONValue) -> String {
    var output = ""
    write(value, indent: 0, to: &output)
    return output
  }

  private static func write(_ value: JSONValue, indent: Int, to output: inout String) {
    let margin = String(repeating: " ", count: indent)
    switch value {
    case .object(let members) where !members.isEmpty:
      for key in members.keys.sorted() {
        output += margin + scalar(key) + ":"
        writeMember(members[key] ?? .null, indent: indent, to: &output)
      }
    case .array(let elements) where !elements.isEmpty:
      for element in elements {
        var nested = ""
        write(element, indent: indent + 2, to: &nested)
        output += margin + "- " + nested.dropFirst(indent + 2)
      }
    case .string(let text): output += margin + scalar(text) + "\n"
    default: output += margin + value.text + "\n"
    }
  }

  private static func writeMember(_ value: JSONValue, indent: Int, to output: inout String) {
    switch value {
    case .object(let members) where !members.isEmpty:
      output += "\n"
      write(value, indent: indent + 2, to: &output)
    case .array(let elements) where !elements.isEmpty:
      output += "\n"
      write(value, indent: indent, to: &output)
    default:
      output += " "
      write(value, indent: 0, to: &output)
    }
  }

  /// Plain where no YAML version could read it as anything but this text, quoted otherwise.
  private static func scalar(_ text: String) -> String {
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      return JSONValue.string(text).text
    }
    return isPlain(text)
      ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.utf8.first, let last = text.utf8.last else { return false }
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    // A dot: JSON paths.
    guard letters.contains(first | 0x20) || first == UInt8(ascii: ".") && text.utf8.count > 5 else { return false }
    guard last != UInt8(ascii: ":"), last != UInt8(ascii: " ") else { return false }
    let bytes = Array(text.utf8)
    for (byte, next) in zip(bytes, bytes.dropFirst()) {
      if byte == UInt8(ascii: ":"), next == UInt8(ascii: " ") { return false }
      if byte == UInt8(ascii: " "), next == UInt8(ascii: "#") { return false }
    }
    return !words.contains(text.lowercased())
  }

  /// What YAML 1.1 takes for a boolean or null.
  private static let words: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
}
