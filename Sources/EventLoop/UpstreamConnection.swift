import Glibc
import HTTPWire

/// A client connection, for one request at a time: send a head, the body's pieces, read the head, the body's pieces.
///
/// Any error closes it, cancellation included, so that a request nobody waits for ends at its server too.
/// `@unchecked Sendable`: loop-confined; every call checks that it is made on the loop.
public final class UpstreamConnection: ChannelObserver, @unchecked Sendable {
  private enum Sending {
    case idle
    case length(remaining: Int)
    case chunked
    case complete
  }

  public let address: SocketAddress
  /// Whether it has carried a request before this one.
  public private(set) var isReused = false
  let tls: TLSClientContext?
  let target: UpstreamPool.Target
  private let pool: UpstreamPool
  private let channel: ByteChannel
  private let reader: MessageReader
  private var sending = Sending.idle
  private var isHead = false
  private var head: ResponseHead?
  private var isIdle = false
  private var isCounted = true

  init(pool: UpstreamPool, target: UpstreamPool.Target, address: SocketAddress, tls: TLSClientContext?) throws {
    self.pool = pool
    self.target = target
    self.address = address
    self.tls = tls
    let descriptor = try Socket.connect(to: address)
    let session: TLSSession?
    do {
      session = try tls.map { try TLSSession(client: $0, descriptor: descriptor, address: address) }
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    channel = try ByteChannel(
      loop: pool.loop, descriptor: descriptor, tls: session, isConnected: false, writeTimeout: pool.writeTimeout)
    reader = MessageReader(channel: channel, limits: pool.limits)
  }

  public var key: String { target.key }

  public var loop: EventLoop { pool.loop }

  func open(until deadline: Duration) async throws {
    isCounted = false  // Until it is open, the pool counts it itself.
    do {
      while !channel.isWritable { try await channel.waitWritable(until: deadline) }
      let result = Socket.connectResult(channel.descriptor)
      guard result == 0 else {
        throw HTTPError(.connectFailed, "connect to \(address): \(HTTPError.describe(result))")
      }
      try await channel.handshake(until: deadline)
    } catch {
      channel.close()
      throw Self.connectError(error, address)
    }
    isCounted = true
    channel.observer = self
  }

  private static func connectError(_ error: any Error, _ address: SocketAddress) -> any Error {
    guard let error = error as? HTTPError else { return error }
    switch error.code {
    case .timedOut: return HTTPError(.timedOut, "connect to \(address): no answer in time")
    case .disconnected: return HTTPError(.connectFailed, "connect to \(address): \(error.message)")
    default: return error
    }
  }

  // MARK: Sending

  /// Sends a request's head. It goes out with the first piece of body, or when the head of the response is read, or at
  /// the end of this turn of the loop.
  public func send(head: RequestHeadBytes) async throws {
    try checkOpen()
    guard case .idle = sending else { throw HTTPError(.misused, "the previous request is not complete") }
    isHead = head.isHead
    switch head.framing {
    case .none, .length(0): sending = .complete
    case .length(let length): sending = .length(remaining: length)
    case .chunked, .untilClose: sending = .chunked
    }
    head.octets.withUnsafeBytes { channel.enqueue($0) }
  }

  /// Sends a piece of the body, in the framing its head announced.
  ///
  /// - Returns: false once the response has begun: the server may not want the rest. The caller may go on or stop.
  @discardableResult
  public func sendBody(_ bytes: [UInt8]) async throws -> Bool {
    try bytes.withUnsafeBytes { try enqueueBody($0) }
    return try await bodyDrained()
  }

  /// Sends or queues a piece of the body without waiting; call `bodyDrained` before the next one. For relaying from the
  /// closure of `HTTPExchange.readBody`, where nothing may be awaited.
  public func enqueueBody(_ bytes: UnsafeRawBufferPointer) throws {
    try checkOpen()
    switch sending {
    case .idle: throw HTTPError(.misused, "body sent before its head")
    case .complete: if !bytes.isEmpty { throw HTTPError(.misused, "the request is complete") }
    case .chunked:
      guard !bytes.isEmpty else { return }
      channel.enqueue { ChunkedEncoder.appendSize(bytes.count, to: &$0) }
      channel.enqueue(bytes)
      channel.enqueue { $0.append(contentsOf: "\r\n".utf8) }
    case .length(let remaining):
      guard bytes.count <= remaining else {
        throw HTTPError(.misused, "body is longer than the Content-Length announced")
      }
      sending = remaining == bytes.count ? .complete : .length(remaining: remaining - bytes.count)
      channel.enqueue(bytes)
    }
  }

  /// Returns once little enough is queued for the server, or its response has begun; false in that case.
  @discardableResult
  public func bodyDrained() async throws -> Bool {
    try checkOpen()
    do {
      while channel.queued > ByteChannel.highWater, !responseHasBegun {
        channel.flush()
        if channel.queued > 0 { try await channel.waitWritable(until: nil) }
      }
    } catch {
      close()
      throw error
    }
    return !responseHasBegun
  }

  /// Returns once little enough is queued for the server, whether or not its response has begun: for a caller that reads
  /// the response at the same time.
  public func bodyTaken() async throws {
    try checkOpen()
    do {
      while channel.queued > ByteChannel.highWater {
        channel.flush()
        if channel.queued > ByteChannel.highWater { try await channel.waitWritable(until: nil) }
      }
    } catch {
      close()
      throw error
    }
  }

  /// Ends the body. Needed after a chunked one; harmless after any.
  public func finishBody() async throws {
    try checkOpen()
    switch sending {
    case .idle: throw HTTPError(.misused, "body ended before its head")
    case .length(let remaining):
      close()
      throw HTTPError(.misused, "body is \(remaining) bytes shorter than the Content-Length announced")
    case .chunked: channel.enqueue { output in ChunkedEncoder.end.withUTF8Buffer { output.append(contentsOf: $0) } }
    case .complete: break
    }
    sending = .complete
    channel.flush()
  }

  /// Whether bytes of a response have come.
  public var responseHasBegun: Bool { head != nil || reader.hasInput || channel.isReadable }

  // MARK: Receiving

  /// The head of the response, interim ones (1xx) skipped.
  ///
  /// - Parameter timeout: until the whole head is there.
  public func readHead(timeout: Duration) async throws -> ResponseHead {
    try checkOpen()
    channel.flush()
    let deadline = loop.now + timeout
    do {
      while true {
        let parser = ResponseHeadParser(isHead: isHead, limits: pool.limits)
        guard let head = try await reader.readHead(parser, idleDeadline: deadline, headTimeout: deadline - loop.now)
        else {
          if loop.now >= deadline { throw HTTPError(.timedOut, "\(address) did not answer within \(timeout)") }
          throw HTTPError(.disconnected, "\(address) closed the connection before it answered")
        }
        if head.isInterim { continue }
        self.head = head
        reader.beginBody(head.framing)
        return head
      }
    } catch {
      throw closing(error)
    }
  }

  /// The next piece of the body, its coding taken off; nil at its end.
  ///
  /// - Parameter idleTimeout: how long the server may send nothing.
  public func readBody(idleTimeout: Duration) async throws -> [UInt8]? {
    var piece: [UInt8]?
    _ = try await readBody(idleTimeout: idleTimeout) { piece = Array($0) }
    return piece
  }

  /// Hands the next piece of the body to `consume` without copying it; false at the end. The bytes are valid during the
  /// call only.
  public func readBody(
    idleTimeout: Duration, _ consume: (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Bool {
    loop.preconditionOnLoop()
    do {
      return try await reader.readBody(until: loop.now + idleTimeout, consume)
    } catch {
      throw closing(error)
    }
  }

  private func closing(_ error: any Error) -> any Error {
    close()
    guard let error = error as? WireError else { return error }
    return HTTPError(.malformed, "\(address) sent no valid response: \(error.reason)")
  }

  // MARK: The end

  /// Whether the request and its response are complete and both sides allow another on this connection.
  var isReusable: Bool {
    switch sending {
    case .idle: break  // Connected, and not needed after all.
    case .complete:
      guard let head, head.keepsAlive, reader.body.isComplete, !head.isUpgrade else { return false }
    case .length, .chunked: return false
    }
    return channel.queued == 0 && !reader.hasInput && channel.isQuiet()
  }

  func becomeIdle(until deadline: Duration) {
    isIdle = true
    channel.watch(untilNanoseconds: deadline.inNanoseconds)
  }

  /// Readies it for its next request; false when it is no use any more.
  func beginReuse() -> Bool {
    guard isReusable else { return false }
    isIdle = false
    channel.watch(untilNanoseconds: .max)
    isReused = true
    sending = .idle
    head = nil
    return true
  }

  /// Gives up its socket, if it could carry another request, to somebody who makes another connection of it.
  public func detach() -> ByteChannel? {
    guard isReusable else { return nil }
    channel.watch(untilNanoseconds: .max)
    channel.observer = nil
    if isCounted {
      isCounted = false
      pool.connectionClosed(of: target)
    }
    return channel
  }

  /// Closes it now, whatever it is at.
  public func close() {
    loop.preconditionOnLoop()
    channel.observer = nil
    channel.close()
    if isCounted {
      isCounted = false
      pool.connectionClosed(of: target)
    }
  }

  private func checkOpen() throws {
    loop.preconditionOnLoop()
    if !channel.isOpen { throw channel.failure ?? .disconnected }
  }

  // MARK: ChannelObserver

  public func channelPeerEnded() { if isIdle { pool.dropIdle(self) } }

  /// A server that speaks without being asked (or closes) is not used again.
  public func channelHasInput() {
    if !isIdle {
      channel.resumeWriter()
    } else if !channel.isQuiet() {
      pool.dropIdle(self)
    }
  }

  public func channelDeadlinePassed() { if isIdle { pool.dropIdle(self) } }
}
