import EventLoop
import HTTPWire
import Testing

@testable import Gateway

struct ForwardedRequestHeadTests {
  private func forwarded(_ head: String, _ changes: ForwardedRequestHead.Changes) throws -> [String] {
    let octets = Array(head.utf8)
    var parser = RequestHeadParser()
    _ = try parser.scan(octets.span)
    let layout = parser.layout
    let peer = PeerText(try SocketAddress(parsing: "10.0.0.1:9"))
    var output: [UInt8] = []
    octets.withUnsafeBytes {
      ForwardedRequestHead.append(
        layout, $0, target: .received(from: 0), changes, peer: peer, isSecure: false, to: &output)
    }
    return String(decoding: output, as: UTF8.self).split(separator: "\r\n").map(String.init)
  }

  @Test("A caller of HTTP/1.0 that names no host gets one for HTTP/1.1, which is not told as its own word")
  func host() throws {
    let lines = try forwarded("GET /g HTTP/1.0\r\nX: y\r\n\r\n", .init(hostIfNone: "owl.default.models.test"))
    #expect(lines.first == "GET /g HTTP/1.1")
    #expect(lines.filter { $0.hasPrefix("Host:") } == ["Host: owl.default.models.test"])
    #expect(lines.contains("Forwarded: for=10.0.0.1;proto=http"))
    #expect(!lines.contains { $0.hasPrefix("X-Forwarded-Host") })
    let named = try forwarded("GET /g HTTP/1.0\r\nHost: a\r\n\r\n", .init(hostIfNone: "b"))
    #expect(named.filter { $0.hasPrefix("Host:") } == ["Host: a"])
  }

  @Test("Max-Forwards is replaced where it counts")
  func hops() throws {
    let head = "OPTIONS /g HTTP/1.1\r\nHost: a\r\nmax-forwards: 3\r\n\r\n"
    let counted = try forwarded(head, .init(maxForwards: 2)).filter { $0.lowercased().hasPrefix("max-forwards") }
    #expect(counted == ["Max-Forwards: 2"])
    let kept = try forwarded(head, .init()).filter { $0.lowercased().hasPrefix("max-forwards") }
    #expect(kept == ["max-forwards: 3"])
  }

  @Test(
    "A value that would swallow what is added to it is recognised, whichever of quotes and comments its reader knows",
    arguments: [
      ("", true), ("for=a", true), (#"for="a""#, true), (#"for="a\"b""#, true), ("1.1 a (x)", true),
      ("1.1 a (x (y) \\( z)", true), (#"for=":)(""#, false), (#"for="a"#, false), (#"for="a\""#, false),
      (#"for="a\"#, false), (#"for=a\"b""#, false), ("1.1 a (x", false), ("1.1 a x)", false), ("a )(", false),
      (#"a (say "hi)"#, false), (#"a ("(")"#, false), (#""(""#, false),
    ])
  func swallows(value: String, ends: Bool) {
    #expect(Array(value.utf8).withUnsafeBytes { DelimitedValue.ends($0) } == ends)
  }

  @Test("A prior value that does not end is left out, and only that")
  func traces() throws {
    let lines = try forwarded(
      "GET /g HTTP/1.1\r\nHost: a\r\nForwarded: for=\"evil\r\nForwarded: for=b\r\nVia: 1.1 a (x\r\nVia: 1.0 c (d)\r\n\r\n",
      .init())
    #expect(lines.contains("Forwarded: for=b, for=10.0.0.1;host=\"a\";proto=http"))
    #expect(lines.contains("Via: 1.0 c (d), 1.1 pilotlight"))
  }

  @Test(
    "The hops that are left are one number",
    arguments: [
      ("", MaxForwards.unbounded), ("Max-Forwards: 0\r\n", .left(0)), ("max-forwards: 12\r\n", .left(12)),
      ("Max-Forwards: 99999999999999999999999\r\n", .left(1_000_000)), ("Max-Forwards:\r\n", .malformed),
      ("Max-Forwards: +1\r\n", .malformed), ("Max-Forwards: 1, 2\r\n", .malformed),
      ("Max-Forwards: 1\r\nMax-Forwards: 1\r\n", .malformed),
    ])
  func maxForwards(fields: String, expected: MaxForwards) throws {
    let head = Array("OPTIONS * HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
    var parser = RequestHeadParser()
    _ = try parser.scan(head.span)
    let layout = parser.layout
    #expect(head.withUnsafeBytes { MaxForwards(HeadView(layout: layout, bytes: $0)) } == expected)
  }
}
