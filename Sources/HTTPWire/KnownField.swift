/// The fields that framing, connection handling and forwarding ask for, recognised once while parsing.
///
/// Names are told apart by their length and, where several have it, their first letter.
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
  case via
  case forwarded
  case forwardedFor
  case forwardedHost
  case forwardedProto
  case prefer
  case priority
  case contentType
  case authorization
  case traceparent
  case maxForwards
  case date
  case acceptEncoding
  case contentEncoding
  /// Any field whose name starts with `pilotlight-`: said by this gateway, never passed on from others.
  case pilotlight
  /// A name that becomes one of those above when `_` is read as `-`, which CGI and WSGI servers do (RFC 3875, 4.1.18):
  /// nobody may say by it what this gateway takes off or says itself. Never passed on.
  case lookalike

  /// Whether the field concerns one connection only (RFC 9110, 7.6.1) or looks like one, and is never forwarded.
  public var isHopByHop: Bool {
    switch self {
    case .other, .host, .contentLength, .expect, .via, .forwarded, .forwardedFor, .forwardedHost, .forwardedProto,
      .prefer, .priority, .contentType, .authorization, .traceparent, .maxForwards, .date, .acceptEncoding,
      .contentEncoding, .pilotlight:
      false
    case .transferEncoding, .connection, .upgrade, .keepAlive, .proxyConnection, .te, .trailer, .proxyAuthenticate,
      .proxyAuthorization, .lookalike:
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
      switch octets.likeness(of: name, to: lowercase) {
      case .same: field
      case .underscored: .lookalike
      case .none: .other
      }
    }
    let first = name.isEmpty ? 0 : octets[name.lowerBound] | 0x20
    switch name.count {
    case 2: self = pick(.te, "te")
    case 3: self = pick(.via, "via")
    case 4: self = first == 0x68 ? pick(.host, "host") : pick(.date, "date")
    case 6: self = first == 0x65 ? pick(.expect, "expect") : pick(.prefer, "prefer")
    case 7: self = first == 0x75 ? pick(.upgrade, "upgrade") : pick(.trailer, "trailer")
    case 8: self = pick(.priority, "priority")
    case 9: self = pick(.forwarded, "forwarded")
    case 10: self = first == 0x63 ? pick(.connection, "connection") : pick(.keepAlive, "keep-alive")
    case 11: self = pick(.traceparent, "traceparent")
    case 12: self = first == 0x63 ? pick(.contentType, "content-type") : pick(.maxForwards, "max-forwards")
    case 13: self = pick(.authorization, "authorization")
    case 14: self = pick(.contentLength, "content-length")
    case 15:
      self = first == 0x78 ? pick(.forwardedFor, "x-forwarded-for") : pick(.acceptEncoding, "accept-encoding")
    case 16:
      switch first {
      case 0x78: self = pick(.forwardedHost, "x-forwarded-host")
      case 0x63: self = pick(.contentEncoding, "content-encoding")
      default: self = pick(.proxyConnection, "proxy-connection")
      }
    case 17:
      self = first == 0x78 ? pick(.forwardedProto, "x-forwarded-proto") : pick(.transferEncoding, "transfer-encoding")
    case 18: self = pick(.proxyAuthenticate, "proxy-authenticate")
    case 19: self = pick(.proxyAuthorization, "proxy-authorization")
    default: self = .other
    }
    if self == .other, first == 0x70, name.count > 11 {
      switch octets.likeness(of: name.lowerBound..<name.lowerBound + 11, to: "pilotlight-") {
      case .same: self = .pilotlight
      case .underscored: self = .lookalike
      case .none: break
      }
    }
  }

  /// Recognises a name given as text.
  public init(name: String) {
    let octets = Array(name.utf8)
    self.init(octets.span, 0..<octets.count)
  }
}

private enum Likeness {
  case none
  case same
  /// The same when `_` is read as `-`.
  case underscored
}

extension Span<UInt8> {
  /// Compares without regard to ASCII case. Most names that are
  /// others differ in their first octets, so that looking for underscores costs nothing.
  fileprivate func likeness(of range: Range<Int>, to lowercase: StaticString) -> Likeness {
    guard range.count == lowercase.utf8CodeUnitCount else { return .none }
    return lowercase.withUTF8Buffer { expected in
      var likeness = Likeness.same
      for index in 0..<expected.count where self[range.lowerBound &+ index] | 0x20 != expected[index] {
        guard self[range.lowerBound &+ index] == UInt8(ascii: "_"), expected[index] == UInt8(ascii: "-") else {
          return .none
        }
        likeness = .underscored
      }
      return likeness
    }
  }
}
