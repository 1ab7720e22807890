import Testing

@testable import HTTPWire

@Suite struct TraceContextTests {
  private static func read(_ text: String) -> TraceContext? {
    Array(text.utf8).withUnsafeBytes { TraceContext($0) }
  }

  @Test("a valid traceparent names its trace")
  func valid() throws {
    let context = try #require(Self.read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
    #expect(context.version == 0 && context.parentID == 0x00f0_67aa_0ba9_02b7 && context.isSampled)
    #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
    let small = try #require(Self.read("00-00000000000000000000000000000001-0000000000000001-00"))
    #expect(small.traceID == "00000000000000000000000000000001" && !small.isSampled)
  }

  @Test(
    "what W3C Trace Context refuses is refused, and a later version is read as far as it is known",
    arguments: [
      ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
      ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true),
      ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", true),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true),
      ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more", false),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", false),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false),
      ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
      ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
      ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
      ("00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01", false),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", false),
      ("0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
      ("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01", false),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01", false),
      (" 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false), ("", false), ("00", false),
    ])
  func table(text: String, isValid: Bool) { #expect((Self.read(text) != nil) == isValid) }
}
