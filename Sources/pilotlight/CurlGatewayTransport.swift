import CurlTransport
import FleetProtocol
import KubernetesClient
import Operator
import Telemetry

/// Talks to the gateways over libcurl, knows them by their keys, and shows them who it is.
struct CurlGatewayTransport: GatewayTransport {
  private let driver: CurlDriver
  private let token: (any CredentialSource)?
  private let refusals: Counter
  private let distrusts: Counter

  /// - Parameter token: of the audience that the gateways want; nil: they want none.
  init(driver: CurlDriver, token: (any CredentialSource)?, metrics: MetricsRegistry) {
    self.driver = driver
    self.token = token
    refusals = metrics.counter(
      "pilotlight_gateway_refusals_total", help: "Requests of the controller that a gateway did not let in, by status.",
      labels: ["code"])
    distrusts = metrics.counter(
      "pilotlight_gateway_distrusts_total",
      help: "Requests of the controller that were not sent because the gateway could not show that it is that gateway.",
      labels: ["reason"])
  }

  /// Snapshots come at least every second: a stream that is silent for longer is half open.
  private static let silence: Duration = .seconds(5)
  private static let connectTimeout: Duration = .seconds(3)

  /// A gateway answered, but not with what it was asked for.
  struct UnexpectedStatus: Error, CustomStringConvertible {
    var url: String
    var status: Int
    var wanted: String
    /// What it said, one line at most.
    var text = ""
    var description: String { "\(url) answered \(status) instead of \(wanted)\(text.isEmpty ? "" : ": \(text)")" }
  }

  func open(_ path: String, at gateway: GatewayTarget) async throws -> AsyncThrowingStream<[UInt8], any Error> {
    let (credential, request) = try await prepared(path, at: gateway) { request in
      request.connectTimeout = Self.connectTimeout
      request.idleTimeout = Self.silence
      request.bodyLimit = 4 << 20
    }
    let stream = try await trusted { try await driver.stream(request) }
    guard stream.head.status == 200 else {
      note(stream.head.status, of: credential)
      throw UnexpectedStatus(url: request.url, status: stream.head.status, wanted: "the load stream")
    }
    return stream.body
  }

  func put(_ path: String, _ body: [UInt8], at gateway: GatewayTarget, timeout: Duration) async throws -> [UInt8] {
    let (credential, request) = try await prepared(path, at: gateway) { request in
      request.method = "PUT"
      request.headers.append(("Content-Type", SlotMessage.contentType))
      request.body = body
      request.connectTimeout = timeout
      request.timeout = timeout
      request.bodyLimit = 64 << 10
    }
    let (head, answer) = try await trusted { try await driver.send(request) }
    guard head.status == 200 else {
      note(head.status, of: credential)
      let line = answer.prefix(500).prefix { $0 >= 0x20 }
      throw UnexpectedStatus(
        url: request.url, status: head.status, wanted: "200", text: String(decoding: line, as: UTF8.self))
    }
    return answer
  }

  private func prepared(
    _ path: String, at gateway: GatewayTarget, _ change: (inout CurlRequest) -> Void
  ) async throws -> (Credential?, CurlRequest) {
    var tls = CurlTLS()
    switch gateway.trust {
    case .plain: break
    case .key(let key): tls = CurlTLS(pinnedPublicKey: key.pin)
    case .none(let why):
      distrusts.increment(why.label)
      throw why
    }
    let credential = try await token?.credential()
    // No proxy leads to a pod, whatever the environment says of those to the API server.
    var request = CurlRequest(url: gateway.url(path), headers: Self.headers(credential), tls: tls, proxy: "")
    change(&request)
    return (credential, request)
  }

  /// Counts who was not who it should be. libcurl sends nothing, the token neither, before the key was seen.
  private func trusted<Answer>(_ exchange: () async throws -> Answer) async throws -> Answer {
    do { return try await exchange() } catch let error as TransportError {
      if error.code == .wrongKey { distrusts.increment("wrong_key") }
      if error.code == .tls { distrusts.increment("tls") }
      throw error
    }
  }

  private static func headers(_ credential: Credential?) -> [(name: String, value: String)] {
    credential?.token.map { [("Authorization", "Bearer \($0)")] } ?? []
  }

  /// A token that is not taken may have been renewed: the next attempt reads it again.
  private func note(_ status: Int, of credential: Credential?) {
    guard status == 401 || status == 403 else { return }
    if let credential { token?.invalidate(credential) }
    refusals.increment(String(status))
  }
}
