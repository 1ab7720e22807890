import FoundationEssentials
import Testing

@testable import Telemetry

@Suite struct LogTests {
  @Test("a record carries the log's fields and its own; a later value replaces an earlier one")
  func fields() {
    let sink = MemoryLogSink()
    let log = Log(sink).with("service", "a").with("pool", "burst").with("service", "b")
    log.info("woke", ["seconds": 3.25, "pool": "dedicated", "after": Duration.milliseconds(1500)])
    #expect(
      sink.records == [
        LogRecord(
          level: .info, message: "woke",
          fields: [
            .init("pool", .string("dedicated")), .init("service", .string("b")), .init("seconds", .double(3.25)),
            .init("after", .double(1.5)),
          ])
      ])
  }

  @Test("what is below the threshold is not even evaluated")
  func threshold() {
    let sink = MemoryLogSink()
    let log = Log(sink, level: .warning)
    func message() -> String {
      Issue.record("evaluated")
      return ""
    }
    log.info(message())
    log.debug(message())
    log.warning("w")
    log.error("e")
    #expect(sink.messages == ["w", "e"])
  }

  @Test("the memory sink keeps the newest records")
  func bounded() {
    let sink = MemoryLogSink(capacity: 2)
    for message in ["a", "b", "c"] { Log(sink).info(message) }
    #expect(sink.messages == ["b", "c"])
  }

  private static let time = Date(timeIntervalSince1970: 1_700_000_000.5)

  @Test(
    "a record is one line of JSON, whatever is in it",
    arguments: [
      (
        LogRecord(level: .info, message: "woke"),
        #"{"time":"2023-11-14T22:13:20.500Z","level":"info","message":"woke"}"#
      ),
      (
        LogRecord(
          level: .error, message: "a\"b\\c\nd\u{1}",
          fields: [
            .init("n", .integer(-3)), .init("d", .double(0.5)), .init("b", .bool(true)), .init("level", .string("x")),
            .init("inf", .double(.infinity)),
          ]),
        #"{"time":"2023-11-14T22:13:20.500Z","level":"error","message":"a\"b\\c\nd\u0001","n":-3,"d":0.5,"b":true,"level_":"x","inf":"inf"}"#
      ),
    ])
  func json(record: LogRecord, line: String) { #expect(LogFormat.json(record, at: Self.time) == line) }

  @Test("text for people quotes what would break the line")
  func text() {
    let record = LogRecord(
      level: .warning, message: "late",
      fields: [.init("model", .string("a b")), .init("pool", .string("burst")), .init("why", .string("x\ny"))])
    #expect(
      LogFormat.text(record, at: Self.time)
        == #"2023-11-14T22:13:20.500Z WARNING late model="a b" pool=burst why="x\ny""#)
  }

  @Test("the time of a line is that of the Gregorian calendar")
  func timestamps() {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    for day in stride(from: -140_000, through: 2_932_896, by: 97) {
      let time = Date(timeIntervalSince1970: Double(day) * 86_400 + Double(day.magnitude % 86_400) + 0.25)
      var octets: [UInt8] = []
      UTCTimestamp.append(time.timeIntervalSince1970, to: &octets)
      #expect(String(decoding: octets, as: UTF8.self) == style.format(time))
    }
  }

  @Test(
    "a time out of range, or none, is still a time",
    arguments: [
      (.nan, "1970-01-01T00:00:00.000Z"), (.infinity, "9999-12-31T23:59:59.999Z"), (-1e300, "0001-01-01T00:00:00.000Z"),
      (-0.001, "1969-12-31T23:59:59.999Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
    ] as [(Double, String)])
  func oddTimes(seconds: Double, text: String) {
    var octets: [UInt8] = []
    UTCTimestamp.append(seconds, to: &octets)
    #expect(String(decoding: octets, as: UTF8.self) == text)
  }
}
