import EventLoop
import FleetProtocol
import Synchronization
import Telemetry

/// Answers the controller: the load stream, and the slots it deals.
final class FleetHandler: Sendable {
  private let core: GatewayCore
  private let slots: SlotHandler
  private let admin: any AdminGuard
  private let bootID: String
  private let sequence = Atomic(0)

  init(core: GatewayCore, admin: any AdminGuard) {
    self.core = core
    self.admin = admin
    slots = SlotHandler(core: core)
    bootID = String(UInt64.random(in: 0 ... .max), radix: 16)
  }

  /// Answers on a listener of its own.
  @Sendable func handle(_ exchange: HTTPExchange) async {
    do {
      guard try await answers(exchange) else {
        try await exchange.respond(
          status: 404, headers: [("content-type", "text/plain; charset=utf-8")],
          body: Array("here are \(LoadSnapshot.path) and PUT \(SlotMessage.path)\n".utf8))
        return
      }
    } catch {
      exchange.abort()
    }
  }

  /// Answers what is its own. - Returns: false where the path is somebody else's.
  func answers(_ exchange: HTTPExchange) async throws -> Bool {
    switch exchange.path {
    case SlotMessage.path:
      if try await admits(exchange) { try await slots.handle(exchange) }
    case LoadSnapshot.path where exchange.method == "GET" || exchange.method == "HEAD":
      if try await admits(exchange) { try await stream(exchange) }
    default: return false
    }
    return true
  }

  private func admits(_ exchange: HTTPExchange) async throws -> Bool {
    try await admin.admits(exchange, to: .fleet, refusals: core.metrics.adminRefusals)
  }

  /// One snapshot at once, then one each second and whenever there is news, until the reader goes.
  private func stream(_ exchange: HTTPExchange) async throws {
    try await exchange.startResponse(
      status: 200, headers: [("content-type", LoadSnapshot.contentType), ("cache-control", "no-store")],
      contentLength: nil)
    var sent: [ServiceKey: SentLoad] = [:]
    var version = core.feed.version
    while !exchange.isDisconnected {
      try await exchange.write(try snapshot(&sent, now: exchange.loop.moment).encodedLine())
      version = await core.feed.wait(after: version, timeout: core.configuration.loadInterval, on: exchange.loop)
    }
    exchange.abort()
  }

  private func snapshot(_ sent: inout [ServiceKey: SentLoad], now: Now) -> LoadSnapshot {
    LoadSnapshot(
      gateway: core.configuration.identity, bootID: bootID, sequence: sequence.add(1, ordering: .relaxed).newValue,
      services: core.loads(since: &sent, now: now), takesSlots: true)
  }
}
