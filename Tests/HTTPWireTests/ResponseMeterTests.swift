import Testing

@testable import HTTPWire

@Suite struct ResponseMeterTests {
  private static func meter(_ kind: ResponseMeter.Kind, _ octets: [UInt8], cuts: [Int] = []) -> ResponseMeter {
    var meter = ResponseMeter(kind)
    var start = 0
    for end in cuts + [octets.count] {
      octets[start..<end].withUnsafeBytes { meter.consume($0) }
      start = end
    }
    return meter
  }

  private struct Reading: Equatable {
    var tokens: TokenUsage
    var events: Int
    var isDone: Bool
    var isEstimate: Bool

    init(_ meter: ResponseMeter) {
      tokens = meter.tokens
      events = meter.events
      isDone = meter.isDone
      isEstimate = meter.isEstimate
    }
  }

  @Test(
    "token usage is found in the JSON answers of the APIs that tell it",
    arguments: [
      // Chat and completions.
      (
        #"{"id":"c","choices":[{"text":"hi"}],"usage":{"prompt_tokens":7,"total_tokens":12,"completion_tokens":5}}"#, 7,
        5
      ),
      // With details, blanks and line ends.
      (
        """
        {
          "choices": [],
          "usage" : {
            "prompt_tokens" : 44 , "prompt_tokens_details": {"cached_tokens": 3, "prompt_tokens": 1},
            "completion_tokens": 48,
            "list": [1, {"output_tokens": 9}], "total_tokens": 92
          }
        }
        """, 44, 48
      ),
      // Embeddings; llama.cpp puts usage before the data.
      (#"{"object":"list","data":[],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}"#, 3, nil),
      (#"{"model":"m","object":"list","usage":{"prompt_tokens":3,"total_tokens":3},"data":[]}"#, 3, nil),
      // Responses.
      (#"{"object":"response","usage":{"input_tokens":36,"output_tokens":87,"total_tokens":123},"user":null}"#, 36, 87),
      // What the model writes is no usage.
      (#"{"content":"\"usage\":{\"prompt_tokens\":1}","usage":{"prompt_tokens":2,"completion_tokens":3}}"#, 2, 3),
      (#"{"content":"\"usage\":{\"prompt_tokens\":1}"}"#, nil, nil), (#"{"content":"usage"}"#, nil, nil),
      (#"{"usage":null}"#, nil, nil), (#"{"usage":"none"}"#, nil, nil), (#"{"usage":{}}"#, nil, nil),
      (#"["usage",{"prompt_tokens":1}]"#, nil, nil),
      // Of several the last counts; one that says nothing of tokens does not.
      (#"{"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2,"completion_tokens":4}}"#, 2, 4),
      (#"{"usage":{"prompt_tokens":1},"tools":{"usage":{"type":"string","a":"}"}}}"#, 1, nil),
      (#"{"x":"usage","u":"u","usage":{"usage":{"prompt_tokens":5}}}"#, nil, nil),
      // Only whole numbers are counts.
      (#"{"usage":{"prompt_tokens":1.5,"completion_tokens":-2}}"#, nil, nil),
      (#"{"usage":{"prompt_tokens":1e3,"completion_tokens":"4"}}"#, nil, nil),
      (#"{"usage":{"prompt_tokens":null,"completion_tokens":4}}"#, nil, 4),
      (#"{"usage":{"prompt_tokens":123456789012345678901234567890,"completion_tokens":0}}"#, nil, 0),
      (#"{"usage":{"prompt_tokens_x":1,"prompt_token":2,"completion_tokens":6}}"#, nil, 6),
      (#"{"usage":{"s":"a\"},\\","completion_tokens":6}}"#, nil, 6),
      // Cut off within.
      (#"{"usage":{"prompt_tokens":1"#, nil, nil), (#"{"usage"#, nil, nil), ("", nil, nil),
    ] as [(String, Int?, Int?)])
  func json(text: String, prompt: Int?, output: Int?) {
    let octets = Array(text.utf8)
    let whole = Self.meter(.json(length: octets.count), octets)
    #expect(whole.tokens == TokenUsage(prompt: prompt, output: output))
    #expect(!whole.isEstimate && whole.events == 0 && !whole.isDone)
    for first in 0...octets.count {
      #expect(Self.meter(.json(length: nil), octets, cuts: [first]).tokens == whole.tokens)
      #expect(Self.meter(.json(length: octets.count), octets, cuts: [first]).tokens == whole.tokens)
    }
    #expect(Self.meter(.json(length: nil), octets, cuts: Array(0..<octets.count)).tokens == whole.tokens)
  }

  private static let chunk = #"data: {"choices":[{"index":0,"delta":{"content":"\"usage\":{"}}],"usage":null}"# + "\n\n"
  private static let last = #"data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"# + "\n\n"

  @Test(
    "the tokens of an event stream are those of its last usage, else its events and an estimate",
    arguments: [
      (chunk + chunk + last + "data: [DONE]\n\n", 9, 2, false, 3, true),
      (chunk + chunk + "data: [DONE]\n\n", nil, 2, true, 2, true), (chunk, nil, 1, true, 1, false),
      (": keep-alive\n\n", nil, nil, false, 0, false), (last + last, 9, 2, false, 2, false),
      (chunk.replacing("\n", with: "\r\n") + last.replacing("\n", with: "\r\n"), 9, 2, false, 2, false),
      // The Responses API tells it within its last event.
      (
        "event: response.completed\n"
          + #"data: {"type":"response.completed","response":{"usage":{"input_tokens":4,"output_tokens":6}}}"# + "\n\n",
        4,
        6, false, 1, false
      ),
      // A server that tells the prompt alone leaves the output to be estimated.
      (#"data: {"usage":{"prompt_tokens":8}}"# + "\n\n" + chunk, 8, 2, true, 2, false),
      // A server that tells the two in different events.
      (
        #"data: {"message":{"usage":{"input_tokens":25,"output_tokens":1}}}"# + "\n\n"
          + #"data: {"usage":{"output_tokens":15}}"# + "\n\n", 25, 15, false, 2, false
      ),
    ] as [(String, Int?, Int?, Bool, Int, Bool)])
  func stream(text: String, prompt: Int?, output: Int?, isEstimate: Bool, events: Int, isDone: Bool) {
    let octets = Array(text.utf8)
    let whole = Self.meter(.eventStream, octets)
    #expect(whole.tokens == TokenUsage(prompt: prompt, output: output))
    #expect(whole.isEstimate == isEstimate && whole.events == events && whole.isDone == isDone)
    for first in 0...octets.count {
      #expect(Reading(Self.meter(.eventStream, octets, cuts: [first])) == Reading(whole))
    }
    #expect(Reading(Self.meter(.eventStream, octets, cuts: Array(0..<octets.count))) == Reading(whole))
  }

  @Test(
    "of a long JSON body of known length the two ends are read, however it is split",
    arguments: [0, 4000, 4060, 4096, 100_000, 183_500, 183_616, 183_700, 199_900])
  func longDocument(offset: Int) {
    let usage = Array(#""usage":{"prompt_tokens":3,"completion_tokens":4}"#.utf8)
    let length = 200_000
    var octets = [UInt8](repeating: UInt8(ascii: "1"), count: length)
    octets.replaceSubrange(offset..<offset + usage.count, with: usage)
    let isRead = offset + usage.count <= ResponseMeter.headLength || offset >= length - ResponseMeter.tailLength
    let expected = isRead ? TokenUsage(prompt: 3, output: 4) : TokenUsage()
    #expect(Self.meter(.json(length: length), octets).tokens == expected)
    #expect(Self.meter(.json(length: nil), octets).tokens == TokenUsage(prompt: 3, output: 4))
    for size in [1, 7, 1000, 4096, 16384, 65536] {
      let cuts = Array(stride(from: size, to: length, by: size))
      #expect(Self.meter(.json(length: length), octets, cuts: cuts).tokens == expected, "\(size)")
    }
  }

  @Test("what stands on both sides of the part that is not read is no usage")
  func gap() {
    let length = 100_000
    var octets = [UInt8](repeating: UInt8(ascii: "1"), count: length)
    octets.replaceSubrange(4090..<4096, with: Array(#""usage"#.utf8))
    let rest = Array(#"":{"prompt_tokens":3}"#.utf8)
    octets.replaceSubrange(length - 16384..<length - 16384 + rest.count, with: rest)
    #expect(Self.meter(.json(length: length), octets).tokens == TokenUsage())
    #expect(Self.meter(.json(length: length), octets, cuts: [4096, length - 16384]).tokens == TokenUsage())
  }

  @Test("a usage object without end is given up, and the next is read")
  func endlessObject() {
    let text =
      #"{"usage":{"prompt_tokens":3,"x":""# + String(repeating: "y", count: TokenUsageScanner.maximumObjectLength)
      + #"","usage":{"prompt_tokens":5}}"#
    #expect(Self.meter(.json(length: nil), Array(text.utf8)).tokens == TokenUsage(prompt: 5))
  }

  @Test("any text gives the same result in any pieces")
  func anySplit() {
    // Pieces of what is looked for, so that a random text comes near it often.
    let parts = [
      "data:", "data: ", "[DONE]", "\n", "\r\n", "\r", "\n\n", "\"usage\"", "\"us", "age\"", ":", "{", "}", "[", "]",
      ",",
      "\"prompt_tokens\"", "\"output_tokens\"", "12", "3.", "\"", "\\", " ", "null", "u", ": x",
    ]
    var generator = SplitMix(state: 7)
    for _ in 0..<3000 {
      let text = (0..<Int.random(in: 1...24, using: &generator)).map { _ in
        parts[Int.random(in: 0..<parts.count, using: &generator)]
      }
      let octets = Array(text.joined().utf8)
      let cuts = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
        Int.random(in: 0...octets.count, using: &generator)
      }
      for kind in [ResponseMeter.Kind.eventStream, .json(length: nil)] {
        let whole = Reading(Self.meter(kind, octets))
        #expect(Reading(Self.meter(kind, octets, cuts: cuts.sorted())) == whole, "\(text.joined().debugDescription)")
      }
    }
  }

  @Test(
    "what kind of body passes is told by its head",
    arguments: [
      ("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked", .eventStream),
      ("Content-Type: Text/Event-Stream; charset=utf-8\r\nContent-Length: 9", .eventStream),
      ("Content-Type: application/json\r\nContent-Length: 9", .json(length: 9)),
      ("content-type: application/json;charset=utf-8\r\nTransfer-Encoding: chunked", .json(length: nil)),
      ("Content-Type: application/json", .json(length: nil)),
      ("Content-Type: application/json\r\nContent-Length: 0", .json(length: 0)),
      ("Content-Type: application/jsonl\r\nContent-Length: 9", .none),
      ("Content-Type: text/plain\r\nContent-Length: 9", .none), ("Content-Length: 9", .none),
      ("Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 9", .none),
    ] as [(String, ResponseMeter.Kind)])
  func kinds(fields: String, kind: ResponseMeter.Kind) throws {
    let octets = Array("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n".utf8)
    var parser = ResponseHeadParser(isHead: false)
    let length = try #require(try parser.scan(octets.span))
    octets.withUnsafeBytes { bytes in
      let found = ResponseMeter.Kind(parser.layout, UnsafeRawBufferPointer(rebasing: bytes[..<length]))
      #expect(found == kind)
    }
  }
}

/// Vigna's SplitMix64: the same numbers in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
