import FoundationEssentials

/// A record as one line of text, without the newline. Pure: the sink that owns a clock passes the time.
public enum LogFormat {
  /// One JSON object: `{"time":"…Z","level":"info","message":"woke","service":"default/llama"}`. A field named like one of
  /// the first three gets an underscore behind it.
  public static func json(_ record: LogRecord, at time: Date) -> String {
    var line = "{\"time\":\"\(timestamp(time))\",\"level\":\"\(record.level.name)\",\"message\":"
    appendQuoted(record.message, to: &line)
    for field in record.fields {
      line += ","
      appendQuoted(isReserved(field.name) ? "\(field.name)_" : field.name, to: &line)
      line += ":"
      switch field.value {
      case .string(let text): appendQuoted(text, to: &line)
      case .integer(let number): line += String(number)
      case .double(let number) where number.isFinite: line += String(number)
      case .double(let number): appendQuoted(String(number), to: &line)
      case .bool(let flag): line += flag ? "true" : "false"
      }
    }
    return line + "}"
  }

  /// For people: `2026-01-02T03:04:05.678Z INFO  woke service=default/llama seconds=3.2`. Values with blanks are quoted.
  public static func text(_ record: LogRecord, at time: Date) -> String {
    let level = record.level.name.uppercased()
    var line = "\(timestamp(time)) \(level)\(String(repeating: " ", count: max(0, 7 - level.count))) "
    line += singleLine(record.message)
    for field in record.fields {
      line += " \(field.name)="
      switch field.value {
      case .string(let text) where text.isEmpty || text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x22 }):
        appendQuoted(text, to: &line)
      case .string(let text): line += text
      case .integer(let number): line += String(number)
      case .double(let number): line += String(number)
      case .bool(let flag): line += String(flag)
      }
    }
    return line
  }

  private static func isReserved(_ name: String) -> Bool { name == "time" || name == "level" || name == "message" }

  private static func timestamp(_ time: Date) -> String {
    var octets: [UInt8] = []
    UTCTimestamp.append(time.timeIntervalSince1970, to: &octets)
    return String(decoding: octets, as: UTF8.self)
  }

  // A stranger's text must not be able to forge a second line.
  private static func singleLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 0x20 }) else { return text }
    var quoted = ""
    appendQuoted(text, to: &quoted)
    return quoted
  }

  private static func appendQuoted(_ text: String, to line: inout String) {
    line += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": line += "\\\""
      case "\\": line += "\\\\"
      case "\n": line += "\\n"
      case "\r": line += "\\r"
      case "\t": line += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: line.unicodeScalars.append(scalar)
      }
    }
    line += "\""
  }
}
