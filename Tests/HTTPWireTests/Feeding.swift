@testable import HTTPWire

/// What a head came to: its fields as text, so that two ways of feeding it can be compared.
enum Verdict: Equatable {
  case head(String, length: Int)
  case refused(Int)
  case incomplete
}

enum Feeding {
  /// Gives `parser` first everything up to each of `cuts`, then all of `octets`, and stops at the first answer.
  static func parse<Parser: HeadParser>(
    _ parser: Parser, _ octets: [UInt8], cuts: [Int], describe: (Parser.Head) -> String
  ) -> Verdict {
    var parser = parser
    for end in cuts + [octets.count] {
      let received = Array(octets[..<end])
      let span = received.span
      do {
        if let found = try parser.parse(span) { return .head(describe(found.head), length: found.length) }
      } catch {
        return .refused(error.status)
      }
    }
    return .incomplete
  }

  static func request(_ text: String, cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> Verdict {
    parse(RequestHeadParser(limits: limits), Array(text.utf8), cuts: cuts) { describe($0) }
  }

  static func response(_ text: String, isHead: Bool = false, cuts: [Int] = []) -> Verdict {
    parse(ResponseHeadParser(isHead: isHead), Array(text.utf8), cuts: cuts) { head in
      "\(head.status) \(head.framing) \(head.keepsAlive) \(head.reason) " + fields(head.headers)
    }
  }

  static func head(_ text: String) throws -> RequestHead? {
    let octets = Array(text.utf8)
    var parser = RequestHeadParser()
    let span = octets.span
    return try parser.parse(span)?.head
  }

  private static func describe(_ head: RequestHead) -> String {
    "\(head.method) \(head.target) 1.\(head.minorVersion) \(head.framing) \(head.keepsAlive) \(head.expectsContinue) "
      + fields(head.headers)
  }

  private static func fields(_ headers: HTTPHeaders) -> String {
    headers.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
  }

  /// Decodes a chunked body that arrives in pieces of `size` bytes.
  static func chunks(_ octets: [UInt8], size: Int, limits: HTTPLimits = HTTPLimits()) throws(WireError) -> ChunkResult {
    var decoder = ChunkedDecoder(limits: limits)
    var body: [UInt8] = []
    var consumed = 0
    while consumed < octets.count, !decoder.isComplete {
      var piece = Array(octets[consumed..<min(consumed + size, octets.count)])
      let progress = try decodeInPlace(&decoder, &piece)
      body += piece[progress.body]
      consumed += progress.consumed
    }
    return ChunkResult(body: body, consumed: consumed, isComplete: decoder.isComplete)
  }

  /// What a body that arrives in pieces comes to: its content, what may travel on of its trailers, how many octets it took
  /// and whether it is complete; or why it is refused.
  static func body(_ framing: BodyFraming, _ text: String, cuts: [Int]) -> String {
    var decoder = BodyDecoder(framing)
    var content: [UInt8] = []
    var consumed = 0
    for piece in pieces(Array(text.utf8), cuts: cuts) where !decoder.isComplete {
      var piece = Array(piece)
      do {
        let progress = try piece.withUnsafeMutableBufferPointer { (bytes) throws(WireError) in try decoder.decode(bytes)
        }
        content += piece[progress.body]
        consumed += progress.consumed
      } catch {
        return "\(error)"
      }
    }
    return "\(content) \(decoder.trailers) \(consumed) \(decoder.isComplete)"
  }

  /// `octets` in pieces that end at `cuts`.
  static func pieces(_ octets: [UInt8], cuts: [Int]) -> [ArraySlice<UInt8>] {
    zip([0] + cuts, cuts + [octets.count]).map { octets[$0..<$1] }
  }

  private static func decodeInPlace(
    _ decoder: inout ChunkedDecoder, _ piece: inout [UInt8]
  ) throws(WireError) -> ChunkedDecoder.Progress {
    try piece.withUnsafeMutableBufferPointer { (bytes) throws(WireError) in try decoder.decode(bytes) }
  }
}

struct ChunkResult: Equatable {
  var body: [UInt8]
  var consumed: Int
  var isComplete: Bool
}
