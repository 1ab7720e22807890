/// Where an API server is and how to speak to it.
public struct ClusterEndpoint: Sendable {
  /// `https://host:port`, with a path in front of the API where a proxy adds one; no slash at the end.
  public var server: String
  public var tls: CurlTLS
  /// Beside the certificate in ``tls``. Only sent over TLS.
  public var credentials: (any CredentialSource)?
  /// The namespace to work in where none is named.
  public var namespace: String
  public var proxy: String?

  public init(
    server: String, tls: CurlTLS = CurlTLS(), credentials: (any CredentialSource)? = nil,
    namespace: String = "default", proxy: String? = nil
  ) {
    self.server = server
    self.tls = tls
    self.credentials = credentials
    self.namespace = namespace
    self.proxy = proxy
  }
}

/// Why no cluster can be reached with what is configured: one line that says what to do.
public struct ClusterEndpointError: Error, Hashable, Sendable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
