import Testing

@testable import HTTPWire

@Suite struct ResponseHeadTests {
  @Test(
    "a response is read, and its framing follows RFC 9112, 6.3",
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false, "200 length(3) true OK Content-Length=3"),
      ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, "200 none true OK Content-Length=3"),
      ("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", false, "200 chunked true  Transfer-Encoding=chunked"),
      ("HTTP/1.1 200\r\n\r\n", false, "200 untilClose false  "),
      ("HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", false, "204 none true No Content-Length=3"),
      ("HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", false, "304 none true No Content-Length=3"),
      ("HTTP/1.1 100 Continue\r\n\r\n", false, "100 none true Continue "),
      ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false, "200 length(0) false OK Content-Length=0"),
      (
        "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", false,
        "200 length(0) false OK Connection=Close|Content-Length=0"
      ),
    ])
  func accepts(text: String, isHead: Bool, expected: String) {
    #expect(Feeding.response(text, isHead: isHead) == .head(expected, length: text.utf8.count))
    #expect(
      Feeding.response(text, isHead: isHead, cuts: Array(0..<text.utf8.count))
        == .head(expected, length: text.utf8.count))
  }

  @Test(
    "an ambiguous response is refused",
    arguments: [
      "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n",
      "HTTP/1.1  200 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "200 OK\r\n\r\n", "HTTP/1.1 200 O\u{1}K\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
      "HTTP/1.1 200 OK\nX: a\n\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    ])
  func refuses(text: String) {
    guard case .refused = Feeding.response(text) else {
      Issue.record("accepted \(text.debugDescription)")
      return
    }
  }
}
