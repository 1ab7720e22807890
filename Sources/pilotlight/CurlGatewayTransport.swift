import CurlTransport
import FleetProtocol
import Operator
import Telemetry

/// Talks to the gateways over libcurl, and shows them who it is.
struct CurlGatewayTransport: GatewayTransport {
  private let driver: CurlDriver
  private let token: (any CredentialSource)?
  private let refusals: Counter

  /// - Parameter token: of the audience that the gateways want; nil: they want none.
  init(driver: CurlDriver, token: (any CredentialSource)?, metrics: MetricsRegistry) {
    self.driver = driver
    self.token = token
    refusals = metrics.counter(
      "pilotlight_gateway_refusals_total", help: "Requests of the controller that a gateway did not let in, by status.",
      labels: ["code"])
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

  func open(_ url: String) async throws -> AsyncThrowingStream<[UInt8], any Error> {
    let credential = try await token?.credential()
    let stream = try await driver.stream(
      CurlRequest(
        url: url, headers: Self.headers(credential), connectTimeout: Self.connectTimeout, idleTimeout: Self.silence,
        bodyLimit: 4 << 20))
    guard stream.head.status == 200 else {
      note(stream.head.status, of: credential)
      throw UnexpectedStatus(url: url, status: stream.head.status, wanted: "the load stream")
    }
    return stream.body
  }

  func put(_ url: String, _ body: [UInt8], timeout: Duration) async throws -> [UInt8] {
    let credential = try await token?.credential()
    let (head, answer) = try await driver.send(
      CurlRequest(
        method: "PUT", url: url, headers: Self.headers(credential) + [("Content-Type", SlotMessage.contentType)],
        body: body,
        connectTimeout: timeout, timeout: timeout, bodyLimit: 64 << 10))
    guard head.status == 200 else {
      note(head.status, of: credential)
      let line = answer.prefix(500).prefix { $0 >= 0x20 }
      throw UnexpectedStatus(
        url: url, status: head.status, wanted: "200", text: String(decoding: line, as: UTF8.self))
    }
    return answer
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
