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
  private let replicas = Mutex<[(uid: String, server: HTTPServer)]>([])

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
    let addresses = try server.start()
    (traffic, admin) = (addresses.traffic, addresses.admin)
  }

  /// Runs a test's body on the loop of callers and replicas, and ends both loops after it.
  static func run(
    changing field: WritableKeyPath<GatewayConfiguration, Int> = \.accessLogSampling, to value: Int = 0,
    _ body: @escaping @Sendable (GatewayHarness) async throws -> Void
  ) async throws {
    let harness = try GatewayHarness(changing: field, to: value)
    let test = Task(executorPreference: harness.loop) { try await body(harness) }
    // A time limit ends the test where it waits.
    try await withTaskCancellationHandler {
      try await test.value
    } onCancel: {
      test.cancel()
    }
    await harness.server.shutDown(delay: .zero, drain: .zero)
    harness.loop.stop()
  }

  /// A replica's server, healthy from the start unless its handler takes health checks, too.
  func replica(
    _ uid: String = "pod", _ pool: Pool = .burst, at address: SocketAddress? = nil, slots: Int = 8,
    takesChecks: Bool = false, _ handler: @escaping @Sendable (HTTPExchange) async throws -> Void
  ) throws -> Replica {
    let server = HTTPServer(
      loop: loop,
      configuration: HTTPServerConfiguration(address: try address ?? SocketAddress(parsing: "127.0.0.1:0"))
    ) { exchange in
      do {
        if exchange.path == "/health", !takesChecks {
          try await exchange.respond(status: 200, headers: [], body: Array("well".utf8))
        } else {
          try await handler(exchange)
        }
      } catch {
        exchange.abort()
      }
    }
    replicas.withLock { $0.append((uid, server)) }
    return Replica(podUID: uid, address: try server.start(), pool: pool, maxConcurrency: slots)
  }

  /// Nobody listens at a replica's address any more.
  func lose(_ replica: Replica) async {
    // Listening begins on the loop.
    await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
    for (uid, server) in replicas.withLock({ $0 }) where uid == replica.podUID {
      await server.shutDown(graceful: .zero)
    }
  }

  /// Reads the state for people until it tells `count` times of a text.
  func waitForState(_ text: String, count: Int = 1) async throws {
    while true {
      let answer = try await begin("GET", "/debug/state", body: nil, to: admin)
      if try await answer.rest().split(separator: text, omittingEmptySubsequences: false).count > count { return }
    }
  }

  /// Swaps in a view of services, `owl` with the given replicas unless others are named.
  func show(_ replicas: [Replica] = [], change: (inout ServiceRoute) -> Void = { _ in }) {
    var owl = ServiceRoute.sample(replicas: replicas)
    change(&owl)
    server.update(RoutingView(services: [owl], domain: "models.test"))
  }

  /// Shows `owl` with replicas and waits until all have passed their health check.
  func showHealthy(_ replicas: [Replica]) async throws {
    show(replicas)
    try await waitForState("health=passed", count: replicas.count)
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
