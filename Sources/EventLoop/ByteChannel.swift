import CLinux
import Glibc
import HTTPWire

/// What a channel's owner hears of it without asking. Called on the loop, from its top level; must not block.
public protocol ChannelObserver: AnyObject {
  /// The peer has ended its half of the stream, or the connection broke. Said once.
  func channelPeerEnded()
  /// Bytes came that nobody waits for.
  func channelHasInput()
  /// The deadline of ``ByteChannel/watch(untilNanoseconds:)`` passed.
  func channelDeadlinePassed()
  /// What `reportsDrain` asked for: everything queued has been sent.
  func channelDrained()
  /// What `reportsWritable` asked for: the socket takes bytes, or has failed.
  func channelWritable()
  /// The channel closed by itself, for the reason in its `failure`. Said once, never from within a call of its owner.
  func channelFailed()
}

extension ChannelObserver {
  public func channelDrained() {}
  public func channelWritable() {}
  public func channelFailed() {}
}

/// A non-blocking stream socket, with or without TLS: what arrives is taken from the loop's shared buffer, what is sent
/// goes out at once or is queued until the socket takes it. One task may wait to read and one to write.
///
/// `@unchecked Sendable`: loop-confined. Every entry point that another thread could reach goes through `loop.execute`.
public final class ByteChannel: PollTarget, @unchecked Sendable {
  public let loop: EventLoop
  let tls: TLSSession?
  public var observer: (any ChannelObserver)?
  private(set) var descriptor: Int32
  /// Whether a receive may bring something; edge-triggered, so it stays set until one came back short.
  public private(set) var isReadable = false
  public private(set) var isWritable: Bool
  /// Whether the peer has ended its half, or the connection is broken.
  public private(set) var peerEnded = false
  /// Whether neither direction works any more.
  public private(set) var isBroken = false
  private var awaitsFlush = false
  private var awaitsRetry = false
  /// Asks for one call of ``ChannelObserver/channelDrained()``.
  public var reportsDrain = false
  /// Asks for one call of ``ChannelObserver/channelWritable()``.
  public var reportsWritable = false
  private var isTimerArmed = false
  private var endsWhenDrained = false
  /// Whether a peer that takes nothing more may still be read: what it said before it went is there to be had.
  public var outlivesSending = false
  /// Sending has failed; what is queued from now on is dropped.
  private var hasStoppedSending = false
  /// Why nothing works any more; the first cause is kept.
  private var failureBox: FailureBox?
  /// Who is still to be told of the failure.
  private var bereaved: (any ChannelObserver)?

  var reader: UnsafeContinuation<Void, Never>?
  var writer: UnsafeContinuation<Void, Never>?
  /// Deadlines in nanoseconds of the loop's clock; `.max`: none.
  var readDeadline = Int64.max
  private var writeDeadline = Int64.max
  private var timerID = TimerID(slot: 0, generation: 0)
  private var timerAt = Int64.max
  private let writeTimeout: Int64

  private var output: [UInt8] = []
  private var outputSent = 0

  /// Bytes queued beyond which a writer waits.
  public static let highWater = 65_536
  /// Pieces from this size on are sent from where they are instead of being copied behind what is queued.
  private static let directBytes = 8192

  /// - Parameter isConnected: false for a socket on its way: it is writable once it is connected.
  init(loop: EventLoop, descriptor: Int32, tls: TLSSession?, isConnected: Bool, writeTimeout: Duration) throws {
    loop.preconditionOnLoop()
    self.loop = loop
    self.descriptor = descriptor
    self.tls = tls
    self.isWritable = isConnected
    self.writeTimeout = writeTimeout.inNanoseconds
    do {
      try loop.poller.add(descriptor, self)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  public var isOpen: Bool { descriptor >= 0 }

  /// Whether bytes are encrypted on the wire.
  public var isSecure: Bool { tls != nil }

  /// Why nothing works any more; nil while it works.
  public var failure: HTTPError? { failureBox?.error }

  /// Kept out of line: a channel that works, as most do, has no room to spare for it.
  private final class FailureBox {
    let error: HTTPError
    init(_ error: HTTPError) { self.error = error }
  }

  // MARK: Receiving

  public enum Received {
    /// So many bytes stand at the start of `loop.receiveBuffer`.
    case bytes(Int)
    case wouldBlock
    case end
  }

  /// Receives into `loop.receiveBuffer` what is there, without waiting.
  public func receive() throws -> Received {
    if descriptor < 0 { throw failure ?? .disconnected }
    while isReadable {
      let count = tls.map { $0.read(into: loop.receiveBuffer) } ?? receivePlain()
      if count > 0 { return .bytes(count) }
      if count == 0 { return .end }
      if count == -Int(EAGAIN) { isReadable = false }
      if count != -Int(EAGAIN), count != -Int(EINTR) { throw fail(receiveError(-Int32(count))) }
    }
    return .wouldBlock
  }

  /// Whether nothing waits to be read, the peer's end included. What is read to find out is lost: for a connection that
  /// is closed unless it is quiet.
  public func isQuiet() -> Bool {
    guard isOpen, !peerEnded else { return false }
    // TLS may bring records without data, such as session tickets.
    if case .wouldBlock? = try? receive() { return true }
    return false
  }

  /// The TLS layer found nothing more to read.
  func noteDrained() { if !peerEnded { isReadable = false } }

  private func receivePlain() -> Int {
    let count = cl_recv(descriptor, loop.receiveBuffer.baseAddress, loop.receiveBuffer.count)
    // A short read has drained the socket, unless its end is there too and no further edge will tell.
    if count > 0, count < loop.receiveBuffer.count, !peerEnded { isReadable = false }
    return count
  }

  private func receiveError(_ code: Int32) -> HTTPError {
    if code == TLSSession.protocolError, let tls {
      return HTTPError(.tlsFailed, tls.lastError)
    }
    return HTTPError(.disconnected, "the connection broke: \(HTTPError.describe(code))")
  }

  // MARK: Sending

  /// Bytes accepted but not yet taken by the socket.
  public var queued: Int { output.count - outputSent }

  /// Lets `body` append to what will be sent at the end of this turn of the loop.
  public func enqueue(_ body: (inout [UInt8]) -> Void) {
    guard isOpen, !hasStoppedSending else { return }
    takeSpareBuffer()
    body(&output)
    if output.count - outputSent >= Self.highWater { flush() } else { flushSoon() }
  }

  /// Queues `bytes`; a large piece is sent together with what is queued, and only what the socket does not take is copied.
  public func enqueue(_ bytes: UnsafeRawBufferPointer) {
    guard isOpen, !bytes.isEmpty, !hasStoppedSending else { return }
    guard bytes.count >= Self.directBytes, tls == nil, isWritable else {
      enqueue { $0.append(contentsOf: bytes) }
      return
    }
    let sent = output.withUnsafeBytes { queued in
      let rest = UnsafeRawBufferPointer(rebasing: queued[outputSent...])
      return cl_send2(descriptor, rest.baseAddress, rest.count, bytes.baseAddress, bytes.count)
    }
    if sent < 0, sent != -Int(EAGAIN), sent != -Int(EINTR) { return sendingFailed(-Int32(sent)) }
    let taken = max(0, sent)
    let fromQueue = min(taken, queued)
    outputSent += fromQueue
    let rest = UnsafeRawBufferPointer(rebasing: bytes[(taken - fromQueue)...])
    if taken > 0 { writeDeadline = .max }
    if rest.isEmpty {
      recycleBuffer()
    } else {
      if sent != -Int(EINTR) { isWritable = false }
      takeSpareBuffer()
      output.append(contentsOf: rest)
      flush()
    }
  }

  /// Queues `bytes` as one chunk of a chunked body.
  public func enqueueChunk(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.directBytes else { return enqueue { ChunkedEncoder.append(bytes, to: &$0) } }
    enqueue { ChunkedEncoder.appendSize(bytes.count, to: &$0) }
    enqueue(bytes)
    enqueue { $0.append(contentsOf: [0x0d, 0x0a]) }
  }

  /// Sends `bytes` now, from where they are, and queues only what the socket does not take.
  public func send(_ bytes: UnsafeRawBufferPointer) {
    guard tls == nil, queued == 0, isWritable, isOpen, !bytes.isEmpty, !hasStoppedSending else {
      return enqueue(bytes)
    }
    let sent = cl_send(descriptor, bytes.baseAddress, bytes.count)
    if sent == bytes.count { return }
    if sent < 0, sent != -Int(EAGAIN), sent != -Int(EINTR) { return sendingFailed(-Int32(sent)) }
    isWritable = false
    let rest = UnsafeRawBufferPointer(rebasing: bytes[max(0, sent)...])
    takeSpareBuffer()
    output.append(contentsOf: rest)
    flush()
  }

  /// Sends what is queued, as far as the socket takes it.
  public func flush() {
    guard isOpen, queued > 0 else { return }
    while isWritable, queued > 0 {
      let sent = output.withUnsafeBytes { bytes in
        let rest = UnsafeRawBufferPointer(rebasing: bytes[outputSent...])
        return tls.map { $0.write(rest) } ?? cl_send(descriptor, rest.baseAddress, rest.count)
      }
      if sent > 0 {
        outputSent += sent
        writeDeadline = .max
      } else if sent == -Int(EAGAIN) {
        isWritable = false
      } else if sent != -Int(EINTR) {
        return sendingFailed(-Int32(sent))
      }
    }
    if queued == 0 {
      recycleBuffer()
      resumeWriter()
      if endsWhenDrained { endSending() }
    } else if writeDeadline == .max {
      writeDeadline = loop.nowNanoseconds + writeTimeout
      armTimer()
    }
  }

  /// The peer takes nothing more: that ends the channel, unless its owner wants to read first what the peer has said.
  private func sendingFailed(_ code: Int32) {
    let error = HTTPError(.disconnected, "the connection broke: \(HTTPError.describe(code))")
    guard outlivesSending, tls == nil else {
      fail(error)
      return
    }
    hasStoppedSending = true
    recycleBuffer()
    isReadable = true
    readAgainNextTurn()
  }

  private func flushSoon() {
    guard !awaitsFlush else { return }
    awaitsFlush = true
    loop.flushAtEndOfTurn(self)
  }

  func flushAtTurnEnd() {
    awaitsFlush = false
    flush()
    reportDrain()
    if awaitsRetry {
      awaitsRetry = false
      loop.retryNextTurn(self)
    }
    guard let heard = bereaved else { return }
    bereaved = nil
    heard.channelFailed()
  }

  private func reportDrain() {
    guard reportsDrain, queued == 0, isOpen else { return }
    reportsDrain = false
    observer?.channelDrained()
  }

  /// Has the observer called again for input in the next turn: for one that stops reading so that others get their turn.
  public func readAgainNextTurn() {
    awaitsRetry = true
    flushSoon()
  }

  /// Has the next receive ask the socket, whatever is known of it.
  public func assumeReadable() { if isOpen { isReadable = true } }

  func retryInput() { if isReadable, isOpen { observer?.channelHasInput() } }

  private func takeSpareBuffer() {
    if output.capacity == 0, let spare = loop.spareBuffers.popLast() { output = spare }
    if outputSent > 0, outputSent >= Self.highWater {
      output.removeFirst(outputSent)
      outputSent = 0
    }
  }

  /// An idle connection owns no send buffer: it goes back to the loop, which keeps a few of a common size.
  private func recycleBuffer() {
    outputSent = 0
    writeDeadline = .max
    guard output.capacity > 0 else { return }
    var buffer: [UInt8] = []
    swap(&buffer, &output)
    guard buffer.capacity <= 2 * Self.highWater, loop.spareBuffers.count < 16 else { return }
    buffer.removeAll(keepingCapacity: true)
    loop.spareBuffers.append(buffer)
  }

  // MARK: Events

  func pollEvents(_ events: UInt32) {
    guard isOpen else { return }
    let ended = events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
    if ended || events & EPOLLIN.rawValue != 0 { isReadable = true }
    if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { isBroken = true }
    let firstEnd = ended && !peerEnded
    if ended { peerEnded = true }
    if events & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
      isWritable = true
      if queued > 0 { flush() } else { resumeWriter() }
      reportDrain()
      if reportsWritable {
        reportsWritable = false
        observer?.channelWritable()
      }
    }
    // TLS may have to read in order to write, and the reverse.
    if tls != nil, isReadable { resumeWriter() }
    if isReadable || tls != nil {
      if reader != nil { resumeReader() } else if isReadable { observer?.channelHasInput() }
    }
    if firstEnd { observer?.channelPeerEnded() }
  }

  func pollEnded() { fail(HTTPError(.disconnected, "loop '\(loop.name)' has stopped")) }

  /// Calls `channelDeadlinePassed` at `deadline` (nanoseconds of the loop's clock), unless somebody waits to read by then;
  /// `.max` takes it back. Setting another costs nothing.
  public func watch(untilNanoseconds deadline: Int64) {
    readDeadline = deadline
    armTimer()
  }

  /// One timer serves both deadlines. It is left to fire early when a deadline moved on: cheaper than arming per request.
  func armTimer() {
    let next = min(readDeadline, writeDeadline)
    guard next != .max, isOpen else { return }
    if isTimerArmed {
      if timerAt <= next { return }
      loop.cancel(timerID)
    }
    isTimerArmed = true
    timerAt = next
    timerID = loop.arm(atNanoseconds: next, .channel(self))
  }

  func timerFired() {
    isTimerArmed = false
    let now = loop.nowNanoseconds
    if writeDeadline <= now {
      fail(HTTPError(.timedOut, "the peer took no byte for \(Duration.nanoseconds(writeTimeout))"))
      return
    }
    if readDeadline <= now {
      if reader != nil {
        resumeReader()
      } else {
        readDeadline = .max
        observer?.channelDeadlinePassed()
      }
    }
    armTimer()
  }

  func resumeReader() {
    let waiting = reader
    reader = nil
    waiting?.resume()
  }

  func resumeWriter() {
    let waiting = writer
    writer = nil
    waiting?.resume()
  }

  // MARK: End

  /// Closes because of `error`; whoever waits is thrown it.
  @discardableResult
  public func fail(_ error: HTTPError) -> HTTPError {
    if failureBox == nil { failureBox = FailureBox(error) }
    let heard = observer
    if isOpen {
      close()
      bereaved = heard
      if heard != nil { flushSoon() }
    }
    return failure ?? error
  }

  /// Ends the sending half once all is sent; the peer reads the end of the stream.
  public func endSending() {
    guard isOpen, queued == 0 else { return }
    tls?.shutDown()
    Socket.shutDownWriting(descriptor)
  }

  /// Ends the sending half as soon as all is sent.
  public func endSendingWhenDrained() {
    guard isOpen else { return }
    flush()
    if queued == 0 { endSending() } else { endsWhenDrained = true }
  }

  /// Makes the close that follows a reset, so that the peer cannot take what it has for the whole.
  public func resetOnClose() { if isOpen { Socket.resetOnClose(descriptor) } }

  /// Has the kernel find out whether the peer is still there while nothing is said.
  public func keepAlive() { if isOpen { Socket.keepAlive(descriptor) } }

  /// Closes now; what is queued is lost.
  public func close() {
    guard isOpen else { return }
    if failureBox == nil { failureBox = FailureBox(.disconnected) }
    tls?.shutDown()
    loop.poller.close(descriptor)
    descriptor = -1
    isReadable = false
    if isTimerArmed { loop.cancel(timerID) }
    isTimerArmed = false
    recycleBuffer()
    let heard = observer
    observer = nil
    resumeReader()
    resumeWriter()
    if !peerEnded {
      peerEnded = true
      heard?.channelPeerEnded()
    }
  }
}
