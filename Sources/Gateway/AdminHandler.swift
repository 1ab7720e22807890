import EventLoop
import FleetProtocol
import Telemetry

/// Answers on the admin port: health, readiness, metrics, the state for people, and what is the controller's.
final class AdminHandler: Sendable {
  private let core: GatewayCore
  private let fleet: FleetHandler
  private let admin: any AdminGuard

  init(core: GatewayCore, fleet: FleetHandler, admin: any AdminGuard) {
    self.core = core
    self.fleet = fleet
    self.admin = admin
  }

  @Sendable func handle(_ exchange: HTTPExchange) async {
    do {
      // Here for a controller on this machine, and for one of the version before, which knows no other port.
      if try await fleet.answers(exchange) { return }
      guard exchange.method == "GET" || exchange.method == "HEAD" else {
        try await respond(exchange, 405, "only GET is answered here\n", extra: [("allow", "GET, HEAD")])
        return
      }
      switch exchange.path {
      case "/healthz", "/livez": try await respond(exchange, 200, "ok\n")
      case "/readyz": try await ready(exchange)
      case "/metrics":
        try await respond(
          exchange, 200, core.renderMetrics(now: exchange.loop.moment), type: MetricsRegistry.contentType)
      case "/debug/state":
        if try await admin.admits(exchange, to: .debug, refusals: core.metrics.adminRefusals) {
          try await state(exchange)
        }
      default:
        try await respond(
          exchange, 404,
          "here are /healthz, /readyz, /metrics, /debug/state, \(LoadSnapshot.path) and PUT \(SlotMessage.path)\n")
      }
    } catch {
      exchange.abort()
    }
  }

  private func ready(_ exchange: HTTPExchange) async throws {
    if core.isDraining {
      try await respond(exchange, 503, "shutting down\n")
    } else if core.current == nil {
      try await respond(
        exchange, 503, "the cluster's services are not known yet\(core.problem.map { ": \($0)" } ?? "")\n")
    } else {
      try await respond(exchange, 200, "ok\n")
    }
  }

  private func respond(
    _ exchange: HTTPExchange, _ status: Int, _ text: String, type: String = "text/plain; charset=utf-8",
    extra: [(String, String)] = []
  ) async throws {
    try await exchange.respond(
      status: status, headers: [("content-type", type)] + extra, body: Array(text.utf8))
  }

  /// Every service with its names, replicas and load, for somebody who looks into a running gateway.
  private func state(_ exchange: HTTPExchange) async throws {
    var text = "gateway \(core.configuration.identity)\n"
    text += "hold \(core.budget.heldRequests) of \(core.budget.maxRequests) requests, "
    text += "\(core.budget.heldBytes) of \(core.budget.maxBytes) bytes\n"
    if let current = core.current {
      text += "share \(current.view.share.index + 1) of \(current.view.share.count)\ndomain \(current.view.domain)\n"
      for routed in current.services {
        let (service, gate) = (routed.route, routed.gate)
        let load = gate.report(exchange.loop.moment).load
        let health = gate.healthByPod
        text += "\n\(service.key) model=\(service.modelName) held=\(load.held) inFlight=\(load.inFlight) "
        text += "requests=\(load.requestsTotal) drainEpoch=\(load.drainEpochSeen) "
        text +=
          "slots=\(load.slots ?? 0)/\(load.capacity ?? 0) slotsEpoch=\(load.slotsEpoch.map(String.init) ?? "none")\n"
        if service.canaryPercent > 0 { text += "  canary takes \(service.canaryPercent)%\n" }
        if let refusal = service.refusal { text += "  refused: \(refusal.reason): \(refusal.message)\n" }
        for replica in service.replicas {
          let inFlight = load.inFlightByPod[replica.podUID] ?? 0
          text += "  \(replica.pool.rawValue) \(replica.podUID) \(replica.address) ready=\(replica.isReady)"
          text += " leaving=\(replica.isLeaving) inFlight=\(inFlight)/\(replica.maxConcurrency)"
          text += " health=\(health[replica.podUID] ?? .unchecked)\n"
        }
      }
    }
    try await respond(exchange, 200, text)
  }
}

extension EventLoop {
  /// The loop's idea of now, on both clocks.
  var moment: Now { Now(monotonic: now, wall: wallClock) }
}
