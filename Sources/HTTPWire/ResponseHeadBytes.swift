/// Response heads on their way out.
public enum ResponseHeadBytes {
  /// Appends a whole response head.
  ///
  /// - Parameters:
  ///   - reason: nil takes the phrase of the IANA registry, which may be empty.
  ///   - date: the time now, as ``HTTPDate`` writes it; nil: it is not told.
  ///   - framing: `.none` writes neither length nor coding, `.untilClose` likewise.
  ///   - closes: announces that the connection ends with this response.
  public static func append(
    status: Int, reason: String? = nil, date: [UInt8]? = nil, fields: FieldBlock, framing: BodyFraming, closes: Bool,
    announcesKeepAlive: Bool = false, to output: inout [UInt8]
  ) {
    output.append(contentsOf: "HTTP/1.1 ".utf8)
    output.append(UInt8(truncatingIfNeeded: 0x30 + status / 100 % 10))
    output.append(UInt8(truncatingIfNeeded: 0x30 + status / 10 % 10))
    output.append(UInt8(truncatingIfNeeded: 0x30 + status % 10))
    output.append(0x20)
    for octet in (reason ?? HTTPStatus.reason(status)).utf8 { output.append(octet.isFieldContent ? octet : 0x20) }
    output.append(contentsOf: "\r\n".utf8)
    if let date {
      output.append(contentsOf: "Date: ".utf8)
      output.append(contentsOf: date)
      output.append(contentsOf: "\r\n".utf8)
    }
    output.append(contentsOf: fields.octets)
    switch framing {
    case .none, .untilClose: break
    case .length(let length): output.appendFieldLine("Content-Length", String(length))
    case .chunked: output.append(contentsOf: "Transfer-Encoding: chunked\r\n".utf8)
    }
    if closes {
      output.append(contentsOf: "Connection: close\r\n".utf8)
    } else if announcesKeepAlive {
      output.append(contentsOf: "Connection: keep-alive\r\n".utf8)
    }
    output.append(contentsOf: "\r\n".utf8)
  }
}

/// Status codes by number.
public enum HTTPStatus {
  /// The reason phrase of RFC 9110, 15 (and RFC 6585); empty for a code it does not name.
  public static func reason(_ status: Int) -> String {
    switch status {
    case 100: "Continue"
    case 101: "Switching Protocols"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 206: "Partial Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 499: "Client Closed Request"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: ""
    }
  }
}
