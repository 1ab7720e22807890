/// Talks to the gateways: the executable brings one over libcurl, tests bring their own.
public protocol GatewayTransport: Sendable {
  /// Sends `GET path` and returns the pieces of its body; throws when there is no answer or its status is not 200. Dropping the
  /// stream ends the exchange.
  func open(_ path: String, at gateway: GatewayTarget) async throws -> AsyncThrowingStream<[UInt8], any Error>

  /// Sends `PUT path` with a JSON body and returns the body of the answer; throws when there is none within `timeout` or its
  /// status is not 200.
  func put(_ path: String, _ body: [UInt8], at gateway: GatewayTarget, timeout: Duration) async throws -> [UInt8]
}
