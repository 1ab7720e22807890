import Glibc

/// Accepts connections on one listening socket, within the bounds its clients are held to. Loop-confined.
public final class Acceptor {
  /// Where to listen and how much to take.
  public struct Settings: Sendable {
    /// Where to listen; port 0 takes a free one.
    public var address: SocketAddress
    /// Lets several acceptors, one per loop, share the address; the kernel deals connections out (SO_REUSEPORT).
    public var reusePort = false
    /// Connections the kernel holds until they are accepted; bounded by net.core.somaxconn.
    public var backlog = 4096
    /// Connections open at once; further ones wait in the kernel's queue until one closes.
    public var maxConnections = 20_000
    /// Connections open at once from one IP address; further ones are closed at once. nil: no bound, as behind a load
    /// balancer all clients have its address.
    public var maxConnectionsPerClient: Int?

    public init(address: SocketAddress) { self.address = address }
  }

  /// A listening socket that no loop watches yet.
  public struct ListeningSocket: Sendable {
    let descriptor: Int32
    /// With the port the kernel chose where 0 was asked for.
    public let address: SocketAddress

    /// Binds and listens. From any thread.
    public init(_ settings: Settings) throws {
      (descriptor, address) = try Socket.listen(
        on: settings.address, backlog: settings.backlog, reusePort: settings.reusePort)
    }
  }

  private let loop: EventLoop
  private let settings: Settings
  private let onConnection: (Int32, SocketAddress) -> Bool
  private var listener: Listener?
  private var byClient: [SocketAddress: Int] = [:]
  private var waitsForRoom = false
  private var isStopping = false
  private var retry: TimerID?
  /// Connections open now.
  public private(set) var connections = 0
  /// Connections closed at once because their client had its share.
  public private(set) var refused = 0

  /// - Parameter onConnection: takes over a connected descriptor, or answers false when it could not and has closed it.
  ///   Each one taken must be given back by ``connectionEnded(_:)``.
  public init(
    loop: EventLoop, socket: ListeningSocket, settings: Settings, onConnection: @escaping (Int32, SocketAddress) -> Bool
  ) {
    loop.preconditionOnLoop()
    self.loop = loop
    self.settings = settings
    self.onConnection = onConnection
    listener = try? Listener(descriptor: socket.descriptor, loop: loop) { [weak self] in self?.acceptAll() }
    acceptAll()
  }

  /// Accepts what the kernel has queued, whatever the bound, then stops listening: closing a listener resets what is
  /// queued on it. Packets that come meanwhile are dropped, so that nothing is queued behind the last accept: who sent
  /// them tries again, and finds another listener or none.
  public func stop() {
    guard let listening = listener else { return }
    Socket.dropIncoming(listening.descriptor)
    isStopping = true
    acceptAll()
    listener?.close()
    listener = nil
    if let retry { loop.cancel(retry) }
  }

  /// A connection that was taken over has closed.
  public func connectionEnded(_ peer: SocketAddress) {
    connections -= 1
    if let count = byClient[peer.anyPort] { byClient[peer.anyPort] = count > 1 ? count - 1 : nil }
    if waitsForRoom {
      waitsForRoom = false
      acceptAll()
    }
  }

  private func acceptAll() {
    while let listener {
      guard connections < settings.maxConnections || isStopping else {
        waitsForRoom = true
        return
      }
      switch Socket.accept(listener.descriptor) {
      case .connection(let descriptor, let peer): take(descriptor, peer)
      case .again: continue
      case .none: return
      case .exhausted:
        // No edge will tell when descriptors are free again.
        retry = loop.schedule(after: .milliseconds(100)) { [weak self] in self?.acceptAll() }
        return
      }
    }
  }

  private func take(_ descriptor: Int32, _ peer: SocketAddress) {
    if let bound = settings.maxConnectionsPerClient {
      let count = byClient[peer.anyPort, default: 0]
      guard count < bound else {
        refused += 1
        Glibc.close(descriptor)
        return
      }
      byClient[peer.anyPort] = count + 1
    }
    connections += 1
    if !onConnection(descriptor, peer) { connectionEnded(peer) }
  }
}
