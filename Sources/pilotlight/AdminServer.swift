import EventLoop
import Synchronization
import Telemetry

/// Health and metrics of the controller, apart from everything else it does.
final class AdminServer: Sendable {
  /// Nil: ready.
  private let problem: @Sendable () -> String?
  private let metrics: MetricsRegistry
  private let loop: EventLoop
  /// Who lets it go stops to listen.
  private let server = Mutex<HTTPServer?>(nil)

  init(metrics: MetricsRegistry, problem: @escaping @Sendable () -> String?) throws {
    self.metrics = metrics
    self.problem = problem
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
      if let problem = problem() {
        try await text(exchange, 503, "not ready: \(problem)\n")
      } else {
        try await text(exchange, 200, "ok\n")
      }
    case "/metrics" where isRead: try await text(exchange, 200, metrics.render(), type: MetricsRegistry.contentType)
    case "/healthz", "/readyz", "/metrics": try await text(exchange, 405, "only GET and HEAD\n")
    default: try await text(exchange, 404, "there are /healthz, /readyz and /metrics\n")
    }
  }

  private func text(
    _ exchange: HTTPExchange, _ status: Int, _ body: String, type: String = "text/plain; charset=utf-8"
  ) async throws {
    try await exchange.respond(status: status, headers: [("Content-Type", type)], body: Array(body.utf8))
  }
}
