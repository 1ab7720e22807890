import EventLoop
import Gateway
import Operator
import Synchronization
import Telemetry

/// Health, metrics and state of the controller, apart from everything else it does.
final class AdminServer: Sendable {
  private let controller: Operator
  private let metrics: MetricsRegistry
  private let adminGuard: any AdminGuard
  private let refusals: Counter
  private let loop: EventLoop
  /// Who lets it go stops to listen.
  private let server = Mutex<HTTPServer?>(nil)

  /// - Parameter adminGuard: decides who may read the state.
  init(controller: Operator, metrics: MetricsRegistry, adminGuard: any AdminGuard) throws {
    self.controller = controller
    self.metrics = metrics
    self.adminGuard = adminGuard
    refusals = metrics.counter(
      "pilotlight_admin_refusals_total", help: "Requests to the admin port that were not let in.", labels: ["code"])
    loop = try EventLoop(name: "admin")
    loop.start()
  }

  /// Listens for as long as it is kept; returns the bound address. - Throws: an error that names the address.
  func start(on address: SocketAddress) throws -> SocketAddress {
    let server = HTTPServer(loop: loop, configuration: HTTPServerConfiguration(address: address)) {
      [weak self] exchange in
      // A client that leaves while it is answered is nobody's error.
      try? await self?.answer(exchange)
    }
    let bound = try server.start()
    self.server.withLock { $0 = server }
    return bound
  }

  func stop() {
    server.withLock { $0 }?.stopAccepting()
    loop.stop()
  }

  private func answer(_ exchange: HTTPExchange) async throws {
    let isRead = exchange.method == "GET" || exchange.method == "HEAD"
    switch exchange.path {
    case "/healthz" where isRead: try await text(exchange, 200, "ok\n")
    case "/readyz" where isRead:
      if let problem = controller.problem {
        try await text(exchange, 503, "not ready: \(problem)\n")
      } else {
        try await text(exchange, 200, "ok\n")
      }
    case "/metrics" where isRead: try await text(exchange, 200, metrics.render(), type: MetricsRegistry.contentType)
    case "/debug/state" where isRead:
      guard try await adminGuard.admits(exchange, to: .debug, refusals: refusals) else { return }
      try await exchange.respond(
        status: 200, headers: [("Content-Type", "application/json")], body: try controller.snapshot().encoded())
    case "/debug/decisions" where isRead:
      guard try await adminGuard.admits(exchange, to: .debug, refusals: refusals) else { return }
      try await decisions(exchange)
    case "/healthz", "/readyz", "/metrics", "/debug/state", "/debug/decisions":
      try await text(exchange, 405, "only GET and HEAD\n")
    default:
      try await text(exchange, 404, "there are /healthz, /readyz, /metrics, /debug/state and /debug/decisions\n")
    }
  }

  /// The recorded decisions about one service, a line of JSON each.
  private func decisions(_ exchange: HTTPExchange) async throws {
    let fields = (exchange.query ?? "").split(separator: "&")
    let name = "service="
    guard let field = fields.first(where: { $0.hasPrefix(name) }), field.utf8.count > name.utf8.count else {
      return try await text(exchange, 400, "name the service: /debug/decisions?service=NAMESPACE/NAME\n")
    }
    let service = field.dropFirst(name.count).replacing("%2F", with: "/").replacing("%2f", with: "/")
    guard service.split(separator: "/", omittingEmptySubsequences: false).count == 2 else {
      return try await text(exchange, 400, "service is '\(service)', must be NAMESPACE/NAME\n")
    }
    let lines = try controller.decisions(of: String(service))
    try await exchange.respond(status: 200, headers: [("Content-Type", "application/x-ndjson")], body: lines)
  }

  private func text(
    _ exchange: HTTPExchange, _ status: Int, _ body: String, type: String = "text/plain; charset=utf-8"
  ) async throws {
    try await exchange.respond(status: status, headers: [("Content-Type", type)], body: Array(body.utf8))
  }
}
