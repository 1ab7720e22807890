import CurlTransport
import FleetProtocol
import Operator

/// Talks to the gateways over libcurl.
struct CurlGatewayTransport: GatewayTransport {
  let driver: CurlDriver

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
    let stream = try await driver.stream(
      CurlRequest(url: url, connectTimeout: Self.connectTimeout, idleTimeout: Self.silence, bodyLimit: 4 << 20))
    guard stream.head.status == 200 else {
      throw UnexpectedStatus(url: url, status: stream.head.status, wanted: "the load stream")
    }
    return stream.body
  }

  func put(_ url: String, _ body: [UInt8], timeout: Duration) async throws -> [UInt8] {
    let (head, answer) = try await driver.send(
      CurlRequest(
        method: "PUT", url: url, headers: [("Content-Type", SlotMessage.contentType)], body: body,
        connectTimeout: timeout, timeout: timeout, bodyLimit: 64 << 10))
    guard head.status == 200 else {
      let line = answer.prefix(500).prefix { $0 >= 0x20 }
      throw UnexpectedStatus(
        url: url, status: head.status, wanted: "200", text: String(decoding: line, as: UTF8.self))
    }
    return answer
  }
}
