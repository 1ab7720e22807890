import Testing

@testable import HTTPWire

@Suite struct ChunkedTests {
  @Test("what the encoder makes, the decoder takes apart, in pieces of any size", arguments: [1, 2, 3, 7, 64, 100_000])
  func roundTrip(size: Int) throws {
    var encoded: [UInt8] = []
    var plain: [UInt8] = []
    for count in [1, 15, 16, 17, 255, 256, 4096, 70_000, 0, 3] {
      let piece = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
      plain += piece
      piece.withUnsafeBytes { ChunkedEncoder.append($0, to: &encoded) }
    }
    encoded += Array("0\r\n\r\n".utf8)
    let result = try Feeding.chunks(encoded + Array("GET /".utf8), size: size)
    #expect(result == ChunkResult(body: plain, consumed: encoded.count, isComplete: true))
  }

  @Test(
    "extensions and trailers do not get into the body",
    arguments: ["3;a=b;c\r\nabc\r\n0\r\n\r\n", "03\r\nabc\r\n000;x\r\nX: y\r\nZ:\r\n\r\n", "3;\r\nabc\r\n0\r\n\r\n"])
  func tolerates(text: String) throws {
    for size in [1, 1000] {
      let result = try Feeding.chunks(Array(text.utf8), size: size)
      #expect(result == ChunkResult(body: Array("abc".utf8), consumed: text.utf8.count, isComplete: true))
    }
  }

  @Test(
    "trailer fields travel on, but for what a recipient must know before the body",
    arguments: [
      ("X-Sum: 1\r\nETag: \"a\"\r\n", "X-Sum: 1\r\nETag: \"a\"\r\n"), ("Content-Length: 1\r\nX: y\r\n", "X: y\r\n"),
      ("Host: a\r\n", ""), ("connection: x\r\n", ""), ("Authorization: a\r\nCookie: b\r\nSet-Cookie: c\r\n", ""),
      ("Content-Type: a/b\r\nContent-Encoding: gzip\r\n", ""), ("IF-None-Match: a\r\nIf: b\r\n", "If: b\r\n"),
      ("Authentication-Info: a\r\n", "Authentication-Info: a\r\n"), ("pilotlight-pool: burst\r\n", ""),
    ])
  func trailers(section: String, passed: String) throws {
    var decoder = BodyDecoder(.chunked)
    var octets = Array("1\r\na\r\n0\r\n\(section)\r\n".utf8)
    _ = try octets.withUnsafeMutableBufferPointer { bytes in try decoder.decode(bytes) }
    #expect(String(decoding: decoder.trailers, as: UTF8.self) == passed)
  }

  @Test(
    "a malformed chunk is refused",
    arguments: [
      "g\r\n", "\r\n", "-1\r\n", "+3\r\nabc\r\n", "0x3\r\nabc\r\n", " 3\r\nabc\r\n", "3 \r\nabc\r\n", "3\nabc\r\n",
      "3\rabc\r\n", "3\r\nabcd\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabc\rX0\r\n\r\n",
      "1000000000000000\r\n", "0000000000000003\r\n", "3;a\nb\r\nabc", "3;\u{1}\r\nabc", "0\r\nX : y\r\n\r\n",
      "0\r\nX\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\n\n", "0\r\nX: \u{0}\r\n\r\n",
    ])
  func refuses(text: String) {
    for size in [1, 1000] {
      #expect(throws: WireError.self, "pieces of \(size)") { try Feeding.chunks(Array(text.utf8), size: size) }
    }
  }

  @Test("extensions and trailers are bounded")
  func bounds() throws {
    let limits = HTTPLimits(chunkExtensionBytes: 10, trailerBytes: 20)
    func decode(_ text: String) throws { _ = try Feeding.chunks(Array(text.utf8), size: 1000, limits: limits) }
    try decode("1;123456789\r\na\r\n0\r\nX: 3456789012345\r\n\r\n")
    #expect(throws: WireError.self) { try decode("1;12345678901\r\na\r\n") }
    #expect(throws: WireError.self) { try decode("0\r\nX: 3456789012345678\r\n\r\n") }
  }

  @Test("a body ends where its framing says, and not with the stream before that")
  func bodies() throws {
    func read(_ framing: BodyFraming, _ text: String) throws -> (String, Int, Bool) {
      var decoder = BodyDecoder(framing)
      var octets = Array(text.utf8)
      let progress = try octets.withUnsafeMutableBufferPointer { bytes in try decoder.decode(bytes) }
      return (String(decoding: octets[progress.body], as: UTF8.self), progress.consumed, decoder.isComplete)
    }
    #expect(try read(.none, "abc") == ("", 0, true))
    #expect(try read(.length(2), "abc") == ("ab", 2, true))
    #expect(try read(.length(4), "abc") == ("abc", 3, false))
    #expect(try read(.untilClose, "abc") == ("abc", 3, false))
    #expect(try read(.chunked, "1\r\na\r\n2\r\nbc\r\n0\r\n\r\nX") == ("abc", 18, true))
    for framing: BodyFraming in [.length(1), .chunked] {
      var decoder = BodyDecoder(framing)
      #expect(throws: WireError.self) { try decoder.end() }
    }
    var decoder = BodyDecoder(.untilClose)
    try decoder.end()
    #expect(decoder.isComplete)
  }
}
