import EventLoop
import HTTPWire
import Telemetry

/// One loop's callers: accepts their connections, and holds what all of them share.
///
/// `@unchecked Sendable`: loop-confined; the calls that may come from any thread say so and hop to the loop.
final class TrafficServer: @unchecked Sendable {
  let core: GatewayCore
  let loop: EventLoop
  let pool: ReplicaPool
  /// Parse heads that come whole, as most do; used within one call only.
  var requestParser: RequestHeadParser
  var responseParser: ResponseHeadParser
  /// Reads heads as they are sent on: this hop's fields are in them, whatever the bounds on the caller's.
  var forwardedParser: RequestHeadParser
  /// Whether every answer from now on ends its connection, so that callers move elsewhere.
  private(set) var announcesClose = false
  private(set) var tls: TLSServerContext?
  private var acceptor: Acceptor?
  private var connections: [ObjectIdentifier: ClientConnection] = [:]
  private var endings: [UnsafeContinuation<Void, Never>] = []
  private var peers: [(peer: SocketAddress, text: PeerText)?] = Array(repeating: nil, count: 64)
  /// Held requests whose wait is over, and what they got.
  private var released: [(call: HeldCall, outcome: HoldOutcome)] = []
  private var releasedStart = 0
  private var isReleasing = false
  private var snapshot: (version: Int, routing: RoutingSnapshot)?
  private var listOfAll: [UInt8]?
  private var dateOf: (second: Int, octets: [UInt8]) = (-1, [])

  /// Deadlines in nanoseconds.
  private(set) var headTimeout: Int64
  private(set) var idleTimeout: Int64
  private(set) var bodyTimeout: Int64

  init(core: GatewayCore, loop: EventLoop, tls: TLSServerContext? = nil) {
    self.core = core
    self.loop = loop
    self.tls = tls
    let configuration = core.configuration
    pool = ReplicaPool(
      loop: loop, writeTimeout: configuration.writeTimeout, connectTimeout: configuration.connectTimeout,
      tls: core.upstreamTLS)
    requestParser = RequestHeadParser(limits: configuration.limits)
    responseParser = ResponseHeadParser(isHead: false, limits: configuration.limits)
    forwardedParser = RequestHeadParser(limits: configuration.limits.withRoomForForwarding)
    headTimeout = configuration.headTimeout.inNanoseconds
    idleTimeout = configuration.idleTimeout.inNanoseconds
    bodyTimeout = configuration.bodyTimeout.inNanoseconds
  }

  /// Listens. From any thread, once. - Returns: the address bound.
  func start(at address: SocketAddress) throws -> SocketAddress {
    var settings = Acceptor.Settings(address: address)
    settings.reusePort = core.configuration.loops > 1
    settings.maxConnections = core.configuration.maxConnections
    settings.maxConnectionsPerClient = core.configuration.maxConnectionsPerClient
    let socket = try Acceptor.ListeningSocket(settings)
    loop.execute { [self, settings] in
      acceptor = Acceptor(loop: loop, socket: socket, settings: settings) { [unowned self] descriptor, peer in
        open(descriptor, peer)
      }
    }
    return socket.address
  }

  /// Uses another certificate for connections from now on. From any thread.
  func replaceTLS(_ context: TLSServerContext) { onLoop { [self] in tls = context } }

  /// Waits by other bounds from now on. From any thread.
  func update(_ bounds: GatewayBounds) {
    onLoop { [self] in
      headTimeout = bounds.headTimeout.inNanoseconds
      idleTimeout = bounds.idleTimeout.inNanoseconds
      bodyTimeout = bounds.bodyTimeout.inNanoseconds
    }
  }

  /// Ends each connection with its next answer (`Connection: close`), while still accepting. From any thread.
  func announceClose() { onLoop { [self] in announcesClose = true } }

  /// Replicas have gone: their connections go, too. From any thread.
  func evict(_ podUIDs: [String]) { onLoop { [self] in for uid in podUIDs { pool.evict(uid) } } }

  /// Accepts what the kernel has queued, stops listening, lets running requests finish until `deadline` from now, then
  /// cuts what is left. Returns once no connection is open. From any task.
  func shutDown(graceful deadline: Duration) async {
    await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        acceptor?.stop()
        announcesClose = true
        for connection in Array(connections.values) { connection.closeIfIdle() }
        guard !connections.isEmpty else { return continuation.resume() }
        endings.append(continuation)
        _ = loop.schedule(after: deadline) { [weak self] in self?.cutAll() }
      }
    }
    await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        pool.closeAll()
        continuation.resume()
      }
    }
  }

  private func cutAll() { for connection in Array(connections.values) { connection.cut() } }

  private func onLoop(_ body: @escaping @Sendable () -> Void) {
    if loop.isCurrent { body() } else { loop.execute(body) }
  }

  private func open(_ descriptor: Int32, _ peer: SocketAddress) -> Bool {
    guard
      let channel = try? ByteChannel(
        accepted: descriptor, on: loop, tls: tls, writeTimeout: core.configuration.writeTimeout)
    else { return false }
    let connection = ClientConnection(server: self, channel: channel, peer: peer)
    connections[ObjectIdentifier(connection)] = connection
    connection.start()
    return true
  }

  /// Held requests that go on in one turn of the loop: each may connect and send, and those before must get their answers
  /// meanwhile.
  private static let releasesPerTurn = 8

  /// The wait of a held request is over. They go on in order, a few a turn.
  func release(_ call: HeldCall, _ outcome: HoldOutcome) {
    released.append((call, outcome))
    guard !isReleasing else { return }
    isReleasing = true
    loop.execute { [self] in releaseSome() }
  }

  private func releaseSome() {
    let end = min(released.count, releasedStart + Self.releasesPerTurn)
    while releasedStart < end {
      let (call, outcome) = released[releasedStart]
      releasedStart += 1
      call.connection.holdEnded(call.number, outcome)
    }
    if releasedStart < released.count {
      loop.postpone { [self] in releaseSome() }
    } else {
      released.removeAll(keepingCapacity: released.capacity <= 256)
      releasedStart = 0
      isReleasing = false
    }
  }

  func connectionEnded(_ connection: ClientConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    if connections.isEmpty {
      let waiting = endings
      endings = []
      for continuation in waiting { continuation.resume() }
    }
    acceptor?.connectionEnded(connection.peer)
  }

  /// What requests are routed by now; nil until the first view has come.
  var routing: RoutingSnapshot? {
    let version = core.viewVersion
    if let snapshot, snapshot.version == version { return snapshot.routing }
    guard let routing = core.current else { return nil }
    snapshot = (version, routing)
    listOfAll = nil
    return routing
  }

  /// The list of all models, or of one service's; the former is made once per view.
  func modelList(_ view: RoutingView, service: Int?) -> [UInt8] {
    if service == nil, let listOfAll { return listOfAll }
    let list = ModelList.list(view, service: service)
    if service == nil { listOfAll = list }
    return list
  }

  /// The time now as ``HTTPDate`` writes it.
  var date: [UInt8] {
    let second = Int(loop.turnWallUnix)
    if second != dateOf.second { dateOf = (second, HTTPDate.octets(unix: second)) }
    return dateOf.octets
  }

  /// A caller's address as text. The latest few are kept: behind a load balancer there are no more.
  func text(of peer: SocketAddress) -> PeerText {
    let place = peer.hostDigest & 63
    if let known = peers[place], known.peer.hasSameHost(as: peer) { return known.text }
    let text = PeerText(peer)
    peers[place] = (peer, text)
    return text
  }
}
