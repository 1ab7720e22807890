import FleetProtocol
import FoundationEssentials
import Testing

@Suite struct RequestLogRowTests {
  static let full: RequestLogRow = {
    var row = RequestLogRow(timeUnix: 1_767_323_045.678901, status: 200, durationMilliseconds: 2240.903)
    row.namespace = "default"
    row.name = "qwen"
    row.modelProtocol = "openai"
    row.method = "POST"
    row.pool = "burst"
    row.replica = "5f0c1d9e-7b1a-4c55-9f43-0f5c9a6e2b11"
    row.reason = "woke"
    row.retries = 1
    row.queuedMilliseconds = 2021.4
    row.firstByteMilliseconds = 2036.25
    row.firstTokenMilliseconds = 2061.118
    row.coldStart = true
    row.promptTokens = 44
    row.outputTokens = 48
    row.tokensEstimated = true
    row.requestBytes = 512
    row.responseBytes = 9340
    row.tenant = "9f86d081884c7d65"
    row.traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
    row.weight = 100
    return row
  }()

  static let sparse = RequestLogRow(timeUnix: 0, status: 0, durationMilliseconds: 0)

  static let hostile: RequestLogRow = {
    var row = RequestLogRow(timeUnix: 1.5, status: 502, durationMilliseconds: 0.001)
    row.name = "a\"b\\c\nd\u{1}\u{1f}é😀"
    row.reason = ""
    row.requestBytes = Int.max
    row.promptTokens = Int.min
    return row
  }()

  private static func line(_ row: RequestLogRow) -> [UInt8] {
    var line: [UInt8] = []
    row.appendLine(to: &line)
    return line
  }

  @Test("a written row is one line that decodes to itself", arguments: [full, sparse, hostile])
  func roundTrip(row: RequestLogRow) throws {
    let line = Self.line(row)
    #expect(line.last == UInt8(ascii: "\n") && line.count { $0 < 0x20 } == 1)
    #expect(try JSONDecoder().decode(RequestLogRow.self, from: Data(line)) == row)
    // The writer and the encoder say the same.
    #expect(try JSONDecoder().decode(RequestLogRow.self, from: JSONEncoder().encode(row)) == row)
  }

  @Test(
    "numbers are rounded to the microsecond and never break the line",
    arguments: [
      (12.3456789, "12.346"), (0.0004, "0"), (0.0005, "0.001"), (1e3, "1000"), (-1.25, "-1.25"), (-0.0001, "0"),
      (0.07, "0.07"), (.nan, "0"), (.infinity, "0"), (1e300, "0"), (9_007_199_254.740, "9007199254.74"),
    ] as [(Double, String)])
  func numbers(value: Double, text: String) {
    let line = String(
      decoding: Self.line(RequestLogRow(timeUnix: 0, status: 1, durationMilliseconds: value)), as: UTF8.self)
    #expect(line.contains("\"durationMilliseconds\":\(text),"), "\(line)")
  }

  @Test("a row with less in it, or more, is read; one of a distant version is refused")
  func tolerance() throws {
    let row = try JSONDecoder().decode(
      RequestLogRow.self,
      from: Data(#"{"version":0,"timeUnix":5,"status":200,"durationMilliseconds":7,"time":"x","new":{}}"#.utf8))
    var expected = RequestLogRow(timeUnix: 5, status: 200, durationMilliseconds: 7)
    expected.version = 0
    #expect(row == expected)
    #expect(throws: FleetProtocolError.unsupportedVersion(9)) {
      try JSONDecoder().decode(
        RequestLogRow.self, from: Data(#"{"version":9,"timeUnix":5,"status":200,"durationMilliseconds":7}"#.utf8))
    }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(RequestLogRow.self, from: Data(#"{"timeUnix":5,"status":200}"#.utf8))
    }
  }

  @Test("the documentation names every field, in the order they are written, and its example is a row")
  func documentation() throws {
    let root = URL(filePath: #filePath).appending(path: "../../../docs/request-log.md").standardized
    let text = try String(contentsOf: root, encoding: .utf8)
    let documented = text.split(separator: "\n").compactMap { line -> String? in
      guard line.hasPrefix("| `") else { return nil }
      return String(line.dropFirst(3).prefix { $0 != "`" })
    }
    #expect(documented == RequestLogRow.CodingKeys.allCases.map(\.rawValue))
    let example = try #require(text.split(separator: "\n").first { $0.hasPrefix("{") })
    var expected = Self.full
    expected.retries = 0
    expected.tokensEstimated = false
    expected.weight = 1
    #expect(try JSONDecoder().decode(RequestLogRow.self, from: Data(example.utf8)) == expected)
    #expect(String(decoding: Self.line(expected), as: UTF8.self) == example + "\n")
    let written = String(decoding: Self.line(Self.full), as: UTF8.self)
    let names = written.split(separator: "\"").filter { RequestLogRow.CodingKeys(rawValue: String($0)) != nil }
    #expect(names.map(String.init) == documented)
  }
}
