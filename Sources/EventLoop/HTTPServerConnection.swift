import Glibc
import HTTPWire

/// One client connection: reads a request, has it handled, and so on until either side has enough.
///
/// `@unchecked Sendable`: loop-confined; its task runs on the loop.
final class HTTPServerConnection: ChannelObserver, @unchecked Sendable {
  let server: HTTPServer
  let channel: ByteChannel
  let reader: MessageReader
  let peer: SocketAddress
  /// Whether it waits for the first byte of a request.
  private(set) var isIdle = true
  private var wasRefused = false
  private var exchange: HTTPExchange?
  private var task: Task<Void, Never>?

  init(server: HTTPServer, descriptor: Int32, peer: SocketAddress) throws {
    self.server = server
    self.peer = peer
    let session: TLSSession?
    do {
      session = try server.tls.map { try TLSSession(server: $0, descriptor: descriptor) }
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    channel = try ByteChannel(
      loop: server.loop, descriptor: descriptor, tls: session, isConnected: true,
      writeTimeout: server.configuration.writeTimeout)
    reader = MessageReader(channel: channel, limits: server.configuration.limits)
    channel.observer = self
  }

  func start() {
    task = Task(executorPreference: server.loop) { await self.serve() }
  }

  /// Ends it now; a handler that runs is told as if the client had gone, and its task is cancelled.
  func cut() {
    channel.close()
    task?.cancel()
  }

  private func serve() async {
    do {
      try await channel.handshake(until: server.loop.now + server.configuration.headTimeout)
      while let head = try await nextHead() {
        guard try await handle(head) else { break }
      }
    } catch let error as WireError {
      refuse(error)
    } catch let error as HTTPError where error.code == .timedOut && !isIdle {
      refuse(WireError(status: 408, reason: error.message))
    } catch {
      // The client is gone or was too slow: there is nobody to tell.
    }
    await end()
    task = nil
    server.connectionEnded(self)
  }

  private func nextHead() async throws -> RequestHead? {
    isIdle = true
    if server.announcesClose, !reader.hasInput, !channel.isReadable { return nil }
    let head = try await reader.readHead(
      RequestHeadParser(limits: server.configuration.limits),
      idleDeadline: server.loop.now + server.configuration.idleTimeout,
      headTimeout: server.configuration.headTimeout, onFirstByte: { isIdle = false })
    isIdle = false
    return head
  }

  /// Answers whether another request may follow.
  private func handle(_ head: RequestHead) async throws -> Bool {
    reader.beginBody(head.framing)
    let exchange = HTTPExchange(head: head, connection: self)
    self.exchange = exchange
    await server.handler(exchange)
    self.exchange = nil
    return try await exchange.conclude()
  }

  /// Answers bytes that are no request. The reason names the fault and never repeats what the client sent.
  private func refuse(_ error: WireError) {
    wasRefused = true
    guard channel.isOpen, exchange == nil else { return }
    let text = Array((error.reason + "\n").utf8)
    channel.enqueue { output in
      ResponseHeadBytes.append(
        status: error.status, fields: FieldBlock([("Content-Type", "text/plain")]), framing: .length(text.count),
        closes: true, to: &output)
      output.append(contentsOf: text)
    }
  }

  /// Sends the rest and closes in stages: see ``LingeringClose``.
  private func end() async {
    do {
      try await channel.waitDrained()
      if !isIdle, !channel.peerEnded {
        channel.endSending()
        let end = server.loop.now + (wasRefused ? LingeringClose.shortest : LingeringClose.longest)
        var rounds = 0
        reading: while server.loop.now < end {
          switch try channel.receive() {
          case .bytes:
            rounds += 1
            // The loop's others get their turn, and its clock goes on.
            if rounds % 16 == 0 { try await server.loop.sleep(for: .milliseconds(1)) }
          case .end: break reading
          case .wouldBlock: try await channel.waitReadable(until: min(end, server.loop.now + LingeringClose.silence))
          }
        }
      }
    } catch {
      // Closed below all the same.
    }
    channel.observer = nil
    channel.close()
  }

  // MARK: ChannelObserver

  func channelPeerEnded() { if clientHasGone { exchange?.clientGone() } }

  /// Whether the client has closed, or ended its sending half where that means the same.
  var clientHasGone: Bool {
    guard channel.isOpen, !channel.isBroken else { return true }
    return channel.peerEnded && !server.configuration.allowsHalfClose
  }

  func channelHasInput() {}

  func channelDeadlinePassed() {}
}
