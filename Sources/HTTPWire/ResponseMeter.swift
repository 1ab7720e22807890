/// Watches the body of a model's answer as it passes: how many events it has, and how many tokens it took.
///
/// A value of fixed size: nothing is stored of the body, nothing is allocated, and however it is split the result is the
/// same. An event stream is read as a whole. Of a JSON body whose length is known only the two ends are read, because
/// that is where servers put `usage`: vLLM, Text Embeddings Inference and OpenAI behind the answer, llama.cpp's embeddings
/// and rankings before it.
public struct ResponseMeter: Sendable {
  /// What kind of body passes.
  public enum Kind: Hashable, Sendable {
    /// Nothing is known of it: it is not read.
    case none
    /// Server-sent events.
    case eventStream
    /// One JSON document; `length`: of the body in bytes, where the head says it.
    case json(length: Int?)
  }

  /// How much of the beginning of a JSON body of known length is read, in bytes.
  public static let headLength = 4096
  /// How much of its end is read, in bytes.
  public static let tailLength = 16384

  public let kind: Kind
  private var counter = SSEEventCounter()
  private var scanner = TokenUsageScanner()
  /// The bytes of a JSON body that are not read.
  private let gap: Range<Int>
  /// Bytes of the body that have passed.
  private var position = 0

  public init(_ kind: Kind) {
    self.kind = kind
    if case .json(let length?) = kind, length > Self.headLength + Self.tailLength {
      gap = Self.headLength..<length - Self.tailLength
    } else {
      gap = 0..<0
    }
  }

  /// Reads the next bytes of the body, without its framing, split anywhere.
  public mutating func consume(_ bytes: UnsafeRawBufferPointer) {
    switch kind {
    case .none: return
    case .eventStream:
      counter.consume(bytes)
      scanner.consume(bytes)
    case .json: consumeDocument(bytes)
    }
  }

  private mutating func consumeDocument(_ bytes: UnsafeRawBufferPointer) {
    guard !gap.isEmpty else { return scanner.consume(bytes) }
    let start = position
    position += bytes.count
    if start < gap.lowerBound {
      scanner.consume(UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, gap.lowerBound - start)]))
    }
    guard position > gap.upperBound else { return }
    if start <= gap.upperBound { scanner.restart() }
    scanner.consume(UnsafeRawBufferPointer(rebasing: bytes[max(0, gap.upperBound - start)...]))
  }

  /// Events with data that have passed, the final `[DONE]` not among them. The first token has come when it turns 1.
  public var events: Int { counter.events }

  /// Whether the `[DONE]` that ends an OpenAI stream has passed.
  public var isDone: Bool { counter.isDone }

  /// Tokens as far as they are known: as the server says; where an event stream says nothing of its output, its events are
  /// counted instead.
  public var tokens: TokenUsage {
    var tokens = scanner.usage
    if isEstimate { tokens.output = counter.events }
    return tokens
  }

  /// Whether the output tokens are the number of events, because the server does not say.
  public var isEstimate: Bool { kind == .eventStream && scanner.usage.output == nil && counter.events > 0 }
}

extension ResponseMeter.Kind {
  /// By the head of a response: its content type, where the body is not coded (RFC 9110, 8.4).
  ///
  /// - Parameters:
  ///   - layout: as the parser of `head` tells it.
  ///   - head: from the first byte of the start line to the end of the empty line.
  public init(_ layout: ResponseHeadLayout, _ head: UnsafeRawBufferPointer) {
    self = .none
    let length: Int?
    switch layout.framing {
    case .none: return
    case .length(let bytes): length = bytes
    case .chunked, .untilClose: length = nil
    }
    for line in layout.lines {
      if line.field == .contentType {
        let value = UnsafeRawBufferPointer(rebasing: head[line.value])
        if value.isMediaType("text/event-stream") {
          self = .eventStream
        } else if value.isMediaType("application/json") {
          self = .json(length: length)
        }
      } else if line.field == .contentEncoding {
        self = .none
        return
      }
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Whether a Content-Type names this media type, with or without parameters (RFC 9110, 8.3.1).
  fileprivate func isMediaType(_ type: StaticString) -> Bool {
    guard startsIgnoringCase(type) else { return false }
    let length = type.utf8CodeUnitCount
    return count == length || self[length] == UInt8(ascii: ";") || self[length].isBlank
  }
}
