/// Takes chunked coding off a body as it arrives (RFC 9112, 7.1). Extensions are checked, bounded
/// and dropped; trailers are checked, bounded and kept.
public struct ChunkedDecoder: Sendable {
  private enum State: Sendable {
    case size(digits: Int)
    case extensions(length: Int)
    case sizeLineFeed
    case data
    case dataCarriageReturn
    case dataLineFeed
    case trailer
    case done
  }

  private let limits: HTTPLimits
  private var state = State.size(digits: 0)
  private var remaining = 0
  private var trailerLine: [UInt8] = []
  private var trailerBytes = 0
  /// The field lines of the trailer section that may travel on, each with its CR LF: neither framing nor routing nor any
  /// other field that a recipient must know before the body (RFC 9110, 6.5.1).
  public private(set) var trailers: [UInt8] = []

  public init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

  /// Whether the last chunk and the trailer section have been read.
  public var isComplete: Bool {
    if case .done = state { return true }
    return false
  }

  /// What a call found: `consumed` bytes of the buffer were used; body bytes now stand at `body`.
  public struct Progress: Hashable, Sendable {
    public var consumed: Int
    public var body: Range<Int>
  }

  /// Decodes in place: the pieces of body in `buffer` are moved together behind the first one.
  ///
  /// Stops at the end of the body (`isComplete`), leaving what follows it untouched, or at the buffer's end.
  public mutating func decode(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws(WireError) -> Progress {
    var index = 0
    var body = 0..<0
    while index < buffer.count {
      switch state {
      case .data:
        let length = min(remaining, buffer.count - index)
        if body.isEmpty {
          body = index..<index + length
        } else {
          let target = UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped + body.upperBound)
          target.copyMemory(from: buffer.baseAddress.unsafelyUnwrapped + index, byteCount: length)
          body = body.lowerBound..<body.upperBound + length
        }
        index += length
        remaining -= length
        if remaining == 0 { state = .dataCarriageReturn }
      case .done: return Progress(consumed: index, body: body)
      default:
        try step(buffer[index])
        index += 1
      }
    }
    return Progress(consumed: index, body: body)
  }

  /// One octet outside of chunk data.
  private mutating func step(_ octet: UInt8) throws(WireError) {
    switch state {
    case .size(let digits): try size(octet, digits: digits)
    case .extensions(let length):
      if octet == UInt8.carriageReturn {
        state = .sizeLineFeed
      } else {
        guard octet.isFieldContent else { throw .malformed("control character in a chunk extension") }
        guard length < limits.chunkExtensionBytes else {
          throw .malformed("chunk extensions longer than \(limits.chunkExtensionBytes) bytes")
        }
        state = .extensions(length: length + 1)
      }
    case .sizeLineFeed:
      guard octet == UInt8.lineFeed else { throw .malformed("chunk size not followed by CR LF") }
      state = remaining == 0 ? .trailer : .data
    case .dataCarriageReturn:
      guard octet == UInt8.carriageReturn else { throw .malformed("chunk data not followed by CR LF") }
      state = .dataLineFeed
    case .dataLineFeed:
      guard octet == UInt8.lineFeed else { throw .malformed("chunk data not followed by CR LF") }
      state = .size(digits: 0)
    case .trailer: try trailer(octet)
    case .data, .done: break
    }
  }

  private mutating func size(_ octet: UInt8, digits: Int) throws(WireError) {
    if let value = octet.hexValue {
      // 15 digits fit an Int; leading zeros beyond that serve nobody but a smuggler.
      guard digits < 15 else { throw .malformed("chunk size has more than 15 digits") }
      remaining = remaining << 4 | Int(value)
      state = .size(digits: digits + 1)
      return
    }
    guard digits > 0 else { throw .malformed("chunk size is not hexadecimal") }
    switch octet {
    case UInt8.carriageReturn: state = .sizeLineFeed
    case 0x3b: state = .extensions(length: 0)
    default: throw .malformed("chunk size is not hexadecimal")
    }
  }

  private mutating func trailer(_ octet: UInt8) throws(WireError) {
    trailerBytes += 1
    guard trailerBytes <= limits.trailerBytes else {
      throw WireError(status: 431, reason: "trailer section larger than \(limits.trailerBytes) bytes")
    }
    trailerLine.append(octet)
    guard octet == UInt8.lineFeed else { return }
    guard trailerLine.count >= 2, trailerLine[trailerLine.count - 2] == UInt8.carriageReturn else {
      throw .malformed("line feed without carriage return")
    }
    if trailerLine.count == 2 {
      state = .done
      trailerLine = []
    } else {
      let (name, _) = try trailerLine.span.fieldLine(0..<trailerLine.count - 2)
      if TrailerField.travels(trailerLine.span, name) { trailers.append(contentsOf: trailerLine) }
      trailerLine.removeAll(keepingCapacity: true)
    }
  }
}

/// Chunked coding of an outgoing body.
public enum ChunkedEncoder {
  /// Ends a chunked body: the last chunk and an empty trailer section.
  public static let end: StaticString = "0\r\n\r\n"

  /// Appends the last chunk and a trailer section of these field lines, each with its CR LF.
  public static func appendEnd(trailers: [UInt8], to output: inout [UInt8]) {
    guard !trailers.isEmpty else { return end.withUTF8Buffer { output.append(contentsOf: $0) } }
    output.append(contentsOf: [0x30, UInt8.carriageReturn, UInt8.lineFeed])
    output.append(contentsOf: trailers)
    output.append(contentsOf: [UInt8.carriageReturn, UInt8.lineFeed])
  }

  /// Appends the line that goes before a chunk of `count` bytes; the chunk itself is followed by CR LF.
  public static func appendSize(_ count: Int, to output: inout [UInt8]) {
    var shift = max(0, (Int.bitWidth - count.leadingZeroBitCount - 1) / 4 * 4)
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: count >> shift & 15)
      output.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
      shift -= 4
    }
    output.append(UInt8.carriageReturn)
    output.append(UInt8.lineFeed)
  }

  /// Appends one whole chunk. An empty piece appends nothing: an empty chunk would end the body.
  public static func append(_ piece: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    guard !piece.isEmpty else { return }
    appendSize(piece.count, to: &output)
    output.append(contentsOf: piece)
    output.append(UInt8.carriageReturn)
    output.append(UInt8.lineFeed)
  }
}
