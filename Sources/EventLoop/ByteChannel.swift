import CLinux
import Glibc
import HTTPWire

/// What a channel's owner hears of it without asking. Called on the loop; must not block.
protocol ChannelObserver: AnyObject {
  /// The peer has ended its half of the stream, or the connection broke. Said once.
  func channelPeerEnded()
  /// Bytes came that nobody waits for.
  func channelHasInput()
  /// The deadline of `watchIdle` passed.
  func channelIdleExpired()
}

/// A non-blocking stream socket, with or without TLS: what arrives is taken from the loop's shared buffer, what is sent
/// goes out at once or is queued until the socket takes it. One task may wait to read and one to write.
///
/// `@unchecked Sendable`: loop-confined. Every entry point that another thread could reach goes through `loop.execute`.
final class ByteChannel: PollTarget, @unchecked Sendable {
  let loop: EventLoop
  let tls: TLSSession?
  var observer: (any ChannelObserver)?
  private(set) var descriptor: Int32
  /// Whether a receive may bring something; edge-triggered, so it stays set until one came back short.
  private(set) var isReadable = false
  private(set) var isWritable: Bool
  /// Whether the peer has ended its half, or the connection is broken.
  private(set) var peerEnded = false
  /// Whether neither direction works any more.
  private(set) var isBroken = false
  /// Why nothing works any more; the first cause is kept.
  private(set) var failure: HTTPError?

  var reader: UnsafeContinuation<Void, Never>?
  var writer: UnsafeContinuation<Void, Never>?
  var readDeadline: Duration?
  private var writeDeadline: Duration?
  private var timer: (id: TimerID, at: Duration)?
  private let writeTimeout: Duration

  private var output: [UInt8] = []
  private var outputSent = 0
  private var awaitsFlush = false

  /// Bytes queued beyond which a writer waits.
  static let highWater = 65_536
  /// Pieces from this size on are sent from where they are instead of being copied behind what is queued.
  private static let directBytes = 8192

  /// - Parameter isConnected: false for a socket on its way: it is writable once it is connected.
  init(loop: EventLoop, descriptor: Int32, tls: TLSSession?, isConnected: Bool, writeTimeout: Duration) throws {
    loop.preconditionOnLoop()
    self.loop = loop
    self.descriptor = descriptor
    self.tls = tls
    self.isWritable = isConnected
    self.writeTimeout = writeTimeout
    do {
      try loop.poller.add(descriptor, self)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  var isOpen: Bool { descriptor >= 0 }

  // MARK: Receiving

  enum Received {
    /// So many bytes stand at the start of `loop.receiveBuffer`.
    case bytes(Int)
    case wouldBlock
    case end
  }

  /// Receives into `loop.receiveBuffer` what is there, without waiting.
  func receive() throws -> Received {
    if let failure, descriptor < 0 { throw failure }
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
  func isQuiet() -> Bool {
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
  var queued: Int { output.count - outputSent }

  /// Lets `body` append to what will be sent at the end of this turn of the loop.
  func enqueue(_ body: (inout [UInt8]) -> Void) {
    guard isOpen else { return }
    takeSpareBuffer()
    body(&output)
    if output.count - outputSent >= Self.highWater { flush() } else { flushSoon() }
  }

  /// Queues `bytes`; a large piece is sent together with what is queued, and only what the socket does not take is copied.
  func enqueue(_ bytes: UnsafeRawBufferPointer) {
    guard isOpen, !bytes.isEmpty else { return }
    guard bytes.count >= Self.directBytes, tls == nil, isWritable else {
      enqueue { $0.append(contentsOf: bytes) }
      return
    }
    let sent = output.withUnsafeBytes { queued in
      let rest = UnsafeRawBufferPointer(rebasing: queued[outputSent...])
      return cl_send2(descriptor, rest.baseAddress, rest.count, bytes.baseAddress, bytes.count)
    }
    if sent < 0, sent != -Int(EAGAIN), sent != -Int(EINTR) {
      fail(HTTPError(.disconnected, "the connection broke: \(HTTPError.describe(-Int32(sent)))"))
      return
    }
    let taken = max(0, sent)
    let fromQueue = min(taken, queued)
    outputSent += fromQueue
    let rest = UnsafeRawBufferPointer(rebasing: bytes[(taken - fromQueue)...])
    if taken > 0 { writeDeadline = nil }
    if rest.isEmpty {
      recycleBuffer()
    } else {
      if sent != -Int(EINTR) { isWritable = false }
      takeSpareBuffer()
      output.append(contentsOf: rest)
      flush()
    }
  }

  /// Sends what is queued, as far as the socket takes it.
  func flush() {
    guard isOpen, queued > 0 else { return }
    while isWritable, queued > 0 {
      let sent = output.withUnsafeBytes { bytes in
        let rest = UnsafeRawBufferPointer(rebasing: bytes[outputSent...])
        return tls.map { $0.write(rest) } ?? cl_send(descriptor, rest.baseAddress, rest.count)
      }
      if sent > 0 {
        outputSent += sent
        writeDeadline = nil
      } else if sent == -Int(EAGAIN) {
        isWritable = false
      } else if sent != -Int(EINTR) {
        fail(HTTPError(.disconnected, "the connection broke: \(HTTPError.describe(-Int32(sent)))"))
        return
      }
    }
    if queued == 0 {
      recycleBuffer()
      resumeWriter()
    } else if writeDeadline == nil {
      writeDeadline = loop.now + writeTimeout
      armTimer()
    }
  }

  private func flushSoon() {
    guard !awaitsFlush else { return }
    awaitsFlush = true
    loop.flushAtEndOfTurn(self)
  }

  func flushAtTurnEnd() {
    awaitsFlush = false
    flush()
  }

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
    writeDeadline = nil
    guard output.capacity > 0 else { return }
    var buffer: [UInt8] = []
    swap(&buffer, &output)
    guard buffer.capacity <= 2 * Self.highWater, loop.spareBuffers.count < 16 else { return }
    buffer.removeAll(keepingCapacity: true)
    loop.spareBuffers.append(buffer)
  }

  // MARK: Events

  func pollEvents(_ events: UInt32) {
    let ended = events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
    if ended || events & EPOLLIN.rawValue != 0 { isReadable = true }
    if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { isBroken = true }
    let firstEnd = ended && !peerEnded
    if ended { peerEnded = true }
    if events & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
      isWritable = true
      if queued > 0 { flush() } else { resumeWriter() }
    }
    // TLS may have to read in order to write, and the reverse.
    if tls != nil, isReadable { resumeWriter() }
    if isReadable || tls != nil {
      if reader != nil { resumeReader() } else if isReadable { observer?.channelHasInput() }
    }
    if firstEnd { observer?.channelPeerEnded() }
  }

  func pollEnded() { fail(HTTPError(.disconnected, "loop '\(loop.name)' has stopped")) }

  /// Watches an unused connection: `channelIdleExpired` is called at `deadline`, unless somebody waits to read by then.
  func watchIdle(until deadline: Duration?) {
    readDeadline = deadline
    armTimer()
  }

  /// One timer serves both deadlines. It is left to fire early when a deadline moved on: cheaper than arming per request.
  func armTimer() {
    let next = [readDeadline, writeDeadline].compactMap { $0 }.min()
    guard let next, isOpen else { return }
    if let timer {
      if timer.at <= next { return }
      loop.cancel(timer.id)
    }
    timer = (loop.arm(after: next - loop.now, .channel(self)), next)
  }

  func timerFired() {
    timer = nil
    let now = loop.now
    if let deadline = writeDeadline, deadline <= now {
      fail(HTTPError(.timedOut, "the peer took no byte for \(writeTimeout)"))
      return
    }
    if let deadline = readDeadline, deadline <= now {
      if reader != nil {
        resumeReader()
      } else {
        readDeadline = nil
        observer?.channelIdleExpired()
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
  func fail(_ error: HTTPError) -> HTTPError {
    if failure == nil { failure = error }
    let cause = failure ?? error
    close()
    return cause
  }

  /// Ends the sending half once all is sent; the peer reads the end of the stream.
  func endSending() {
    guard isOpen, queued == 0 else { return }
    tls?.shutDown()
    Socket.shutDownWriting(descriptor)
  }

  /// Closes now; what is queued is lost.
  func close() {
    guard isOpen else { return }
    if failure == nil { failure = .disconnected }
    tls?.shutDown()
    loop.poller.close(descriptor)
    descriptor = -1
    isReadable = false
    if let timer { loop.cancel(timer.id) }
    timer = nil
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
