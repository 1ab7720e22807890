import Testing

@testable import HTTPWire

@Suite struct RequestHeadTests {
  @Test(
    "an unambiguous request is read",
    arguments: [
      ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 none true false Host=a"),
      ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 none true false Host=a"),
      ("GET /a?b HTTP/1.1\r\nhOsT:a:80\t \r\nX:\r\n\r\n", "GET /a?b 1.1 none true false hOsT=a:80|X="),
      ("GET / HTTP/1.0\r\n\r\n", "GET / 1.0 none false false "),
      ("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", "GET / 1.0 none true false Connection=x, Keep-Alive"),
      (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: ,close\r\n\r\n", "GET / 1.1 none false false Host=a|Connection=,close"
      ),
      ("GET / HTTP/1.9\r\nHost: a\r\n\r\n", "GET / 1.1 none true false Host=a"),
      (
        "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 010\r\n\r\n",
        "PUT /x 1.1 length(10) true false Host=a|Content-Length=010"
      ),
      (
        "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
        "PUT /x 1.1 chunked true false Host=a|Transfer-Encoding=Chunked"
      ),
      (
        "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n",
        "PUT /x 1.1 none true true Host=a|Expect=100-Continue"
      ),
      ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 none true false Host=a"),
      ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1 1.1 none true false Host=a"),
      ("GET http://b/c?d HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b/c?d 1.1 none true false Host=a"),
      ("GET / HTTP/1.1\r\nHost: [::1]:8\r\nX: a\u{e9}b\r\n\r\n", "GET / 1.1 none true false Host=[::1]:8|X=a\u{e9}b"),
    ])
  func accepts(text: String, expected: String) {
    #expect(Feeding.request(text) == .head(expected, length: text.utf8.count))
    #expect(Feeding.request(text + "GET") == .head(expected, length: text.utf8.count), "what follows is left alone")
  }

  /// Request lines and what stands after `Host: a`, each with the status it is refused with.
  static let refusals: [(text: String, status: Int)] =
    [
      ("GET  / HTTP/1.1", 400), (" GET / HTTP/1.1", 400), ("GET / HTTP/1.1 ", 400), ("GET /", 400), ("GET", 400),
      ("G(T / HTTP/1.1", 400), ("GET /\u{1} HTTP/1.1", 400), ("GET /\u{e9} HTTP/1.1", 400), ("GET /#a HTTP/1.1", 400),
      ("GET a HTTP/1.1", 400), ("GET * HTTP/1.1", 400), ("CONNECT /a HTTP/1.1", 400), ("GET http:///a HTTP/1.1", 400),
      ("GET / HTTP/2.0", 505), ("GET / http/1.1", 400), ("GET / HTTP/1.10", 400), ("GET / HTTP/11", 400),
      ("GET /\t HTTP/1.1", 400), ("GET / HTTP/1.1\rX", 400),
    ].map { ($0.0 + "\r\nHost: a\r\n\r\n", $0.1) }
    + [
      ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
      ("Transfer-Encoding: chunked\r\nContent-Length: 1", 400),
      ("Content-Length: 1\r\nContent-Length: 1", 400), ("Content-Length: 1\r\nContent-Length: 2", 400),
      ("Content-Length: 1, 1", 400), ("Content-Length: +1", 400), ("Content-Length: -1", 400), ("Content-Length:", 400),
      ("Content-Length: 1 1", 400), ("Content-Length: 0x1", 400), ("Content-Length: 1e3", 400),
      ("Content-Length: 9999999999999999999", 400), ("Transfer-Encoding: gzip, chunked", 501),
      ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400), ("Transfer-Encoding: identity", 501),
      ("Transfer-Encoding: xchunked", 501), ("Transfer-Encoding: chunked;a=b", 501), ("Transfer-Encoding:", 501),
      ("Transfer-Encoding\u{b}: chunked", 400), ("Transfer-Encoding : chunked", 400), ("X : a", 400), (": a", 400),
      ("X", 400), ("X: a\r\n folded", 400), ("X: a\r\n\tfolded", 400), ("X: a\u{0}b", 400), ("X: a\u{7f}", 400),
      ("X: a\rb", 400), ("X: a\nY: b", 400), ("X\u{e9}: a", 400), ("Host: b", 400), ("Host: a", 400),
      ("Expect: 200-ok", 417), ("X: a\r", 400),
      ("Connection: \(String(repeating: "b,", count: 33))", 431),
      ("Connection: \(String(repeating: "b,", count: 20))\r\nConnection: \(String(repeating: "b,", count: 13))", 431),
    ].map { ("POST / HTTP/1.1\r\nHost: a\r\n\($0.0)\r\n\r\n", $0.1) }
    + [
      ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a%4\r\n\r\n", 400),
      ("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400), ("GET / HTTP/1.1\nHost: a\n\n", 400),
      ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400), ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
      ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400), ("\n", 400),
    ]

  @Test("a request that two servers could read differently is refused", arguments: refusals)
  func refuses(text: String, status: Int) {
    #expect(Feeding.request(text) == .refused(status))
  }

  @Test("a request gives the same result however it is split")
  func splits() {
    let texts =
      Self.refusals.map(\.text) + [
        "POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Long: \(String(repeating: "y", count: 40))\r\n\r\nhello",
        "GET / HTTP/1.1\r\nHost: a\r\n", "GET", "",
      ]
    for text in texts {
      let whole = Feeding.request(text)
      let count = text.utf8.count
      #expect(Feeding.request(text, cuts: Array(0..<count)) == whole, "one byte at a time: \(text.debugDescription)")
      for cut in 0..<count {
        #expect(Feeding.request(text, cuts: [cut]) == whole, "cut at \(cut): \(text.debugDescription)")
      }
    }
  }

  @Test("a head is bounded in bytes, fields and target")
  func bounds() {
    let limits = HTTPLimits(headBytes: 100, headerCount: 2, targetBytes: 10)
    func request(_ target: String, _ fields: String) -> Verdict {
      Feeding.request("GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", limits: limits)
    }
    #expect(request("/23456789a", "X: a\r\n") != .refused(414))
    #expect(request("/23456789ab", "X: a\r\n") == .refused(414))
    #expect(request("/", "X: a\r\nY: a\r\n") == .refused(431))
    #expect(request("/", "X: \(String(repeating: "a", count: 100))\r\n") == .refused(431))
    #expect(
      Feeding.request("GET / HTTP/1.0\r\nConnection: \(String(repeating: "b,", count: 32))\r\n\r\n") != .refused(431))
    #expect(Feeding.request(String(repeating: "a", count: 99), limits: limits) == .incomplete)
    #expect(Feeding.request(String(repeating: "a", count: 100), limits: limits) == .refused(431))
  }

  @Test(
    "authority, path and query come from the target, whatever its form",
    arguments: [
      ("/a/b?c=d?e", "host:1", "/a/b", "c=d?e"), ("/?", "host:1", "/", ""), ("/a", "host:1", "/a", nil),
      ("http://other:2/a?b", "other:2", "/a", "b"), ("http://other", "other", "", nil),
      ("http://other?b", "other", "", "b"), ("/http://x/y", "host:1", "/http://x/y", nil),
    ] as [(String, String, String, String?)])
  func targets(target: String, authority: String, path: String, query: String?) throws {
    let head = try #require(try Feeding.head("GET \(target) HTTP/1.1\r\nHost: host:1\r\n\r\n"))
    #expect(head.authority == authority)
    #expect(head.path == path)
    #expect(head.query == query)
    #expect(head.isMethod("GET") && !head.isMethod("GE") && !head.isMethod("get"))
  }

  @Test("fields are found without regard to case, in order, and decoded on demand")
  func headers() throws {
    let head = try #require(try Feeding.head("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-b: 2\r\nx-a: 3\r\n\r\n"))
    #expect(head.headers.first("x-A") == "1")
    #expect(head.headers.all("X-a") == ["1", "3"])
    #expect(head.headers.first("x-c") == nil)
    #expect(head.headers.contains("X-B") && !head.headers.contains("X-"))
    #expect(head.headers.map(\.name) == ["Host", "X-A", "x-b", "x-a"])
    // '@' and '`' differ by the bit that tells upper from lower case, but are no letters.
    #expect(HTTPHeaders([("a^", "1")]).first("a~") == nil)
  }
}
