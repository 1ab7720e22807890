/// What can be wrong with a field, in the API server's words (apimachinery, `field.Error`).
extension KubernetesStatus.Cause {
  /// A value that is missing: `Required value`.
  static func required(_ field: String, _ detail: String = "") -> Self {
    make("FieldValueRequired", "Required value", field, detail)
  }

  /// A value that breaks a rule: `Invalid value: "x": detail`. A nil value is left out of the text, as the API server
  /// does for objects and lists.
  static func invalid(_ field: String, _ value: JSONValue?, _ detail: String) -> Self {
    make("FieldValueInvalid", "Invalid value" + shown(value), field, detail)
  }

  /// A value of the wrong JSON type. `value` is the type's name, or the text that is not of the wanted format.
  static func typeInvalid(_ field: String, _ value: JSONValue, _ detail: String) -> Self {
    make("FieldValueTypeInvalid", "Invalid value" + shown(value), field, detail)
  }

  /// A value outside an enumeration.
  static func notSupported(_ field: String, _ value: JSONValue, _ supported: [JSONValue]) -> Self {
    let words = supported.map { ($0.stringValue ?? $0.text).goQuoted }
    let detail = words.isEmpty ? "" : "supported values: " + words.joined(separator: ", ")
    return make("FieldValueNotSupported", "Unsupported value" + shown(value), field, detail)
  }

  /// A second element of a set or keyed list with the same value or key.
  static func duplicate(_ field: String, _ value: JSONValue) -> Self {
    make("FieldValueDuplicate", "Duplicate value" + shown(value), field, "")
  }

  /// A string longer than `maximum`.
  static func tooLong(_ field: String, _ maximum: Int) -> Self {
    make("FieldValueTooLong", "Too long", field, "may not be more than \(maximum) byte\(maximum == 1 ? "" : "s")")
  }

  /// A list or map with more than `maximum` entries.
  static func tooMany(_ field: String, _ actual: Int, _ maximum: Int) -> Self {
    make(
      "FieldValueTooMany", "Too many: \(actual)", field, "must have at most \(maximum) item\(maximum == 1 ? "" : "s")")
  }

  private static func make(_ reason: String, _ body: String, _ field: String, _ detail: String) -> Self {
    Self(reason: reason, message: detail.isEmpty ? body : "\(body): \(detail)", field: field)
  }

  private static func shown(_ value: JSONValue?) -> String {
    switch value {
    case nil: return ""
    case .string(let text): return ": \(text.goQuoted)"
    case .array, .object: return ": \(value?.htmlSafeText ?? "")"
    case .some(let scalar): return ": \(scalar.text)"
    }
  }
}

extension String {
  /// Quoted as Go's `%q` quotes it, which is how the API server shows text in its messages.
  var goQuoted: String {
    var quoted = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\u{7}": quoted += "\\a"
      case "\u{8}": quoted += "\\b"
      case "\u{B}": quoted += "\\v"
      case "\u{C}": quoted += "\\f"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        quoted += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension JSONValue {
  /// Compact JSON as Go's encoder writes it: `<`, `>` and `&` escaped. They occur in JSON within strings only.
  fileprivate var htmlSafeText: String {
    var safe = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": safe += "\\u003c"
      case ">": safe += "\\u003e"
      case "&": safe += "\\u0026"
      default: safe.unicodeScalars.append(scalar)
      }
    }
    return safe
  }
}
