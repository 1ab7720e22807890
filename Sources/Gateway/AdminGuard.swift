import EventLoop
import HTTPWire
import Telemetry

/// What the admin port is asked for, besides health and metrics.
public enum AdminUse: Sendable {
  /// The load stream and the slots: the controller's.
  case fleet
  /// The state for people.
  case debug
}

/// Whether somebody may use the admin port so.
public enum AdminVerdict: Hashable, Sendable {
  case allowed
  /// 401: no token, or one that is nobody's.
  case unauthenticated(String)
  /// 403: somebody else may.
  case forbidden(String)
  /// 503: it cannot be found out now.
  case unknown(String)
}

/// Decides who may use the admin port for more than health and metrics.
public protocol AdminGuard: Sendable {
  /// - Parameters:
  ///   - token: of the `Authorization` field; nil: none was shown.
  ///   - peer: the client's address, without its port.
  func judge(_ use: AdminUse, token: String?, peer: String) async -> AdminVerdict
}

/// Lets everybody in: for a listener that only this machine reaches.
public struct OpenAdmin: AdminGuard {
  public init() {}
  public func judge(_ use: AdminUse, token: String?, peer: String) async -> AdminVerdict { .allowed }
}

/// Lets nobody in: there is no cluster that knows who is who.
public struct ClosedAdmin: AdminGuard {
  public init() {}
  public func judge(_ use: AdminUse, token: String?, peer: String) async -> AdminVerdict {
    .forbidden("there is no cluster to ask who you are; see --admin-auth")
  }
}

extension AdminGuard {
  /// Whether the request may go on; it is answered when it may not, before anything of its body is read.
  /// - Parameter refusals: counts by status code.
  public func admits(_ exchange: HTTPExchange, to use: AdminUse, refusals: Counter) async throws -> Bool {
    let token = exchange.headers.first("authorization").flatMap(BearerCredentials.token)
    let (status, text, extra): (Int, String, [(String, String)])
    switch await judge(use, token: token, peer: exchange.remoteAddress.host) {
    case .allowed: return true
    case .unauthenticated(let why): (status, text, extra) = (401, why, [("www-authenticate", "Bearer")])
    case .forbidden(let why): (status, text, extra) = (403, why, [])
    case .unknown(let why): (status, text, extra) = (503, why, [("retry-after", "1")])
    }
    refusals.increment(String(status))
    try await exchange.respond(
      status: status, headers: [("content-type", "text/plain; charset=utf-8")] + extra, body: Array("\(text)\n".utf8))
    return false
  }
}
