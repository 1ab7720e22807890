import HTTPWire

/// An HTTP/1.1 server on one loop. Each connection is a task on the loop that calls the handler once per request.
///
/// `@unchecked Sendable`: loop-confined; the calls that may come from any thread say so and hop to the loop.
public final class HTTPServer: @unchecked Sendable {
  public let loop: EventLoop
  let handler: @Sendable (HTTPExchange) async -> Void
  let configuration: HTTPServerConfiguration
  private(set) var tls: TLSServerContext?
  private var acceptor: Acceptor?
  private var connections: [ObjectIdentifier: HTTPServerConnection] = [:]
  private var endings: [UnsafeContinuation<Void, Never>] = []
  /// Whether every response from now on ends its connection, so that clients move elsewhere.
  private(set) var announcesClose = false

  /// - Parameter handler: called on the loop, once per request; a response it leaves unfinished is cut visibly.
  public init(
    loop: EventLoop, configuration: HTTPServerConfiguration, handler: @escaping @Sendable (HTTPExchange) async -> Void
  ) {
    self.loop = loop
    self.configuration = configuration
    self.handler = handler
    tls = configuration.tls
  }

  /// Listens. From any thread.
  ///
  /// - Returns: the address bound, with the port the kernel chose where 0 was asked for.
  public func start() throws -> SocketAddress {
    var settings = Acceptor.Settings(address: configuration.address)
    settings.reusePort = configuration.reusePort
    settings.backlog = configuration.backlog
    settings.maxConnections = configuration.maxConnections
    settings.maxConnectionsPerClient = configuration.maxConnectionsPerClient
    let socket = try Acceptor.ListeningSocket(settings)
    loop.execute { [self, settings] in
      acceptor = Acceptor(loop: loop, socket: socket, settings: settings) { [unowned self] descriptor, peer in
        open(descriptor, peer)
      }
    }
    return socket.address
  }

  /// Accepts what the kernel has queued, then stops listening; open connections live on. From any thread.
  public func stopAccepting() {
    onLoop { [self] in acceptor?.stop() }
  }

  /// Closes the connections that have no request running. From any thread.
  public func closeIdle() {
    onLoop { [self] in
      for connection in Array(connections.values) where connection.isIdle { connection.cut() }
    }
  }

  /// Ends each connection with its next response (`Connection: close`), while still accepting. From any thread.
  public func announceClose() { onLoop { [self] in announcesClose = true } }

  /// Uses another certificate for connections from now on. From any thread.
  public func replaceTLS(_ context: TLSServerContext) { onLoop { [self] in tls = context } }

  /// Connections open now. Loop only.
  public var openConnections: Int {
    loop.preconditionOnLoop()
    return connections.count
  }

  /// Stops accepting, lets running requests finish until `deadline` from now, then cuts what is left.
  /// Returns once no connection is open. From any task.
  public func shutDown(graceful deadline: Duration) async {
    stopAccepting()
    announceClose()
    closeIdle()
    await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        if connections.isEmpty {
          continuation.resume()
          return
        }
        endings.append(continuation)
        _ = loop.schedule(after: deadline) { [weak self] in self?.cutAll() }
      }
    }
  }

  private func onLoop(_ body: @escaping @Sendable () -> Void) {
    if loop.isCurrent { body() } else { loop.execute(body) }
  }

  private func cutAll() {
    for connection in Array(connections.values) { connection.cut() }
  }

  private func open(_ descriptor: Int32, _ peer: SocketAddress) -> Bool {
    guard let connection = try? HTTPServerConnection(server: self, descriptor: descriptor, peer: peer) else {
      return false
    }
    connections[ObjectIdentifier(connection)] = connection
    connection.start()
    return true
  }

  func connectionEnded(_ connection: HTTPServerConnection) {
    connections[ObjectIdentifier(connection)] = nil
    if connections.isEmpty {
      let waiting = endings
      endings = []
      for continuation in waiting { continuation.resume() }
    }
    acceptor?.connectionEnded(connection.peer)
  }
}
