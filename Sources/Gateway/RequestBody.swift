import EventLoop
import HTTPWire

/// A request's body on its way to a replica.
enum RequestBody: Sendable {
  case none
  /// In memory, whole: it can be sent again.
  case whole([UInt8])
  /// Still in the caller's TCP window; read as the replica takes it.
  case streamed

  /// A body up to this size is read whole before it is sent: head and body go in one write, and a retry can repeat it.
  static let smallBody = 64 << 10
}

/// What a body in memory costs the hold budget; given back once, whatever happens to the request.
struct BodyAllowance: ~Copyable {
  private let budget: HoldBudget
  private(set) var bytes = 0

  init(_ budget: HoldBudget) { self.budget = budget }

  deinit { budget.return(bytes: bytes) }

  /// Takes memory for `count` more bytes. - Throws: ``GatewayError/gatewayFull(retryAfter:)``.
  mutating func take(_ count: Int) throws(GatewayError) {
    guard budget.take(bytes: count) else { throw .gatewayFull(retryAfter: 1) }
    bytes += count
  }
}

extension HTTPExchange {
  /// Reads the whole body within a limit, memory taken from the budget piece by piece: a length that is only promised
  /// costs nothing. - Throws: ``GatewayError`` for a body past the limit or the budget.
  func readBody(
    limit: Int, domain: String, allowance: inout BodyAllowance
  ) async throws -> [UInt8] {
    if let length = contentLength, length > limit { throw GatewayError.bodyTooLarge(limit: limit, domain: domain) }
    var body: [UInt8] = []
    while let piece = try await readBody() {
      guard body.count + piece.count <= limit else { throw GatewayError.bodyTooLarge(limit: limit, domain: domain) }
      try allowance.take(piece.count)
      if body.isEmpty { body = piece } else { body.append(contentsOf: piece) }
    }
    return body
  }
}
