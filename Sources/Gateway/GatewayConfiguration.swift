import EventLoop
import HTTPWire

/// How one gateway is set up. Every bound has a default that is safe in front of strangers.
public struct GatewayConfiguration: Sendable {
  /// Name of this gateway, stable over its life and unique in the fleet (the pod's name).
  public var identity: String
  /// Where callers connect, `address:port`; port 0 takes any free one.
  public var listen = "0.0.0.0:8080"
  /// Where health, metrics and the load stream are, apart from the callers.
  public var admin = "0.0.0.0:9090"
  /// Where the controller reads the load and deals slots over TLS; nil: on the admin port only.
  public var fleet: FleetListener?
  /// What callers are shown; none: they speak plain text. The first is also for those who ask for a name that none holds.
  public var certificates: [TLSCertificatePair] = []
  /// How often the files of ``certificates`` are looked at.
  public var certificateInterval: Duration = .seconds(10)
  /// Event loops that serve traffic, one thread each.
  public var loops = 1
  /// Connections of callers per loop.
  public var maxConnections = 50_000
  /// Connections of callers from one address, per loop; nil: no bound, as behind a load balancer all have its address.
  public var maxConnectionsPerClient: Int?
  /// What a caller's and a replica's bytes are held to.
  public var limits = HTTPLimits()
  /// Longest request body, in bytes; 0: any.
  public var maxBodyBytes = 0
  /// From the first byte of a request to the end of its head; also bounds a TLS handshake.
  public var headTimeout: Duration = .seconds(10)
  /// How long a caller may leave its body unfinished without sending a byte of it.
  public var bodyTimeout: Duration = .seconds(60)
  /// How long a connection may stay open without a request.
  public var idleTimeout: Duration = .seconds(75)
  /// How long a caller or a replica may take no byte of what is sent to it.
  public var writeTimeout: Duration = .seconds(60)
  /// Longest body that is kept to find or replace its `model`, in bytes.
  public var routingBodyLimit = 8 << 20
  /// Header whose value names the tenant, as an ingress in front sets it; nil: the credentials in Authorization do.
  public var tenantHeader: String?
  /// Requests held at once, over all services.
  public var holdBudgetRequests = 20_000
  /// Request bytes kept in memory at once, over all services.
  public var holdBudgetBytes = 256 << 20
  /// Longest time to connect to a replica.
  public var connectTimeout: Duration = .seconds(1)
  /// How often one request may be tried on another replica, before the first byte of an answer.
  public var maxRetries = 2
  /// Every n-th request gets a line in the access log; 0: none. Server errors always do.
  public var accessLogSampling = 100
  /// How often a wake that is still needed is asked for again.
  public var wakeRenewal: Duration = .seconds(10)
  /// Longest time between two snapshots of the load stream.
  public var loadInterval: Duration = .seconds(1)

  public init(identity: String) { self.identity = identity }

  /// Bounds what is held by the memory this process may use: a quarter of it for bodies, a quarter for the requests
  /// themselves at ``memoryPerHeldRequest`` each. The rest is for streams, and for what the allocator keeps.
  /// - Parameter limit: In bytes, as a container's memory limit.
  public mutating func fitHold(intoMemory limit: Int) {
    holdBudgetBytes = limit / 4
    holdBudgetRequests = min(holdBudgetRequests, limit / 4 / Self.memoryPerHeldRequest)
  }

  /// Of a held request without its kept body, in bytes: 1.5 KB of ours, and what the kernel charges to the same group for
  /// its socket and the first bytes that wait in it.
  static let memoryPerHeldRequest = 16 << 10

  func exceedsBodyLimit(_ bytes: Int) -> Bool { maxBodyBytes > 0 && bytes > maxBodyBytes }
}

/// Where a gateway listens for the controller.
public struct FleetListener: Sendable {
  /// `address:port`; port 0 takes any free one.
  public var address: String
  /// The gateway's own key.
  public var tls: TLSServerContext

  public init(address: String, tls: TLSServerContext) {
    self.address = address
    self.tls = tls
  }
}

/// Asks for a sleeping service to be woken, durably. Called from event loops: it must not block, and may be called again
/// for the same service at any time.
public protocol WakeSignal: Sendable {
  /// - Parameter heldSinceUnix: Wall time when the oldest held request arrived, in seconds since 1970.
  func wake(_ service: ServiceKey, heldSinceUnix: Double)
}

/// Nobody is there to wake anything: services come from a file.
public struct NoWakeSignal: WakeSignal {
  public init() {}
  public func wake(_ service: ServiceKey, heldSinceUnix: Double) {}
}
