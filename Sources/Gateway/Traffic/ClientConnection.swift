import EventLoop
import HTTPWire
import Telemetry

/// One caller's connection: a state machine that its sockets' events drive. It reads a request, finds its service, places
/// or holds it, passes it on and its answer back, and so on until either side has enough.
///
/// No task and no closure belongs to a request, so that a request costs little and one that waits next to nothing.
///
/// `@unchecked Sendable`: loop-confined; `HeldCall.end` is the one way in from other threads, and hops to the loop.
final class ClientConnection: ChannelObserver, ReplicaConnectionOwner, @unchecked Sendable {
  enum Phase {
    /// The TLS handshake is not complete.
    case handshake
    /// Not a byte of a request has come.
    case waiting
    /// Some of a head has come.
    case head
    /// The body is read, to be searched for its model.
    case body
    /// It waits for a slot.
    case held
    /// It has a slot, and waits for a connection to its replica.
    case connecting
    /// Request and answer pass.
    case exchange
    /// The answer is out; the rest of the request's body is read and dropped.
    case draining
    /// The protocol was switched: bytes pass both ways.
    case tunnel
    /// The last answer is on its way out; what still comes is dropped.
    case ending
    case closed
  }

  let server: TrafficServer
  let channel: ByteChannel
  let peer: SocketAddress
  var phase = Phase.waiting
  /// Received, and not used yet.
  var input: [UInt8] = []
  /// A head that comes in pieces.
  var partialHead: PartialRequestHead?
  /// The request in progress.
  var call: Call?
  /// Counts the requests.
  var number: UInt32 = 0
  /// `readHeads` is on the stack.
  var isReadingHeads = false
  /// Bytes read and dropped since the last answer.
  var dropped = 0
  /// How long what still comes is dropped after the last answer, and until when, in nanoseconds.
  var linger = LingeringClose.longest.inNanoseconds
  var lingersUntil: Int64 = 0

  var loop: EventLoop { server.loop }
  var core: GatewayCore { server.core }

  init(server: TrafficServer, channel: ByteChannel, peer: SocketAddress) {
    self.server = server
    self.channel = channel
    self.peer = peer
    channel.observer = self
  }

  func start() {
    guard channel.isSecure else {
      channel.watch(untilNanoseconds: loop.nowNanoseconds + server.idleTimeout)
      return
    }
    phase = .handshake
    channel.watch(untilNanoseconds: loop.nowNanoseconds + server.headTimeout)
    advanceHandshake()
  }

  private func advanceHandshake() {
    do {
      guard try channel.advanceHandshake() else { return }
      becomeWaiting()
      readHeads()
    } catch {
      close()
    }
  }

  func becomeWaiting() {
    phase = .waiting
    channel.watch(untilNanoseconds: loop.nowNanoseconds + server.idleTimeout)
  }

  // MARK: - Events of the caller's side

  func channelHasInput() {
    guard !channel.isBroken || phase == .waiting || phase == .head else { return callerLeft() }
    switch phase {
    case .handshake: advanceHandshake()
    case .waiting, .head: readHeads()
    case .body: readBody()
    case .exchange: sendBody()
    case .tunnel: passToReplica()
    case .draining: drain()
    case .ending: dropInput()
    // What comes now stays in the kernel: the caller's window is its memory.
    case .held, .connecting, .closed: break
    }
  }

  func channelPeerEnded() {
    guard channel.isOpen else { return }
    switch phase {
    case .handshake: close()
    // An answer may still be on its way out.
    case .waiting: end()
    case .head: readHeads()
    case .body: readBody()
    case .held, .connecting: callerEnded()
    case .exchange: if call?.requestBody.isComplete ?? true { callerEnded() } else { sendBody() }
    case .tunnel: passToReplica()
    case .draining: drain()
    case .ending: dropInput()
    case .closed: break
    }
  }

  /// The caller has ended its sending half after its request, or has closed: TCP does not tell which. Of an HTTP/1.1
  /// caller that has no answer yet it is found out by an interim answer, which every such client skips (RFC 9110, 15.2):
  /// a socket that is closed answers it with a reset. In any other case it has left.
  private func callerEnded() {
    guard let call, !channel.isBroken else { return callerLeft() }
    if call.traits.contains(.isHalfClosed) { return }
    guard !call.hasAnswered, !call.traits.contains(.isOldClient), !channel.isSecure else { return callerLeft() }
    call.traits.insert(.isHalfClosed)
    channel.enqueue { $0.append("HTTP/1.1 100 Continue\r\n\r\n") }
  }

  func channelWritable() { if phase == .handshake { advanceHandshake() } }

  func channelDrained() {
    switch phase {
    case .waiting, .head: readHeads()
    case .exchange: relayAnswer()
    case .tunnel: passToCaller()
    case .ending: endSending()
    default: break
    }
  }

  func channelDeadlinePassed() {
    switch phase {
    case .handshake, .waiting, .draining, .ending: close()
    case .head: refuse(WireError(status: 408, reason: "the request's head did not come in time"))
    case .body, .exchange: bodyIsLate()
    case .held: holdDeadlinePassed()
    case .tunnel: tunnelDeadlinePassed()
    case .connecting, .closed: break
    }
  }

  func channelFailed() { callerLeft() }

  /// Closes, unless a request is in progress or about to be read; an answer on its way out goes first.
  func closeIfIdle() {
    guard phase == .waiting else { return }
    // A connection that was just accepted has not been heard of yet, and may have sent its request.
    channel.assumeReadable()
    readHeads()
    if phase == .waiting { end() }
  }

  /// Ends it now, whatever it is at; a caller that gets an answer sees it cut.
  func cut() { callerLeft() }

  // MARK: - The end

  /// The caller has gone: nobody waits for what is done for it.
  func callerLeft() {
    guard phase != .closed else { return }
    if let call {
      call.record.status = 0
      withdraw(call)
      endAttempt(call, .abandoned)
      finish(call)
    }
    close()
  }

  func close() {
    guard phase != .closed else { return }
    phase = .closed
    input = []
    partialHead = nil
    channel.observer = nil
    channel.close()
    server.connectionEnded(self)
  }
}

/// A request head that came in pieces, with the parser that has seen them.
final class PartialRequestHead {
  var octets: [UInt8]
  var parser: RequestHeadParser

  init(octets: [UInt8], parser: RequestHeadParser) {
    self.octets = octets
    self.parser = parser
  }

  /// Looks at what has come since: the head's length once it is whole.
  func scan() throws(WireError) -> Int? {
    let octets = octets
    return try parser.scan(octets.span)
  }
}
