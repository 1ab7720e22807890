import EventLoop
import FleetProtocol
import HTTPWire

/// Takes the leader's word on slots, on the admin port: `PUT` of a ``SlotMessage``.
final class SlotHandler: Sendable {
  private let core: GatewayCore

  init(core: GatewayCore) { self.core = core }

  func handle(_ exchange: HTTPExchange) async throws {
    guard exchange.method == "PUT" else {
      try await refuse(exchange, 405, "slots are told by PUT, not by \(exchange.method)", extra: [("allow", "PUT")])
      return
    }
    let message: SlotMessage
    do {
      message = try SlotMessage(body: try await exchange.readWholeBody(limit: SlotMessage.bodyLimit))
    } catch let error as FleetProtocolError {
      try await refuse(exchange, 400, error.description)
      return
    } catch let error as HTTPError where error.code == .bodyTooLarge {
      try await refuse(exchange, 413, error.message)
      return
    }
    do {
      let reply = SlotReply(epoch: try core.take(message, now: exchange.loop.moment))
      try await exchange.respond(
        status: 200, headers: [("content-type", SlotMessage.contentType)], body: try reply.encoded())
    } catch let refusal as SlotRefusal {
      try await refuse(exchange, 409, refusal.description)
      return
    }
    // A renewal comes before these, or else they find what has lapsed.
    for age in [SlotTable.whole, SlotTable.life] {
      _ = exchange.loop.schedule(after: age) { [core, loop = exchange.loop] in core.lapseSlots(loop.moment) }
    }
  }

  private func refuse(
    _ exchange: HTTPExchange, _ status: Int, _ text: String, extra: [(String, String)] = []
  ) async throws {
    try await exchange.respond(
      status: status, headers: [("content-type", "text/plain; charset=utf-8")] + extra, body: Array("\(text)\n".utf8))
  }
}

/// Slots that are dealt among other gateways than this one knows: it shares evenly until both have the same view.
struct SlotRefusal: Error, Equatable, CustomStringConvertible {
  var dealt: [String]
  var known: [String]

  var description: String {
    let names = { (names: [String]) in names.isEmpty ? "none by name" : names.joined(separator: ", ") }
    return
      "these slots are dealt among the gateways \(names(dealt)); this one knows \(names(known)), and must know the same"
  }
}
