import EventLoop

/// One loop's connections to replicas, kept open between requests. Loop-confined.
///
/// A connection belongs to a pod UID, not to an address: when the pod goes, ``evict(_:)`` takes its connections along, and
/// an address that is used again by another pod never meets them.
final class ReplicaPool {
  /// The connections to one pod.
  final class Target {
    let podUID: String
    let address: SocketAddress
    fileprivate(set) var idle: [ReplicaConnection] = []
    /// The pod has gone: connections in use close when their request ends.
    fileprivate(set) var isEvicted = false

    fileprivate init(podUID: String, address: SocketAddress) {
      self.podUID = podUID
      self.address = address
    }
  }

  private let loop: EventLoop
  private let writeTimeout: Duration
  private let connectTimeout: Int64
  private var targets: [String: Target] = [:]
  private let tls: UpstreamTLSContexts

  /// Idle connections kept per replica.
  private static let maxIdle = 256
  /// How long one is kept; less than the 60 s or more that servers wait, so that this side closes first.
  private static let idleTimeout: Int64 = 55_000_000_000

  /// - Parameters:
  ///   - writeTimeout: how long a replica may take no byte of a request.
  ///   - connectTimeout: bounds connecting and the TLS handshake.
  init(loop: EventLoop, writeTimeout: Duration, connectTimeout: Duration, tls: UpstreamTLSContexts) {
    self.loop = loop
    self.writeTimeout = writeTimeout
    self.connectTimeout = connectTimeout.inNanoseconds
    self.tls = tls
  }

  /// An idle connection to the replica, the one used last, as it is the most likely to be alive; nil: there is none.
  ///
  /// - Parameter youngerThan: longest time that it may have been idle, in nanoseconds.
  func takeIdle(
    _ replica: Replica, youngerThan age: Int64 = .max, for owner: any ReplicaConnectionOwner
  ) -> ReplicaConnection? {
    guard let target = targets[replica.podUID], target.address == replica.address else { return nil }
    while let connection = target.idle.last {
      guard loop.nowNanoseconds - connection.idleSince < age else { return nil }
      target.idle.removeLast()
      if connection.channel.isQuiet() {
        connection.beginReuse(owner: owner)
        return connection
      }
      connection.close()
    }
    return nil
  }

  /// A new connection, on its way; its owner is told the outcome. - Throws: ``HTTPError`` when none can be made.
  func connect(_ replica: Replica, for owner: any ReplicaConnectionOwner) throws -> ReplicaConnection {
    let channel = try ByteChannel(
      connectingTo: replica.address, on: loop, tls: try tls.context(for: replica.tls), writeTimeout: writeTimeout)
    let connection = ReplicaConnection(
      target: target(replica.podUID, replica.address), channel: channel, pool: self, isConnected: false)
    connection.owner = owner
    channel.watch(untilNanoseconds: loop.nowNanoseconds + connectTimeout)
    return connection
  }

  /// Takes over the socket of a health check that has passed.
  func adopt(_ channel: ByteChannel, podUID: String, address: SocketAddress) {
    keep(ReplicaConnection(target: target(podUID, address), channel: channel, pool: self, isConnected: true))
  }

  /// Takes a connection back whose request and answer are complete.
  func giveBack(_ connection: ReplicaConnection) {
    connection.owner = nil
    guard !connection.target.isEvicted, connection.channel.isOpen, connection.channel.queued == 0,
      connection.channel.isQuiet()
    else { return connection.close() }
    keep(connection)
  }

  private func keep(_ connection: ReplicaConnection) {
    guard connection.target.idle.count < Self.maxIdle else { return connection.close() }
    connection.idleSince = loop.nowNanoseconds
    connection.channel.watch(untilNanoseconds: connection.idleSince + Self.idleTimeout)
    connection.target.idle.append(connection)
  }

  /// An idle connection was closed by its replica, has spoken unasked, or has been idle for long.
  func drop(_ connection: ReplicaConnection) {
    connection.close()
    connection.target.idle.removeAll { $0 === connection }
  }

  /// The replica has gone: its idle connections close now, those in use when their request ends.
  func evict(_ podUID: String) {
    guard let target = targets.removeValue(forKey: podUID) else { return }
    target.isEvicted = true
    close(target)
  }

  /// A connection that was idle has turned out to be dead: the others of its kind are no better.
  func closeIdle(_ target: Target) { close(target) }

  /// Closes all idle connections.
  func closeAll() {
    for target in targets.values { close(target) }
  }

  private func close(_ target: Target) {
    let idle = target.idle
    target.idle = []
    for connection in idle { connection.close() }
  }

  private func target(_ podUID: String, _ address: SocketAddress) -> Target {
    if let target = targets[podUID] {
      if target.address == address { return target }
      evict(podUID)
    }
    let target = Target(podUID: podUID, address: address)
    targets[podUID] = target
    return target
  }
}
