import HTTPWire

/// The receiving side of an HTTP/1.1 connection: heads and bodies, cut out of the stream as they are asked for.
///
/// Nothing is received before somebody asks, so that what is not read stays in the peer's TCP window. A connection that
/// waits owns no buffer; what came ahead of its reader is kept here, at most one receive buffer or one head.
final class MessageReader {
  let channel: ByteChannel
  let limits: HTTPLimits
  private var input: [UInt8] = []
  private var inputStart = 0
  private(set) var body = BodyDecoder(.none)

  init(channel: ByteChannel, limits: HTTPLimits) {
    self.channel = channel
    self.limits = limits
  }

  /// Whether bytes wait that nobody has read.
  var hasInput: Bool { inputStart < input.count }

  /// Reads one head. The peer may be silent until `idleDeadline`; once it has begun, `headTimeout` bounds the rest.
  ///
  /// - Returns: nil when the stream ended, or stayed silent, before the first byte.
  func readHead<Parser: HeadParser>(
    _ parser: Parser, idleDeadline: Duration, headTimeout: Duration, onFirstByte: () -> Void = {}
  ) async throws -> Parser.Head? {
    var parser = parser
    var hasBegun = hasInput
    var deadline = hasBegun ? channel.loop.now + headTimeout : idleDeadline
    if hasBegun {
      onFirstByte()
      if let head = try parseInput(&parser) { return head }
    }
    while true {
      switch try channel.receive() {
      case .bytes(let count):
        if !hasBegun {
          hasBegun = true
          deadline = channel.loop.now + headTimeout
          onFirstByte()
        }
        if let head = try parse(&parser, received: count) { return head }
      case .end:
        if !hasBegun { return nil }
        throw HTTPError(.disconnected, "the peer closed the connection within a head")
      case .wouldBlock:
        do {
          try await channel.waitReadable(until: deadline)
        } catch let error as HTTPError where error.code == .timedOut && !hasBegun {
          return nil
        }
      }
    }
  }

  private func parse<Parser: HeadParser>(_ parser: inout Parser, received count: Int) throws -> Parser.Head? {
    let received = UnsafeBufferPointer(rebasing: channel.loop.receiveBuffer[..<count])
    guard !hasInput else {
      input.append(contentsOf: received)
      return try parseInput(&parser)
    }
    // The common case: the whole head in one piece, parsed where it was received.
    let span = received.span
    let found = try parser.parse(span)
    keep(UnsafeBufferPointer(rebasing: received[(found?.length ?? 0)...]))
    return found?.head
  }

  private func parseInput<Parser: HeadParser>(_ parser: inout Parser) throws -> Parser.Head? {
    if inputStart > 0 {
      input.removeFirst(inputStart)
      inputStart = 0
    }
    let received = input
    let span = received.span
    guard let found = try parser.parse(span) else { return nil }
    dropInput(found.length)
    return found.head
  }

  /// Says how the body that follows the head just read is delimited.
  func beginBody(_ framing: BodyFraming) { body = BodyDecoder(framing, limits: limits) }

  /// Hands the next piece of body to `consume`, waiting for it until `deadline`. The bytes are valid during the call only.
  ///
  /// - Returns: false at the end of the body, without calling `consume`.
  func readBody(until deadline: Duration, _ consume: (UnsafeRawBufferPointer) throws -> Void) async throws -> Bool {
    while !body.isComplete {
      if hasInput {
        if try decodeInput(consume) { return true }
        continue
      }
      switch try channel.receive() {
      case .bytes(let count): if try decodeReceived(count, consume) { return true }
      case .end:
        do { try body.end() } catch { throw HTTPError(.disconnected, error.reason) }
      case .wouldBlock:
        channel.flush()
        try await channel.waitReadable(until: deadline)
      }
    }
    return false
  }

  private func decodeReceived(_ count: Int, _ consume: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
    let received = UnsafeMutableBufferPointer(rebasing: channel.loop.receiveBuffer[..<count])
    let progress = try body.decode(received)
    keep(UnsafeBufferPointer(rebasing: received[progress.consumed...]))
    guard !progress.body.isEmpty else { return false }
    try consume(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: received[progress.body])))
    return true
  }

  private func decodeInput(_ consume: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
    // The array is held here while `consume` runs, which may come back to this reader.
    var held: [UInt8] = []
    swap(&held, &input)
    let start = inputStart
    inputStart = 0
    let progress = try held.withUnsafeMutableBufferPointer { bytes in
      try body.decode(UnsafeMutableBufferPointer(rebasing: bytes[start...]))
    }
    if start + progress.consumed < held.count { input = Array(held[(start + progress.consumed)...]) }
    guard !progress.body.isEmpty else { return false }
    try held.withUnsafeBytes { bytes in
      let range = start + progress.body.lowerBound..<start + progress.body.upperBound
      try consume(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
    return true
  }

  private func keep(_ bytes: UnsafeBufferPointer<UInt8>) {
    if !bytes.isEmpty { input.append(contentsOf: bytes) }
  }

  private func dropInput(_ count: Int) {
    inputStart += count
    guard inputStart == input.count else { return }
    input = []
    inputStart = 0
  }
}
