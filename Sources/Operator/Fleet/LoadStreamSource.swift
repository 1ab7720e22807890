/// Opens the load stream of a gateway: the executable brings one over libcurl, tests bring their own.
public protocol LoadStreamSource: Sendable {
  /// Sends `GET url` and returns the pieces of its body; throws when there is no answer or its status is not 200. Dropping the
  /// stream ends the exchange.
  func open(_ url: String) async throws -> AsyncThrowingStream<[UInt8], any Error>
}
