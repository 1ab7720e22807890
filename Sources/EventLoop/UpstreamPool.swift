import HTTPWire

/// Connections to servers, kept open between requests. Belongs to one loop; each loop has its own.
///
/// A connection belongs to a key, the identity of the replica it was made for, not to an address: when a replica goes,
/// `evict` takes its connections along, and an address used again by another replica never meets them.
/// `@unchecked Sendable`: loop-confined; every call checks that it is made on the loop.
public final class UpstreamPool: @unchecked Sendable {
  /// The connections of one key.
  final class Target {
    let key: String
    var idle: [UpstreamConnection] = []
    var open = 0
    var isEvicted = false

    init(key: String) { self.key = key }
  }

  public let loop: EventLoop
  let limits: HTTPLimits
  let writeTimeout: Duration
  private let maxIdlePerTarget: Int
  private let idleTimeout: Duration
  private var targets: [String: Target] = [:]

  /// - Parameters:
  ///   - maxIdlePerTarget: idle connections kept per key.
  ///   - idleTimeout: how long one is kept; less than the 60 s or more that servers wait, so that we close first.
  ///   - writeTimeout: how long a server may take no byte of a request.
  public init(
    loop: EventLoop, maxIdlePerTarget: Int = 64, idleTimeout: Duration = .seconds(55),
    writeTimeout: Duration = .seconds(60), limits: HTTPLimits = HTTPLimits()
  ) {
    self.loop = loop
    self.maxIdlePerTarget = maxIdlePerTarget
    self.idleTimeout = idleTimeout
    self.writeTimeout = writeTimeout
    self.limits = limits
  }

  /// A connection for one request: the one used last, as it is the most likely to be alive, else a new one.
  ///
  /// A reused one may have been closed by its server this moment: a request that fails on it before the first byte of a
  /// response may be sent again on another.
  /// - Parameter timeout: bounds connecting and the TLS handshake.
  public func connect(
    to address: SocketAddress, key: String, tls: TLSClientContext? = nil, timeout: Duration
  ) async throws -> UpstreamConnection {
    loop.preconditionOnLoop()
    let target = target(key)
    while let index = target.idle.lastIndex(where: { $0.address == address && $0.tls === tls }) {
      let connection = target.idle.remove(at: index)
      if connection.beginReuse() { return connection }
      connection.close()
    }
    target.open += 1
    do {
      let connection = try UpstreamConnection(pool: self, target: target, address: address, tls: tls)
      try await connection.open(until: loop.now + timeout)
      return connection
    } catch {
      connectionClosed(of: target)
      throw error
    }
  }

  /// Takes a connection back: kept if its request and response are complete and nothing speaks against it, else closed.
  public func release(_ connection: UpstreamConnection) {
    loop.preconditionOnLoop()
    let target = connection.target
    guard connection.isReusable, !target.isEvicted, target.idle.count < maxIdlePerTarget else {
      connection.close()
      return
    }
    connection.becomeIdle(until: loop.now + idleTimeout)
    target.idle.append(connection)
  }

  /// The replica `key` is gone: its idle connections close now, those in use when their request ends.
  public func evict(key: String) {
    loop.preconditionOnLoop()
    guard let target = targets.removeValue(forKey: key) else { return }
    target.isEvicted = true
    let idle = target.idle
    target.idle = []
    for connection in idle { connection.close() }
  }

  /// Idle connections, of all keys.
  public var idleConnections: Int { targets.values.reduce(0) { $0 + $1.idle.count } }

  /// Closes all idle connections.
  public func closeIdle() {
    for target in Array(targets.values) {
      let idle = target.idle
      target.idle = []
      for connection in idle { connection.close() }
    }
  }

  func dropIdle(_ connection: UpstreamConnection) {
    connection.target.idle.removeAll { $0 === connection }
    connection.close()
  }

  func connectionClosed(of target: Target) {
    target.open -= 1
    if target.open == 0, !target.isEvicted { targets[target.key] = nil }
  }

  private func target(_ key: String) -> Target {
    if let target = targets[key] { return target }
    let target = Target(key: key)
    targets[key] = target
    return target
  }
}
