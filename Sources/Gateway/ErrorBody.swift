/// Which form an error body takes.
enum ErrorShape: Sendable {
  /// OpenAI's error object.
  case openAI
  /// RFC 9457 problem details.
  case problem

  /// By the protocol of the service, where it is known; by the path, where it is not.
  init(protocol modelProtocol: ModelProtocol?, isV2: Bool) {
    if let modelProtocol {
      self = modelProtocol == .openAI ? .openAI : .problem
    } else {
      self = isV2 ? .problem : .openAI
    }
  }

  var contentType: String {
    switch self {
    case .openAI: "application/json"
    case .problem: "application/problem+json"
    }
  }
}

extension GatewayError {
  /// The error as the caller's client library expects it.
  func body(_ shape: ErrorShape) -> [UInt8] {
    var json = JSONText()
    switch shape {
    case .openAI:
      json.raw(#"{"error":{"message":"#)
      json.string(message)
      json.raw(#","type":"#)
      json.string(openAIType)
      json.raw(#","param":"#)
      if let parameter { json.string(parameter) } else { json.raw("null") }
      json.raw(#","code":"#)
      json.string(code)
      json.raw("}}\n")
    case .problem:
      json.raw(#"{"type":"about:blank","title":"#)
      json.string(Self.title(status))
      json.raw(#","status":"#)
      json.raw(String(status))
      json.raw(#","detail":"#)
      json.string(message)
      json.raw(#","code":"#)
      json.string(code)
      json.raw("}\n")
    }
    return json.bytes
  }

  /// OpenAI's `type` words, by which its libraries' users tell errors apart.
  private var openAIType: String {
    switch status {
    case 401: "authentication_error"
    case 429: "rate_limit_error"
    case 400..<500: "invalid_request_error"
    case 503: "service_unavailable_error"
    default: "server_error"
    }
  }

  private static func title(_ status: Int) -> String {
    switch status {
    case 400: "Bad Request"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 413: "Content Too Large"
    case 429: "Too Many Requests"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: "Error"
    }
  }
}

/// JSON text written by hand: the data path's errors and lists need no encoder.
struct JSONText {
  private(set) var bytes: [UInt8] = []

  /// Appends JSON text as it is.
  mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Appends a string literal (RFC 8259, 7).
  mutating func string(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): raw("\\\"")
      case UInt8(ascii: "\\"): raw("\\\\")
      case 0..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        raw("\\u00")
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
