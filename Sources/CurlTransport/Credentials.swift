import KubernetesClient

/// What a client shows an API server to say who it is.
public struct Credential: Hashable, Sendable {
  /// For `Authorization: Bearer`.
  public var token: String?
  /// PEM; goes with ``clientKey``.
  public var clientCertificate: [UInt8]?
  public var clientKey: [UInt8]?

  public init(token: String? = nil, clientCertificate: [UInt8]? = nil, clientKey: [UInt8]? = nil) {
    self.token = token
    self.clientCertificate = clientCertificate
    self.clientKey = clientKey
  }
}

/// Secrets stay out of logs and error texts, even by accident.
extension Credential: CustomStringConvertible, CustomDebugStringConvertible {
  public var description: String { "a \(token == nil ? "client certificate" : "bearer token") (not shown)" }
  public var debugDescription: String { description }
}

/// Where credentials come from; asked at each request.
public protocol CredentialSource: Sendable {
  /// - Throws: ``TransportError`` when there is none; `CancellationError`.
  func credential() async throws -> Credential
  /// The server refused that one: unless it was replaced meanwhile, the next should be fetched afresh.
  func invalidate(_ refused: Credential)
}

/// A token that never changes.
public struct FixedToken: CredentialSource {
  private let value: String
  public init(_ value: String) { self.value = value }
  public func credential() -> Credential { Credential(token: value) }
  public func invalidate(_ refused: Credential) {}
}
