import HTTPWire

/// What an `HTTPServer` listens on, and the bounds it keeps its clients to. The defaults are safe to expose.
public struct HTTPServerConfiguration: Sendable {
  /// Where to listen; port 0 takes a free one.
  public var address: SocketAddress
  /// Lets several servers, one per loop, share the address; the kernel deals connections out (SO_REUSEPORT).
  public var reusePort = false
  /// Connections the kernel holds until they are accepted; bounded by net.core.somaxconn.
  public var backlog = 4096
  /// Speak TLS.
  public var tls: TLSServerContext?
  public var limits = HTTPLimits()
  /// From the first byte of a request to the end of its head; also bounds a TLS handshake.
  public var headTimeout: Duration = .seconds(10)
  /// How long a connection may stay open without a request.
  public var idleTimeout: Duration = .seconds(75)
  /// How long a client may leave its body unfinished without sending a byte of it, once it is read.
  public var bodyTimeout: Duration = .seconds(60)
  /// How long a client may take no byte of a response.
  public var writeTimeout: Duration = .seconds(60)
  /// Connections open at once; further ones wait in the kernel's queue until one closes.
  public var maxConnections = 20_000
  /// Connections open at once from one IP address; further ones are closed at once. nil: no bound, as behind a load
  /// balancer all clients have its address.
  public var maxConnectionsPerClient: Int?
  /// Bytes of an unread request body that are read and dropped to keep the connection; a longer one closes it.
  public var drainLimit = 262_144
  /// Whether a client that ends its sending half still waits for its answer. Otherwise it counts as gone.
  public var allowsHalfClose = false

  public init(address: SocketAddress) { self.address = address }
}
