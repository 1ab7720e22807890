import Testing

@testable import HTTPWire

/// Bytes arrive in pieces that mean nothing: wherever they are cut, what they come to is the same.
@Suite struct SplitTests {
  /// Every cut in two, every octet by itself, and every cut in three where that is not too many.
  private static func arrivals(of count: Int) -> [[Int]] {
    let inTwo = (0...count).map { [$0] }
    guard count <= 64 else { return [Array(0..<count)] + inTwo }
    return [Array(0..<count)] + inTwo + (0..<count).flatMap { first in (first...count).map { [first, $0] } }
  }

  @Test(
    "a request's head",
    arguments: [
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET", "GET / HTTP/1.0\r\n\r\n",
      "POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: \tb \t\r\n\r\nhello",
      "POST / HTTP/1.1\r\nhost:a\r\nTransfer-Encoding: chunked\r\nConnection: close, x\r\nExpect: 100-continue\r\n\r\n",
      "GET http://b/c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: \u{e9}\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: y", "\r\n\r\n", "\r", "",
    ])
  func requestHeads(text: String) {
    let whole = Feeding.request(text)
    for cuts in Self.arrivals(of: text.utf8.count) {
      #expect(Feeding.request(text, cuts: cuts) == whole, "cut at \(cuts)")
    }
  }

  @Test(
    "a response's head",
    arguments: [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.0 304 Not Modified\r\nX: y\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 204 \u{e9}\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK\nX: y\n\n",
      "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nX: y",
      "\r\n",
    ], [false, true])
  func responseHeads(text: String, isHead: Bool) {
    let whole = Feeding.response(text, isHead: isHead)
    for cuts in Self.arrivals(of: text.utf8.count) {
      #expect(Feeding.response(text, isHead: isHead, cuts: cuts) == whole, "cut at \(cuts)")
    }
  }

  @Test(
    "a body",
    arguments: [
      (.chunked, "5\r\nhello\r\n0\r\n\r\nGET /"), (.chunked, "0\r\n\r\n"),
      (.chunked, "1;a=\"b\"\r\na\r\n00;c\r\nX: y\r\nZ:\r\n\r\n"),
      (.chunked, "a\r\n0\r\n\r\n0\r\n\r\n\r\n1\r\n!\r\n0\r\n\r\n"),
      (.chunked, "3\r\nabc\r\n0\r\nHost: a\r\nX: y\r\n\r\n"),
      (.chunked, "3\r\nabcX0\r\n\r\n"), (.chunked, "3\nabc"), (.chunked, "0\r\nX : y\r\n\r\n"), (.chunked, "0\r\n\n"),
      (.chunked, "1000000000000000\r\n"), (.chunked, "3;\u{1}\r\nabc"), (.chunked, "3\r\nab"), (.chunked, "x"),
      (.length(5), "hello, world"), (.length(5), "hell"), (.length(0), "GET /"), (.none, "GET /"),
      (.untilClose, "hello"),
    ] as [(BodyFraming, String)])
  func bodies(framing: BodyFraming, text: String) {
    let whole = Feeding.body(framing, text, cuts: [])
    for cuts in Self.arrivals(of: text.utf8.count) {
      #expect(Feeding.body(framing, text, cuts: cuts) == whole, "cut at \(cuts)")
    }
  }

  @Test(
    "an event stream",
    arguments: [
      "data: a\n\ndata: b\n\n", "data:a\r\n\r\ndata\r\n\r\n", "data: a\r\rdata: b\r\r", "data: a\r\n\ndata: b\n\r",
      ": c\r\nid: 1\ndata: {}\nevent: y\n\ndata: [DONE]\r\n\r\n", "data:[DONE]\n\n", "data:  [DONE]\n\n", "data: [DONE",
      "datax: a\n\ndat: b\n\n", "data: \u{e9}\n\n\n\n",
    ])
  func events(text: String) {
    let octets = Array(text.utf8)
    func count(_ cuts: [Int]) -> (events: Int, isDone: Bool) {
      var counter = SSEEventCounter()
      for piece in Feeding.pieces(octets, cuts: cuts) { piece.withUnsafeBytes { counter.consume($0) } }
      return (counter.events, counter.isDone)
    }
    let whole = count([])
    for cuts in Self.arrivals(of: octets.count) { #expect(count(cuts) == whole, "cut at \(cuts)") }
  }
}
