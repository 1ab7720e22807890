import FleetProtocol
import FoundationEssentials
import Gateway
import Telemetry
import Testing

@Suite struct AccessLogTests {
  private static let row: RequestLogRow = {
    var row = RequestLogRow(timeUnix: 1_700_000_000.25, status: 200, durationMilliseconds: 1250.5)
    row.namespace = "team"
    row.name = "llm"
    row.outputTokens = 7
    row.weight = 100
    return row
  }()

  @Test("a line of the access log begins as every line of the log and holds the whole row")
  func line() throws {
    var line: [UInt8] = []
    Self.row.appendAccessLogLine(to: &line)
    let text = String(decoding: line, as: UTF8.self)
    #expect(text.hasPrefix(#"{"time":"2023-11-14T22:13:21.500Z","level":"info","message":"request","version":1,"#))
    #expect(text.hasSuffix("}\n"))
    #expect(try JSONDecoder().decode(RequestLogRow.self, from: Data(line)) == Self.row)
  }

  @Test("a person is shown what matters")
  func record() {
    #expect(
      LogFormat.text(Self.row.accessLogRecord, at: Date(timeIntervalSince1970: 0))
        == "1970-01-01T00:00:00.000Z INFO    request service=team/llm status=200 pool=\"\" reason=\"\" "
        + "queuedMilliseconds=0.0 durationMilliseconds=1250.5 outputTokens=7 weight=100")
  }
}
