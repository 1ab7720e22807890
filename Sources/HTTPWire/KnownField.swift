/// The fields that framing, connection handling and forwarding ask for, recognised once while parsing.
public enum KnownField: UInt8, Sendable {
  case other
  case host
  case contentLength
  case transferEncoding
  case connection
  case expect
  case upgrade
  case keepAlive
  case proxyConnection
  case te
  case trailer
  case proxyAuthenticate
  case proxyAuthorization

  /// Whether the field concerns one connection only and is never forwarded (RFC 9110, 7.6.1).
  public var isHopByHop: Bool {
    switch self {
    case .other, .host, .contentLength, .expect: false
    case .transferEncoding, .connection, .upgrade, .keepAlive, .proxyConnection, .te, .trailer, .proxyAuthenticate,
      .proxyAuthorization:
      true
    }
  }

  /// Whether the sender of a message writes this field itself, from the framing it chose.
  public var isFraming: Bool {
    switch self {
    case .contentLength, .transferEncoding, .connection, .keepAlive: true
    default: false
    }
  }

  init(_ octets: Span<UInt8>, _ name: Range<Int>) {
    func pick(_ field: KnownField, _ lowercase: StaticString) -> KnownField {
      octets.matches(name, lowercase) ? field : .other
    }
    switch name.count {
    case 2: self = pick(.te, "te")
    case 4: self = pick(.host, "host")
    case 6: self = pick(.expect, "expect")
    case 7: self = octets[name.lowerBound] | 0x20 == 0x75 ? pick(.upgrade, "upgrade") : pick(.trailer, "trailer")
    case 10:
      self = octets[name.lowerBound] | 0x20 == 0x63 ? pick(.connection, "connection") : pick(.keepAlive, "keep-alive")
    case 14: self = pick(.contentLength, "content-length")
    case 16: self = pick(.proxyConnection, "proxy-connection")
    case 17: self = pick(.transferEncoding, "transfer-encoding")
    case 18: self = pick(.proxyAuthenticate, "proxy-authenticate")
    case 19: self = pick(.proxyAuthorization, "proxy-authorization")
    default: self = .other
    }
  }

  /// Recognises a name given as text.
  public init(name: String) {
    let octets = Array(name.utf8)
    self.init(octets.span, 0..<octets.count)
  }
}
