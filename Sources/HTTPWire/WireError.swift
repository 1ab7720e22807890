/// Why bytes were refused, with the HTTP status a server answers them with.
///
/// A client that meets one in a response treats the peer as broken (502 for a gateway); it never guesses.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
  /// 400, 413, 414, 417, 431, 501 or 505.
  public var status: Int
  /// What was wrong, in words for the client.
  public var reason: String

  public init(status: Int, reason: String) {
    self.status = status
    self.reason = reason
  }

  static func malformed(_ reason: String) -> WireError { WireError(status: 400, reason: reason) }

  public var description: String { "\(status): \(reason)" }
}

/// The bounds a peer's bytes are held to.
public struct HTTPLimits: Hashable, Sendable {
  /// Bytes of a whole head: start line, fields, blank line.
  public var headBytes: Int
  /// Field lines in a head.
  public var headerCount: Int
  /// Bytes of a request target.
  public var targetBytes: Int
  /// Bytes of all extensions of one chunk.
  public var chunkExtensionBytes: Int
  /// Bytes of the trailer section of a chunked body.
  public var trailerBytes: Int

  public init(
    headBytes: Int = 65_536, headerCount: Int = 128, targetBytes: Int = 16_384, chunkExtensionBytes: Int = 1024,
    trailerBytes: Int = 8192
  ) {
    self.headBytes = headBytes
    self.headerCount = headerCount
    self.targetBytes = targetBytes
    self.chunkExtensionBytes = chunkExtensionBytes
    self.trailerBytes = trailerBytes
  }

  /// The same for a head that was within these limits and has got the fields of a proxy: some more lines, some of which
  /// repeat what the head says of its host and way.
  public var withRoomForForwarding: HTTPLimits {
    var limits = self
    limits.headBytes = 4 * headBytes + 4096
    limits.headerCount = headerCount + 16
    limits.targetBytes = headBytes
    return limits
  }
}
