/// Finds where a message's body ends, and takes its coding off, as bytes arrive.
public struct BodyDecoder: Sendable {
  private enum Mode: Sendable {
    case done
    case length(remaining: Int)
    case chunked(ChunkedDecoder)
    case untilClose
  }

  private var mode: Mode
  /// The trailer fields of a chunked body that may travel on, once it is complete; each with its CR LF.
  public private(set) var trailers: [UInt8] = []

  public init(_ framing: BodyFraming, limits: HTTPLimits = HTTPLimits()) {
    switch framing {
    case .none, .length(0): mode = .done
    case .length(let length): mode = .length(remaining: length)
    case .chunked: mode = .chunked(ChunkedDecoder(limits: limits))
    case .untilClose: mode = .untilClose
    }
  }

  public var isComplete: Bool {
    if case .done = mode { return true }
    return false
  }

  /// Bytes still to come, where the message said so; nil when only its end will tell.
  public var remaining: Int? {
    switch mode {
    case .done: 0
    case .length(let remaining): remaining
    case .chunked, .untilClose: nil
    }
  }

  /// Takes what belongs to this body off the front of `buffer`, decoding in place; what follows the body is left alone.
  public mutating func decode(
    _ buffer: UnsafeMutableBufferPointer<UInt8>
  ) throws(WireError) -> ChunkedDecoder.Progress {
    switch mode {
    case .done: return ChunkedDecoder.Progress(consumed: 0, body: 0..<0)
    case .untilClose: return ChunkedDecoder.Progress(consumed: buffer.count, body: 0..<buffer.count)
    case .length(let remaining):
      let taken = min(remaining, buffer.count)
      mode = taken == remaining ? .done : .length(remaining: remaining - taken)
      return ChunkedDecoder.Progress(consumed: taken, body: 0..<taken)
    case .chunked(var decoder):
      mode = .untilClose  // Gives up the second reference, so that the decoder is changed in place.
      let progress = try decoder.decode(buffer)
      if decoder.isComplete { trailers = decoder.trailers }
      mode = decoder.isComplete ? .done : .chunked(decoder)
      return progress
    }
  }

  /// The stream has ended. Throws unless the body may end with it.
  public mutating func end() throws(WireError) {
    switch mode {
    case .done, .untilClose: mode = .done
    case .length(let remaining): throw .malformed("the stream ended \(remaining) bytes before the body did")
    case .chunked: throw .malformed("the stream ended before the chunked body did")
    }
  }
}
