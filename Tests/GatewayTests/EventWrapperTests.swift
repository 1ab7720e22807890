import Testing

@testable import Gateway

struct EventWrapperTests {
  private static func event(_ body: String, isError: Bool = false, piece: Int = .max) -> String {
    var wrapper = EventWrapper(isError: isError)
    var output: [UInt8] = []
    let octets = Array(body.utf8)
    var start = 0
    while start < octets.count {
      let end = min(octets.count, piece == .max ? octets.count : start + piece)
      octets[start..<end].withUnsafeBytes { wrapper.append($0, to: &output) }
      start = end
    }
    wrapper.end(to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  @Test(
    "Each line of a body has its data field, whatever ends it, and the last line's end is none of its own",
    arguments: [
      ("", "data: \n\n"), ("{}", "data: {}\n\n"), ("{}\n", "data: {}\n\n"), ("a\nb", "data: a\ndata: b\n\n"),
      ("a\r\nb\rc\n", "data: a\ndata: b\ndata: c\n\n"), ("a\n\nb", "data: a\ndata: \ndata: b\n\n"),
      ("a\r\r\nb", "data: a\ndata: \ndata: b\n\n"),
    ])
  func lines(body: String, expected: String) {
    #expect(Self.event(body) == expected)
    // However it comes.
    for piece in 1...3 { #expect(Self.event(body, piece: piece) == expected) }
  }

  @Test("An error is named as one, and nothing is left out of a long body")
  func long() {
    #expect(Self.event("no", isError: true) == "event: error\ndata: no\n\n")
    let body = String(repeating: "x", count: 300_000)
    #expect(Self.event(body, piece: 4096) == "data: \(body)\n\n")
  }
}
