import EventLoop
import HTTPWire

/// Whom a replica's connection works for at the moment. Called on the loop, from its top level.
protocol ReplicaConnectionOwner: AnyObject {
  /// It is connected, and its TLS handshake is done.
  func replicaConnected()
  /// Bytes have come, or the end of them.
  func replicaHasInput()
  /// Everything queued for it has been sent, as `reportsDrain` asked for.
  func replicaDrained()
  /// The deadline set on its channel has passed.
  func replicaDeadlinePassed()
  /// It could not be connected, or broke.
  func replicaFailed(_ error: HTTPError)
}

/// One connection to a replica: idle in its pool, or working for one request. Loop-confined.
///
/// It belongs to a pod UID, not to an address: an address that another pod gets later never meets it.
final class ReplicaConnection: ChannelObserver {
  let target: ReplicaPool.Target
  let channel: ByteChannel
  unowned let pool: ReplicaPool
  /// Set for the time of one request; whoever sets it takes it back, which ends the cycle of references.
  var owner: (any ReplicaConnectionOwner)?
  /// Whether it has carried a request before the present one.
  private(set) var isReused = false
  private(set) var isConnected = false
  /// When its last request was over, in nanoseconds of the loop's clock.
  var idleSince: Int64 = 0
  /// The first bytes of a head whose rest has not come yet.
  var partialHead: PartialResponseHead?
  /// The head of the present answer has come.
  var hasHead = false
  /// The replica allows another request after the present answer.
  var keepsAlive = false
  /// Decodes the body of the answer.
  var body = BodyDecoder(.none)

  init(target: ReplicaPool.Target, channel: ByteChannel, pool: ReplicaPool, isConnected: Bool) {
    self.target = target
    self.channel = channel
    self.pool = pool
    self.isConnected = isConnected
    // One that comes connected has carried a health check.
    isReused = isConnected
    channel.observer = self
    // A replica may refuse a body unread, and reset the connection behind its answer.
    channel.outlivesSending = true
    if !isConnected { channel.reportsWritable = true }
  }

  var address: SocketAddress { target.address }

  func beginReuse(owner: any ReplicaConnectionOwner) {
    self.owner = owner
    isReused = true
    hasHead = false
    partialHead = nil
  }

  func close() {
    owner = nil
    channel.observer = nil
    channel.close()
  }

  // MARK: ChannelObserver

  func channelWritable() {
    guard !isConnected else { return }
    if let failure = channel.connectFailure(to: address) { return fail(failure) }
    advance()
  }

  private func advance() {
    do {
      guard try channel.advanceHandshake() else { return }
    } catch {
      return fail(HTTPError(.connectFailed, "connect to \(address): \(error)"))
    }
    isConnected = true
    owner?.replicaConnected()
  }

  func channelHasInput() {
    guard isConnected else {
      // Before the connection stands there is input only for its handshake, or news of its failure.
      if channel.isWritable { advance() }
      return
    }
    if let owner { owner.replicaHasInput() } else if !channel.isQuiet() { pool.drop(self) }
  }

  func channelPeerEnded() {
    guard channel.isOpen, isConnected else { return }
    if let owner { owner.replicaHasInput() } else { pool.drop(self) }
  }

  func channelDrained() { owner?.replicaDrained() }

  func channelDeadlinePassed() {
    if let owner { owner.replicaDeadlinePassed() } else { pool.drop(self) }
  }

  func channelFailed() { fail(channel.failure ?? HTTPError(.disconnected, "the connection to \(address) broke")) }

  private func fail(_ error: HTTPError) {
    let told = owner
    close()
    if let told { told.replicaFailed(error) } else { pool.drop(self) }
  }
}

/// A response head that came in pieces, with the parser that has seen them.
final class PartialResponseHead {
  var octets: [UInt8]
  var parser: ResponseHeadParser

  init(octets: [UInt8], parser: ResponseHeadParser) {
    self.octets = octets
    self.parser = parser
  }

  /// Looks at what has come since: the head's length once it is whole.
  func scan() throws(WireError) -> Int? {
    let octets = octets
    return try parser.scan(octets.span)
  }
}
