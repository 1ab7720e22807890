import HTTPWire

/// One request and its answer. Lives on the loop of its server, from the call of the handler until it returns.
///
/// `@unchecked Sendable`: loop-confined; every call checks that it is made on the loop.
public final class HTTPExchange: @unchecked Sendable {
  enum Response {
    case none
    /// `remaining` bytes of an announced length.
    case length(remaining: Int)
    case chunked
    case untilClose
    /// A response without a body: what is written is dropped.
    case bodiless
    case finished
    case aborted
  }

  /// The request's start line and fields.
  public let head: RequestHead
  let connection: HTTPServerConnection
  var response = Response.none
  var keepsConnection: Bool
  /// Whether the client waits for 100 (Continue): it may send its body unasked, or not at all.
  private(set) var awaitsContinue: Bool
  private var disconnectAction: (() -> Void)?

  init(head: RequestHead, connection: HTTPServerConnection) {
    self.head = head
    self.connection = connection
    keepsConnection = head.keepsAlive
    awaitsContinue = head.expectsContinue && head.framing != .none
  }

  public var loop: EventLoop { connection.server.loop }
  public var method: String { head.method }
  /// The target as sent.
  public var target: String { head.target }
  /// The target up to `?`.
  public var path: String { head.path }
  public var query: String? { head.query }
  public var headers: HTTPHeaders { head.headers }
  /// The client's end of the connection.
  public var remoteAddress: SocketAddress { connection.peer }
  /// Whether the connection is TLS.
  public var isSecure: Bool { connection.channel.tls != nil }

  // MARK: The request's body

  /// Whether the request has a body, be it empty.
  public var hasBody: Bool { head.framing != .none }

  /// The body's length, where the client announced one; 0 when there is no body.
  public var contentLength: Int? {
    switch head.framing {
    case .none: 0
    case .length(let length): length
    case .chunked, .untilClose: nil
    }
  }

  /// The next piece of the body, nil at its end. Reads from the socket only now, so that an unread body waits at the
  /// client; the first call sends 100 (Continue) where the client waits for it.
  public func readBody() async throws -> [UInt8]? {
    var piece: [UInt8]?
    _ = try await readBody { piece = Array($0) }
    return piece
  }

  /// Hands the next piece of the body to `consume` without copying it; false at the end. The bytes are valid during the
  /// call only.
  public func readBody(_ consume: (UnsafeRawBufferPointer) throws -> Void) async throws -> Bool {
    loop.preconditionOnLoop()
    sendContinue()
    let deadline = loop.now + connection.server.configuration.bodyTimeout
    do {
      return try await connection.reader.readBody(until: deadline, consume)
    } catch let error as WireError {
      keepsConnection = false
      throw HTTPError(error)
    } catch {
      keepsConnection = false
      throw error
    }
  }

  /// The whole body. Throws `.bodyTooLarge` before a byte more than `limit` is kept.
  public func readWholeBody(limit: Int) async throws -> [UInt8] {
    let tooLarge = HTTPError(.bodyTooLarge, "request body is larger than \(limit) bytes")
    if let contentLength, contentLength > limit { throw tooLarge }
    var whole: [UInt8] = []
    while let piece = try await readBody() {
      guard whole.count + piece.count <= limit else { throw tooLarge }
      // The first piece is most often all there is, and is taken as it stands.
      if whole.isEmpty { whole = piece } else { whole.append(contentsOf: piece) }
    }
    return whole
  }

  private func sendContinue() {
    guard awaitsContinue else { return }
    awaitsContinue = false
    guard case .none = response else { return }
    connection.channel.enqueue { $0.append(contentsOf: "HTTP/1.1 100 Continue\r\n\r\n".utf8) }
  }

  /// Whether a body remains that would have to be read before the next request, beyond what is worth reading.
  var hasUnwantedBody: Bool {
    if connection.reader.body.isComplete { return false }
    if awaitsContinue { return true }
    guard let remaining = connection.reader.body.remaining else { return false }
    return remaining > connection.server.configuration.drainLimit
  }

  // MARK: The client

  /// Whether the client has gone, as far as is known.
  public private(set) var isDisconnected = false

  /// Sets what is called, once and on the loop, when the client goes while the handler runs; nil takes it back. Watched
  /// even when nothing is read or written. Called at once when the client has gone already.
  public func onDisconnect(_ body: (() -> Void)?) {
    loop.preconditionOnLoop()
    disconnectAction = body
    if isDisconnected || connection.clientHasGone { clientGone() }
  }

  func clientGone() {
    isDisconnected = true
    let action = disconnectAction
    disconnectAction = nil
    action?()
  }

  // MARK: The end

  /// Called when the handler has returned. Answers whether another request may follow on the connection.
  func conclude() async throws -> Bool {
    disconnectAction = nil
    switch response {
    case .finished: break
    case .none:
      guard connection.channel.isOpen else { return false }
      keepsConnection = false
      try await respond(status: 500, headers: [], body: [])
    default:
      abort()
      return false
    }
    guard keepsConnection, connection.channel.isOpen else { return false }
    return try await drainBody()
  }

  private func drainBody() async throws -> Bool {
    let reader = connection.reader
    if reader.body.isComplete { return true }
    if hasUnwantedBody { return false }
    var dropped = 0
    let deadline = loop.now + .seconds(5)
    while dropped <= connection.server.configuration.drainLimit {
      guard try await reader.readBody(until: deadline, { dropped += $0.count }) else { return true }
    }
    return false
  }
}
