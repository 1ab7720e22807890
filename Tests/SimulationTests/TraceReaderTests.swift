import FoundationEssentials
import Testing

@testable import Simulation

/// A text of each format, and the requests in it.
struct TraceText: CustomTestStringConvertible, Sendable {
  var format: TraceFormat
  var note = ""
  var text: String
  var requests: [TraceRequest]
  var models = ["m"]
  var testDescription: String { "\(format.rawValue) \(note)" }

  static let all = [
    TraceText(
      format: .azure, note: "of 2023",
      text: """
        TIMESTAMP,ContextTokens,GeneratedTokens
        2023-11-16 18:17:03.9799600,4808,10
        2023-11-16 18:17:04.0319600,3180,8

        """,
      requests: [
        request(1_700_158_623_979_960, 4808, 10), request(1_700_158_624_031_960, 3180, 8),
      ]),
    TraceText(
      format: .azure, note: "of 2024",
      text: """
        TIMESTAMP,ContextTokens,GeneratedTokens
        2024-05-10 00:00:00.009930+00:00,2162,5
        2024-05-10 02:00:01+02:00,2399,
        """,
      requests: [request(1_715_299_200_009_930, 2162, 5), request(1_715_299_201_000_000, 2399, -1)]),
    TraceText(
      format: .mooncake,
      text: """
        {"timestamp": 0, "input_length": 6755, "output_length": 500, "hash_ids": [0, 1, {"a": "}"}]}
        {"timestamp": 3000.25, "input_length": 7322, "output_length": 490, "hash_ids": []}

        """,
      requests: [request(0, 6755, 500), request(3_000_250, 7322, 490)]),
    TraceText(
      format: .csv, note: "in the order of the documentation",
      text: """
        model,time,prompt_tokens,output_tokens,duration
        chat,0.5,10,20,1.25
        code,0.5,,,
        chat,2e3,7
        """,
      requests: [
        request(500_000, 10, 20, duration: 1_250_000), request(500_000, -1, -1, model: 1),
        request(2_000_000_000, 7, -1),
      ], models: ["chat", "code"]),
    TraceText(
      format: .csv, note: "in another order, with a column more, quotes, blanks, empty lines and CRLF",
      text:
        "\u{FEFF}output_tokens,\"time\",region,model\r\n\r\n5, 1.0000005 ,west,\"a, b\"\r\n,3,\"x,y\",chat,more\r\n",
      requests: [request(1_000_001, -1, 5), request(3_000_000, -1, -1, model: 1)], models: ["a, b", "chat"]),
    TraceText(
      format: .requestLog,
      text: """
        {"level":"info","message":"listening"}
        {"version":1,"timeUnix":1767323045.678901,"namespace":"default","name":"qwen","pool":"burst",\
        "queuedMilliseconds":2000.4,"durationMilliseconds":2240.9,"promptTokens":44,"outputTokens":48,"weight":1}
        {"timeUnix":1767323045.5,"namespace":"default","name":null,"durationMilliseconds":1,"weight":1}
        {"timeUnix":1767323044,"namespace":"b","name":"qwen","pool":null,"durationMilliseconds":9000,"weight":1}

        """,
      requests: [
        request(1_767_323_044_000_000, -1, -1, model: 1),
        request(1_767_323_045_678_901, 44, 48, duration: 240_500),
      ], models: ["default/qwen", "b/qwen"]),
    TraceText(
      format: .servegenRates, text: "t_seconds,total_requests_per_second\n0,0\n600,0\n", requests: []),
    TraceText(
      format: .servegenClients, text: "client,t_seconds,rate_rps,cv,dist,param1,param2\n7,0,0,1,Gamma,1,1\n",
      requests: [], models: ["7"]),
  ]

  private static func request(
    _ time: Int64, _ prompt: Int32, _ output: Int32, duration: Int64 = -1, model: Int32 = 0
  ) -> TraceRequest {
    TraceRequest(
      timeMicroseconds: time, durationMicroseconds: duration, model: model, promptTokens: prompt, outputTokens: output)
  }
}

struct TraceReaderTests {
  private static let skipping = TraceReading(badRows: .skip)

  @Test("each format is told by its first line, and read", arguments: TraceText.all)
  func formats(of text: TraceText) {
    let parsed = ParsedTrace(text.text, Self.skipping)
    #expect(parsed.requests == text.requests)
    #expect(parsed.models == text.models)
    #expect(parsed.failure == nil)
    #expect(ParsedTrace(text.text, TraceReading(format: text.format, badRows: .skip)) == parsed)
  }

  @Test("the same however the octets arrive", arguments: TraceText.all, [1, 2, 3, 7])
  func pieces(of text: TraceText, chunk: Int) {
    let bad = text.text + "\nno row,\"\n" + text.text
    for text in [text.text, bad, bad + "\n", "\n\n" + text.text] {
      for reading in [TraceReading(), Self.skipping] {
        #expect(ParsedTrace(text, chunk: chunk, reading) == ParsedTrace(text, reading))
      }
    }
  }

  @Test(
    "a bad row is named with its line, its value and what is accepted",
    arguments: [
      ("model,time\na,1\nb,-2\n", "line 3: time '-2' is not a number of seconds from 0 to 9000000000"),
      ("model,time\n\na,NaN", "line 3: time 'NaN' is not a number of seconds from 0 to 9000000000"),
      (
        "time,model\n5,a\n4.5,a",
        "line 3: its time, 4.5 s, is before that of the row above, 5.0 s; rows must be in order of time"
      ),
      ("model,time\n,1", "line 2: the model has no name; it must have one"),
      ("model,time\na", "line 2: the row ends before its column time"),
      (
        "model,time,prompt_tokens\na,1,1e10",
        "line 2: prompt_tokens '1e10' is not a number of tokens from 0 to 2147483647"
      ),
      ("model,time,duration\na,1,x", "line 2: duration 'x' is not a number of seconds from 0 to 9000000000"),
      (
        "model,time\na\"b,1",
        "line 2: a quote stands within a cell; a cell is quoted from its first to its last character or not at all"
      ),
      (
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-02-29 00:00:00,1,1",
        "line 2: TIMESTAMP '2023-02-29 00:00:00' is not a moment since 1970 such as 2023-11-16 18:17:03.9799600"
      ),
      (
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-02-28 00:00:00,1",
        "line 2: the row has not the three columns TIMESTAMP,ContextTokens,GeneratedTokens"
      ),
      (
        "{\"timestamp\":1}\n{\"timestamp\":\"soon\"}",
        "line 2: timestamp 'soon' is not a number of milliseconds from 0 to 9000000000000"
      ),
      (
        "{\"timestamp\":1}\n{\"input_length\":1}", "line 2: the row has no timestamp; it must have one, in milliseconds"
      ),
      (
        "{\"timestamp\":1}\n{\"timestamp\":2,}",
        "line 2: this is no JSON object: a member's name in quotes should stand at column 16"
      ),
      (
        "{\"timestamp\":1}\n{\"timestamp\":2} x",
        "line 2: this is no JSON object: the end of the line should stand at column 17"
      ),
      (
        "{\"timeUnix\":1,\"name\":\"a\"}",
        "line 1: the row has no durationMilliseconds; a row of a request log has both"
      ),
      (
        "t_seconds,total_requests_per_second\n0,1\n300,1",
        "line 3: its bin starts at 300 s, within or before that of the row above, which starts at 0 s; a client's bins of 600 s must be in order"
      ),
      (
        "t_seconds,total_requests_per_second\n0,-1",
        "line 2: the rate '-1' is not a number of requests per second from 0 to 1000000"
      ),
      (
        "client,t_seconds,rate_rps,dist,param1\n1,0,0.1,Pareto,1",
        "line 2: dist 'Pareto' is not Gamma, Weibull or Exponential"
      ),
      (
        "client,t_seconds,rate_rps,dist,param1\n1,0,0.1,Gamma,0",
        "line 2: param1 is not the shape of the distribution, a number from 0.001 to 1000000"
      ),
    ])
  func badRow(text: String, message: String) {
    #expect(ParsedTrace(text).failure == "load.txt \(message)")
    let skipped = ParsedTrace(text, Self.skipping)
    #expect(skipped.failure == nil)
    #expect(skipped.problems.count == 1)
    #expect(skipped.problems.first.map(\.description) == ["load.txt \(message)"])
  }

  @Test("without its first line nothing can be read, even where bad rows are skipped")
  func firstLine() throws {
    for (text, format, part) in [
      ("name,when\na,1\n", nil, "line 1: 'name,when' is the first line of no known trace; there are azure, mooncake,"),
      ("{\"a\":1}", nil, "line 1: '{\"a\":1}' is an object of no known trace"),
      ("\ntime\n1\n", .csv, "line 2: the header 'time' has no column model; it must have model,time"),
      ("model,time,time\n", nil, "line 1: the column time is there twice"),
    ] as [(String, TraceFormat?, String)] {
      let parsed = ParsedTrace(text, TraceReading(format: format, badRows: .skip))
      #expect(try #require(parsed.failure).hasPrefix("load.txt " + part))
      #expect(parsed.requests.isEmpty)
    }
  }

  @Test("every skipped row is counted, the first five are kept, and the rows between are read")
  func skip() {
    let rows = (1...40).map { $0.isMultiple(of: 4) ? "a,x\($0)" : "a,\($0)" }
    let parsed = ParsedTrace("model,time\n" + rows.joined(separator: "\n"), Self.skipping)
    #expect(parsed.problems.count == 10)
    #expect(parsed.problems.first.map(\.line) == [5, 9, 13, 17, 21])
    #expect(parsed.seconds == (1...40).filter { !$0.isMultiple(of: 4) }.map(Double.init))
  }

  @Test("a row that is skipped is not the one the next is compared with")
  func skippedOrder() {
    #expect(ParsedTrace("model,time\na,5\na,3\na,4\na,5\n", Self.skipping).seconds == [5, 5])
  }

  @Test("a line of more than 1 MiB is one bad row, whatever its end", arguments: [nil, 65_536, 1_000_003] as [Int?])
  func overlong(chunk: Int?) {
    let long = String(repeating: "a", count: LineBuffer.mostLineBytes)
    let parsed = ParsedTrace("model,time\n\(long)b,1\na,2\n\(long)\(long)\(long)", chunk: chunk, Self.skipping)
    #expect(parsed.problems.first.map(\.line) == [2, 4])
    #expect(
      parsed.problems.first.first?.message == "the line is longer than 1048576 bytes; no longer one is accepted")
    #expect(parsed.seconds == [2])
  }

  @Test("values nested too deep are refused")
  func nesting() {
    let deep = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
    let parsed = ParsedTrace("{\"timestamp\":1,\"hash_ids\":\(deep)}")
    #expect(parsed.failure == "load.txt line 1: values are nested more than 32 deep")
  }

  @Test("many models keep their numbers")
  func models() {
    let rows = (0..<3000).map { "m\($0 % 1000),\($0)" }
    let parsed = ParsedTrace("model,time\n" + rows.joined(separator: "\n"))
    #expect(parsed.models == (0..<1000).map { "m\($0)" })
    #expect(parsed.requests.map(\.model) == (0..<3000).map { Int32($0 % 1000) })
  }

  @Test(
    "moments of data sets",
    arguments: [
      ("1970-01-01 00:00:00", 0), ("2024-02-29T23:59:59.1234567Z", 1_709_251_199_123_456),
      ("2000-03-01 00:00:00", 951_868_800_000_000), ("2024-05-09 19:30:00-04:30", 1_715_299_200_000_000),
      ("1969-12-31 23:59:59", nil), ("2023-11-16", nil), ("2023-11-16 24:00:00", nil), ("2023-11-16 18:17:03.", nil),
      ("2023-13-01 00:00:00", nil), ("2023-11-16 18:17:03 CET", nil), ("2100-02-29 00:00:00", nil),
    ] as [(String, Int64?)])
  func moments(text: String, microseconds: Int64?) {
    #expect(Array(text.utf8).withUnsafeBufferPointer { Timestamp.microseconds($0) } == microseconds)
  }

  @Test(
    "decimal numbers are read without rounding where microseconds can say them",
    arguments: [
      ("0", 0), ("1767323045.678901", 1_767_323_045_678_901), ("0.0000004", 0), ("0.0000005", 1), ("1.5E-3", 1500),
      ("9000000000", 9_000_000_000_000_000), ("90000000000", nil), ("", nil), (".5", nil), ("5.", nil), ("1.2.3", nil),
      ("0x10", nil), ("inf", nil), ("1e400", nil), ("+1", nil), ("1 2", nil),
    ] as [(String, Int64?)])
  func numbers(text: String, microseconds: Int64?) {
    #expect(Array(text.utf8).withUnsafeBufferPointer { TraceNumber.scaled($0, by: 6) } == microseconds)
  }

  @Test("a file's model has the name of the file, and its progress is known")
  func file() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("conversation.v2.jsonl").path
    let text = (0..<20_000).map { "{\"timestamp\":\($0),\"input_length\":3,\"output_length\":4}\n" }.joined()
    #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
    var file = try TraceFile(path: path)
    var times: [Int64] = []
    while let request = try file.next() { times.append(request.timeMicroseconds) }
    #expect(times == (0..<20_000).map { $0 * 1000 })
    #expect(file.models == ["conversation.v2"])
    #expect(file.progress == TraceProgress(read: Int64(text.utf8.count), total: Int64(text.utf8.count)))
    #expect(throws: TraceFile.Unreadable.self) { try TraceFile(path: path + ".gone") }
  }
}

struct TraceRequestLogTests {
  private func row(_ start: Double, milliseconds: Double = 0, name: String = "a", weight: Int = 1) -> String {
    "{\"timeUnix\":\(start),\"namespace\":\"n\",\"name\":\"\(name)\",\"durationMilliseconds\":\(milliseconds),\"weight\":\(weight)}\n"
  }

  @Test("rows in the order of their ends are put into that of their starts")
  func order() {
    let starts: [Double] = [9, 3, 8, 1, 5, 5, 0, 7]
    let log = starts.map { row($0, milliseconds: (10 - $0) * 1000) }.joined()
    let parsed = ParsedTrace(log)
    #expect(parsed.failure == nil)
    #expect(parsed.seconds == starts.sorted())
    #expect(ParsedTrace(log, chunk: 3) == parsed)
  }

  @Test("a row is given once the log is a window past its start; one that started before it is refused")
  func window() {
    let log = row(10) + row(12) + row(15) + row(11) + row(14)
    let parsed = ParsedTrace(
      log, TraceReading(badRows: .skip), order: StartOrder(window: 3_000_000, mostRows: 100))
    #expect(parsed.seconds == [10, 12, 14, 15])
    #expect(
      parsed.problems.first.map(\.description) == [
        "load.txt line 4: it started 1.0 s before a row that was already replayed; a row must stand within 3 s (and "
          + "100 rows) of those that started with it: sort the log by timeUnix"
      ])
  }

  @Test("no more rows wait than are held")
  func bound() {
    let log = [5, 4, 3, 2, 1].map { row($0) }.joined()
    let parsed = ParsedTrace(log, TraceReading(badRows: .skip), order: StartOrder(mostRows: 3))
    #expect(parsed.seconds == [2, 3, 4, 5])
    #expect(parsed.problems.first.map(\.line) == [5])
  }

  @Test("a sampled row is refused unless rows are reweighted")
  func weightRefused() {
    let log = row(1) + row(2, weight: 10)
    #expect(
      ParsedTrace(log).failure == "load.txt line 2: the row stands for 10 requests: the log is sampled. Replay what "
        + "--request-log wrote, or give --reweight to spread them")
    #expect(
      ParsedTrace(row(1, weight: 0), TraceReading(reweights: true)).failure
        == "load.txt line 1: weight '0' is not a number of requests from 1 to 1000000")
  }

  @Test("a sampled row's requests follow it over the time since its model's row before, a minute at most")
  func reweighted() {
    let log =
      row(100, weight: 2) + row(108, weight: 4) + row(109, name: "b") + row(1000, weight: 3) + row(1001, name: "b")
    let parsed = ParsedTrace(log, TraceReading(reweights: true))
    let expected: [Double] = [100, 100, 108, 110, 112, 114, 1000, 1020, 1040]
    #expect(parsed.times(of: "n/a").map { Double($0) / 1e6 } == expected)
    #expect(parsed.times(of: "n/b") == [109_000_000, 1_001_000_000])
    #expect(parsed.seconds == parsed.seconds.sorted())
  }
}
