import Testing

@testable import HTTPWire

struct HTTPDateTests {
  @Test(
    "A time is written as RFC 9110 has it",
    arguments: [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (1_796_083_199, "Mon, 30 Nov 2026 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ])
  func format(unix: Int, text: String) {
    let octets = HTTPDate.octets(unix: unix)
    #expect(String(decoding: octets, as: UTF8.self) == text && octets.count == HTTPDate.length)
  }
}
