/// `Prefer` (RFC 7240): how long a client is ready to wait.
public enum PreferHeader {
  /// The `wait` preference in whole seconds, nil when absent or not a number. Of several, the first holds (RFC 7240, 2).
  public static func wait(in values: [String]) -> Duration? {
    for value in values {
      for preference in HeaderText.split(value, on: ",") {
        let first = HeaderText.split(preference, on: ";").first ?? ""
        let parts = first.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, HeaderText.trim(parts[0]).lowercased() == "wait" else { continue }
        return HeaderText.seconds(HeaderText.unquote(HeaderText.trim(parts[1])))
      }
    }
    return nil
  }
}

/// `Priority` (RFC 9218): how urgent a request is.
public struct PriorityHeader: Hashable, Sendable {
  /// 0, the most urgent, to 7; 3 unless said otherwise.
  public var urgency: Int
  /// Whether the response is of use in pieces.
  public var isIncremental: Bool

  public init(urgency: Int = 3, isIncremental: Bool = false) {
    self.urgency = urgency
    self.isIncremental = isIncremental
  }

  /// Reads the field's dictionary (RFC 8941, 3.2). Of a repeated member the last holds; an unknown member, a value out
  /// of range or of the wrong type is ignored, as RFC 9218, 4 asks.
  public init(_ values: [String]) {
    self.init()
    for member in values.flatMap({ HeaderText.split($0, on: ",") }) {
      let item = HeaderText.split(member, on: ";").first ?? ""
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count == 2 ? String(parts[1]) : "?1"
      switch parts.first {
      case "u": if let level = Int(value), (0...7).contains(level), value.count == 1 { urgency = level }
      case "i": if value == "?1" || value == "?0" { isIncremental = value == "?1" }
      default: break
      }
    }
  }
}

private enum HeaderText {
  /// Splits on `separator` outside of quoted strings, blanks trimmed, empty elements dropped.
  static func split(_ text: some StringProtocol, on separator: Character) -> [String] {
    var parts: [String] = []
    var current = ""
    var isQuoted = false
    var isEscaped = false
    for character in text {
      if isEscaped {
        isEscaped = false
      } else if isQuoted, character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
      } else if character == separator, !isQuoted {
        parts.append(trim(current))
        current = ""
        continue
      }
      current.append(character)
    }
    parts.append(trim(current))
    return parts.filter { !$0.isEmpty }
  }

  static func trim(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return String(rest)
  }

  static func unquote(_ text: String) -> String {
    text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"") ? String(text.dropFirst().dropLast()) : text
  }

  /// `delta-seconds`: digits only, at most nine of them.
  static func seconds(_ text: String) -> Duration? {
    guard !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy(\.isDigit) else { return nil }
    return Int(text).map { .seconds($0) }
  }
}
