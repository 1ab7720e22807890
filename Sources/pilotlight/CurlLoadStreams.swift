import CurlTransport
import Operator

/// Opens the gateways' load streams over libcurl.
struct CurlLoadStreams: LoadStreamSource {
  let driver: CurlDriver

  /// Snapshots come at least every second: a stream that is silent for longer is half open.
  private static let silence: Duration = .seconds(5)

  /// A gateway answered, but not with its load.
  struct UnexpectedStatus: Error, CustomStringConvertible {
    var url: String
    var status: Int
    var description: String { "\(url) answered \(status) instead of the load stream" }
  }

  func open(_ url: String) async throws -> AsyncThrowingStream<[UInt8], any Error> {
    let stream = try await driver.stream(
      CurlRequest(url: url, connectTimeout: .seconds(3), idleTimeout: Self.silence, bodyLimit: 4 << 20))
    guard stream.head.status == 200 else { throw UnexpectedStatus(url: url, status: stream.head.status) }
    return stream.body
  }
}
