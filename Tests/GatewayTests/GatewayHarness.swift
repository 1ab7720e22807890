import EventLoop
import FleetProtocol
import HTTPWire
import Synchronization
import Telemetry
import Testing

@testable import Gateway

/// A gateway on real sockets, with fake replicas and callers on a loop of their own.
final class GatewayHarness: Sendable {
  let loop: EventLoop
  let pool: UpstreamPool
  let server: GatewayServer
  let traffic: SocketAddress
  let admin: SocketAddress
  let wakes = WakeList()
  /// The replicas' servers: they serve as long as somebody has them.
  private let replicas = Mutex<[HTTPServer]>([])

  init(changing field: WritableKeyPath<GatewayConfiguration, Int> = \.accessLogSampling, to value: Int = 0) throws {
    var configuration = GatewayConfiguration(identity: "gateway-0")
    configuration.listen = "127.0.0.1:0"
    configuration.admin = "127.0.0.1:0"
    configuration.accessLogSampling = 0
    configuration[keyPath: field] = value
    loop = try EventLoop(name: "test")
    loop.start()
    pool = UpstreamPool(loop: loop)
    server = try GatewayServer(configuration: configuration, log: .discarding, wake: wakes)
    (traffic, admin) = try server.start()
  }

  /// Runs a test's body on the loop of callers and replicas, and ends both loops after it.
  static func run(
    changing field: WritableKeyPath<GatewayConfiguration, Int> = \.accessLogSampling, to value: Int = 0,
    _ body: @escaping @Sendable (GatewayHarness) async throws -> Void
  ) async throws {
    let harness = try GatewayHarness(changing: field, to: value)
    try await Task(executorPreference: harness.loop) { try await body(harness) }.value
    await harness.server.shutDown(delay: .zero, drain: .zero)
    harness.loop.stop()
  }

  /// A replica's server.
  func replica(
    _ uid: String = "pod", slots: Int = 8, _ handler: @escaping @Sendable (HTTPExchange) async throws -> Void
  ) throws -> Replica {
    let server = HTTPServer(
      loop: loop, configuration: HTTPServerConfiguration(address: try SocketAddress(parsing: "127.0.0.1:0"))
    ) { exchange in
      do { try await handler(exchange) } catch { exchange.abort() }
    }
    replicas.withLock { $0.append(server) }
    return Replica(podUID: uid, address: try server.start(), pool: .burst, maxConcurrency: slots)
  }

  /// An address where nobody listens.
  func deadReplica(_ uid: String = "dead") async throws -> Replica {
    let server = HTTPServer(
      loop: loop, configuration: HTTPServerConfiguration(address: try SocketAddress(parsing: "127.0.0.1:0"))
    ) { $0.abort() }
    let address = try server.start()
    // Listening begins on the loop.
    await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
    await server.shutDown(graceful: .zero)
    return Replica(podUID: uid, address: address, pool: .dedicated)
  }

  /// Swaps in a view of services, `owl` with the given replicas unless others are named.
  func show(_ replicas: [Replica] = [], change: (inout ServiceRoute) -> Void = { _ in }) {
    var owl = ServiceRoute.sample(replicas: replicas)
    change(&owl)
    server.update(RoutingView(services: [owl], domain: "models.test"))
  }

  /// Sends a request and reads the head of the answer.
  func begin(
    _ method: String = "POST", _ target: String = "/v1/chat/completions", _ fields: [(String, String)] = [],
    body: String? = #"{"model":"owl"}"#, to address: SocketAddress? = nil
  ) async throws -> Answer {
    let connection = try await pool.connect(
      to: address ?? traffic, key: "caller", tls: nil, timeout: .seconds(10))
    let bytes = Array((body ?? "").utf8)
    var block = FieldBlock(fields)
    if !fields.contains(where: { $0.0 == "Host" }) { block.append("Host", "gateway") }
    try await connection.send(
      head: RequestHeadBytes(
        method: method, target: target, fields: block, framing: body == nil ? .none : .length(bytes.count)))
    try await connection.sendBody(bytes)
    return Answer(connection: connection, head: try await connection.readHead(timeout: .seconds(30)))
  }

  /// Sends a request and reads the whole answer.
  func send(
    _ method: String = "POST", _ target: String = "/v1/chat/completions", _ fields: [(String, String)] = [],
    body: String? = #"{"model":"owl"}"#
  ) async throws -> (status: Int, headers: HTTPHeaders, body: String) {
    let answer = try await begin(method, target, fields, body: body)
    let text = try await answer.rest()
    pool.release(answer.connection)
    return (answer.head.status, answer.head.headers, text)
  }

  /// Reads the load stream until `owl`'s load is as wanted.
  func waitForLoad(_ isWanted: (ServiceLoad) -> Bool) async throws {
    let stream = try await begin("GET", LoadSnapshot.path, body: nil, to: admin)
    var lines = FleetProtocol.LineSplitter()
    while let piece = try await stream.connection.readBody(idleTimeout: .seconds(30)) {
      for line in try lines.append(piece) {
        if let load = try LoadSnapshot(line: line).services.first, isWanted(load) {
          stream.connection.close()
          return
        }
      }
    }
    Issue.record("the load stream ended")
  }
}

/// An answer that is being read.
struct Answer: Sendable {
  let connection: UpstreamConnection
  let head: ResponseHead

  /// The next piece of the body as text; nil at its end.
  func next() async throws -> String? {
    try await connection.readBody(idleTimeout: .seconds(30)).map { String(decoding: $0, as: UTF8.self) }
  }

  func rest() async throws -> String {
    var text = ""
    while let piece = try await next() { text += piece }
    return text
  }
}

/// Remembers who was to be woken.
final class WakeList: WakeSignal {
  private let keys = Mutex<[ServiceKey]>([])
  func wake(_ service: ServiceKey, heldSinceUnix: Double) { keys.withLock { $0.append(service) } }
  var services: [ServiceKey] { keys.withLock { $0 } }
}

/// Something that one task waits for and another lets happen, once. On one loop only.
///
/// `@unchecked Sendable`: confined to the harness's loop.
final class Moment: @unchecked Sendable {
  private var hasCome = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func come() {
    hasCome = true
    for waiter in waiting { waiter.resume() }
    waiting = []
  }

  func wait() async {
    if hasCome { return }
    await withCheckedContinuation { waiting.append($0) }
  }
}
