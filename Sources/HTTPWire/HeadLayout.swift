/// Where the parts of a request's head stand in the bytes it was parsed from, and what its fields say of its framing.
public struct RequestHeadLayout: Sendable {
  /// Where the head begins: after an empty line that is tolerated before it. All other offsets count from here.
  public let base: Int
  public let method: Range<Int>
  public let target: Range<Int>
  public let lines: [HTTPHeaders.Line]
  /// `.none`, `.length` or `.chunked`.
  public let framing: BodyFraming
  /// 0 or 1: the peer speaks HTTP/1.0 or HTTP/1.1.
  public let minorVersion: Int
  /// Whether the client allows another request on this connection.
  public let keepsAlive: Bool
  /// Whether the client waits for 100 (Continue) before it sends its body.
  public let expectsContinue: Bool
  /// Whether the client asks to switch protocols (`Connection: upgrade`).
  public let upgrades: Bool
  /// Whether `Connection` names other fields, which must not travel on.
  public let namesFields: Bool
}

/// Where the parts of a response's head stand in the bytes it was parsed from, and what its fields say of its framing.
public struct ResponseHeadLayout: Sendable {
  /// 100 to 599.
  public let status: Int
  /// The reason phrase; may be empty.
  public let reason: Range<Int>
  public let lines: [HTTPHeaders.Line]
  /// How the body is delimited, the request's method taken into account.
  public let framing: BodyFraming
  /// The Content-Length, also where no body follows (HEAD, 304).
  public let contentLength: Int?
  public let isChunked: Bool
  /// Whether the server allows another request on this connection.
  public let keepsAlive: Bool
  /// Whether the server switches protocols (`Connection: upgrade`).
  public let upgrades: Bool
  /// Whether `Connection` names other fields, which must not travel on.
  public let namesFields: Bool
}
