import HTTPWire

/// Answering. A response is a head, pieces of body, and an end; the three go out in one send where they can.
extension HTTPExchange {
  /// Answers with a whole body. HEAD gets the same head without the body.
  public func respond(status: Int, headers: [(String, String)], body: [UInt8]) async throws {
    // Who answers at once with the whole response wants no more of the request's body.
    if hasUnwantedBody { keepsConnection = false }
    try await startResponse(status: status, headers: headers, contentLength: body.count)
    if !body.isEmpty { try await write(body) }
    try await finish()
  }

  /// Begins a response. The head goes out with the first piece of body, or at the end of this turn of the loop.
  ///
  /// - Parameters:
  ///   - headers: everything but framing fields, which follow from `contentLength`.
  ///   - contentLength: nil: chunked, or for an HTTP/1.0 client until the connection closes.
  public func startResponse(status: Int, headers: [(String, String)], contentLength: Int?) async throws {
    try startResponse(status: status, fields: FieldBlock(headers), contentLength: contentLength)
  }

  /// The same from field lines made ready before.
  public func startResponse(
    status: Int, reason: String? = nil, fields: FieldBlock, contentLength: Int?
  ) throws {
    loop.preconditionOnLoop()
    guard case .none = response else { throw HTTPError(.misused, "a response has been started already") }
    guard (200...599).contains(status) else {
      throw HTTPError(.misused, "status \(status): expected 200 to 599")
    }
    let channel = connection.channel
    if let failure = channel.failure, !channel.isOpen { throw failure }
    let framing = framing(status: status, contentLength: contentLength)
    if awaitsContinue || connection.server.announcesClose { keepsConnection = false }
    let closes = !keepsConnection
    // An HTTP/1.0 client keeps the connection only if it is told so.
    let announcesKeepAlive = head.minorVersion == 0 && !closes
    channel.enqueue { output in
      ResponseHeadBytes.append(
        status: status, reason: reason, fields: fields, framing: framing, closes: closes,
        announcesKeepAlive: announcesKeepAlive, to: &output)
    }
  }

  /// Chooses the framing and with it the state of the response (RFC 9112, 6.3).
  private func framing(status: Int, contentLength: Int?) -> BodyFraming {
    if head.isMethod("HEAD") || status == 304 {
      response = .bodiless
      return contentLength.map { .length($0) } ?? (status == 304 || head.minorVersion == 0 ? .none : .chunked)
    }
    if status == 204 {
      response = .bodiless
      return .none
    }
    if let contentLength {
      response = .length(remaining: contentLength)
      return .length(contentLength)
    }
    if head.minorVersion == 0 {
      response = .untilClose
      keepsConnection = false
      return .untilClose
    }
    response = .chunked
    return .chunked
  }

  /// Sends a piece of body. Returns once the socket has taken it or little is queued: a slow client slows the caller.
  public func write(_ bytes: [UInt8]) async throws {
    // In slices, so that a huge array is not copied into the queue.
    var start = 0
    repeat {
      let end = min(start + 4 * ByteChannel.highWater, bytes.count)
      try bytes.withUnsafeBytes { try enqueue(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
      start = end
      try await drained()
    } while start < bytes.count
  }

  public func write(_ bytes: ArraySlice<UInt8>) async throws {
    try bytes.withUnsafeBytes { try enqueue($0) }
    try await drained()
  }

  /// Sends bytes that are valid until the first suspension only: what the socket does not take at once is copied.
  public func write(_ bytes: UnsafeRawBufferPointer) async throws {
    try enqueue(bytes)
    try await drained()
  }

  /// Sends or queues a piece of body without waiting; call `drained` before the next one. For relaying from the closure
  /// of `UpstreamConnection.readBody`, where nothing may be awaited.
  public func enqueue(_ bytes: UnsafeRawBufferPointer) throws {
    loop.preconditionOnLoop()
    let channel = connection.channel
    if !channel.isOpen { throw channel.failure ?? .disconnected }
    switch response {
    case .none, .finished: throw HTTPError(.misused, "body written outside of a response")
    case .aborted: throw HTTPError.disconnected
    case .bodiless: return
    case .untilClose: channel.enqueue(bytes)
    case .length(let remaining):
      guard bytes.count <= remaining else {
        abort()
        throw HTTPError(.misused, "body is longer than the Content-Length announced")
      }
      response = .length(remaining: remaining - bytes.count)
      channel.enqueue(bytes)
    case .chunked:
      guard !bytes.isEmpty else { return }
      channel.enqueue { ChunkedEncoder.appendSize(bytes.count, to: &$0) }
      channel.enqueue(bytes)
      channel.enqueue { $0.append(contentsOf: "\r\n".utf8) }
    }
  }

  /// Returns once little enough is queued for the client. Throws when it has gone or took nothing in time.
  public func drained() async throws {
    loop.preconditionOnLoop()
    let channel = connection.channel
    if channel.queued > ByteChannel.highWater { try await channel.waitDrained() }
    if !channel.isOpen { throw channel.failure ?? .disconnected }
  }

  /// Ends the response.
  public func finish() async throws {
    loop.preconditionOnLoop()
    let channel = connection.channel
    switch response {
    case .none: throw HTTPError(.misused, "a response that was not started cannot end")
    case .finished: return
    case .aborted: throw HTTPError.disconnected
    case .length(let remaining) where remaining > 0:
      abort()
      throw HTTPError(.misused, "body is \(remaining) bytes shorter than the Content-Length announced")
    case .chunked:
      channel.enqueue { output in ChunkedEncoder.end.withUTF8Buffer { output.append(contentsOf: $0) } }
    case .length, .untilClose, .bodiless: break
    }
    response = .finished
    channel.flush()
    if !channel.isOpen { throw channel.failure ?? .disconnected }
  }

  /// Closes the connection without ending the response: the client sees that the answer was cut.
  public func abort() {
    loop.preconditionOnLoop()
    response = .aborted
    keepsConnection = false
    connection.channel.close()
  }

  /// Whether a response has been started.
  public var hasResponded: Bool {
    if case .none = response { return false }
    return true
  }
}
