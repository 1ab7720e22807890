import FleetProtocol

/// A gateway to talk to, and how the controller knows that it is that gateway.
public struct GatewayTarget: Hashable, Sendable {
  public enum Trust: Hashable, Sendable {
    /// Plain HTTP: its EndpointSlice names no port for TLS.
    case plain
    /// TLS with this key.
    case key(GatewayKey)
    /// It is not talked to.
    case none(GatewayDistrust)
  }

  /// `10.0.0.7:9443`, or `[fd00::7]:9443`.
  public var address: String
  public var trust: Trust

  public init(address: String, trust: Trust) {
    self.address = address
    self.trust = trust
  }

  /// The URL of a path of it.
  public func url(_ path: String) -> String { "\(trust == .plain ? "http" : "https")://\(address)\(path)" }
}

/// Why a gateway is not talked to.
public enum GatewayDistrust: Error, Hashable, Sendable, CustomStringConvertible {
  /// It has a port for TLS, and no Lease of this name holds its key: it is not read over plain HTTP instead.
  case unpublishedKey(lease: String)
  /// What the Lease of this name holds is no key.
  case malformedKey(lease: String)
  /// It has no port for TLS, and plain HTTP is not allowed.
  case plainHTTP
  /// It is in no EndpointSlice any more.
  case unknown

  /// For a metric's label.
  public var label: String {
    switch self {
    case .unpublishedKey: "no_key"
    case .malformedKey: "malformed_key"
    case .plainHTTP: "plain_http"
    case .unknown: "unknown"
    }
  }

  public var description: String {
    switch self {
    case .unpublishedKey(let lease): "the gateway has published no key in the Lease \(lease); it is not read without"
    case .malformedKey(let lease):
      "the annotation \(GatewayKeyLease.keyAnnotation) of the Lease \(lease) is not sha256// and 32 bytes in base64"
    case .plainHTTP: "the gateway has no port 'fleet', and --gateway-tls required allows no plain HTTP"
    case .unknown: "the gateway is in no EndpointSlice any more"
    }
  }
}
