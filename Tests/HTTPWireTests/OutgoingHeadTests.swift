import Testing

@testable import HTTPWire

@Suite struct OutgoingHeadTests {
  @Test("no value, name or target can smuggle a line, and framing fields come from the framing")
  func injection() {
    let fields = FieldBlock([
      ("X", "a\r\nY: b\u{0}"), ("bad name", "c"), ("", "d"), ("Content-Length", "9"), ("transfer-encoding", "gzip"),
      ("Connection", "close"),
    ])
    let head = RequestHeadBytes(method: "GET", target: "/a b\r\né", fields: fields, framing: .length(3))
    #expect(
      String(decoding: head.octets, as: UTF8.self)
        == "GET /a%20b%0D%0A%C3%A9 HTTP/1.1\r\nX: a  Y: b \r\nContent-Length: 3\r\n\r\n")
  }

  @Test("forwarding drops hop-by-hop fields, those Connection names, and nothing else")
  func forwarding() throws {
    let head = Array(
      """
      POST / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Secret, Host, keep-alive\r\nx-secret: 1\r\nKeep-Alive: 2\r\n\
      TE: trailers\r\nUpgrade: h2c\r\nProxy-Connection: x\r\nTrailer: y\r\nTransfer-Encoding: chunked\r\n\
      Proxy-Authorization: z\r\nX-Kept: 3\r\nPriority: 4\r\nx-kept:5\r\n\r\n
      """.utf8)
    var parser = RequestHeadParser()
    let length = try parser.scan(head.span)
    #expect(length == head.count)
    var octets: [UInt8] = []
    head.withUnsafeBytes {
      FieldForwarding.append(parser.layout.lines, of: $0, namesFields: true, to: &octets) { $0 == .priority }
    }
    #expect(String(decoding: octets, as: UTF8.self) == "Host: a\r\nX-Kept: 3\r\nx-kept:5\r\n")
  }

  @Test(
    "a name that is a known one when its underscores are hyphens is a lookalike",
    arguments: [
      ("Transfer_Encoding", KnownField.lookalike), ("content_length", .lookalike), ("X_Forwarded-For", .lookalike),
      ("x-forwarded_proto", .lookalike), ("KEEP_ALIVE", .lookalike), ("Max_Forwards", .lookalike),
      ("pilotlight_pool", .lookalike), ("Pilotlight_", .other), ("pilotlight-a_b", .pilotlight),
      ("Content-Length", .contentLength), ("max-forwards", .maxForwards), ("Content-Type", .contentType),
      ("X_Custom", .other), ("_host", .other), ("te_", .other),
    ])
  func lookalikes(name: String, field: KnownField) {
    #expect(KnownField(name: name) == field)
  }

  @Test("response heads carry the framing they were given")
  func responses() {
    func text(_ status: Int, _ framing: BodyFraming, closes: Bool) -> String {
      var octets: [UInt8] = []
      ResponseHeadBytes.append(
        status: status, fields: FieldBlock([("A", "b")]), framing: framing, closes: closes, to: &octets)
      return String(decoding: octets, as: UTF8.self)
    }
    #expect(text(200, .length(5), closes: false) == "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n")
    #expect(
      text(503, .chunked, closes: true)
        == "HTTP/1.1 503 Service Unavailable\r\nA: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    #expect(text(299, .none, closes: false) == "HTTP/1.1 299 \r\nA: b\r\n\r\n")
  }
}
