/// Talks to the gateways' admin ports: the executable brings one over libcurl, tests bring their own.
public protocol GatewayTransport: Sendable {
  /// Sends `GET url` and returns the pieces of its body; throws when there is no answer or its status is not 200. Dropping the
  /// stream ends the exchange.
  func open(_ url: String) async throws -> AsyncThrowingStream<[UInt8], any Error>

  /// Sends `PUT url` with a JSON body and returns the body of the answer; throws when there is none within `timeout` or its
  /// status is not 200.
  func put(_ url: String, _ body: [UInt8], timeout: Duration) async throws -> [UInt8]
}
