import Decisions
import FleetProtocol
import Testing

@Suite struct SnapshotLinesTests {
  static let snapshot = LoadSnapshot(
    gateway: "gateway-0", bootID: "b1", sequence: 7,
    services: [
      ServiceLoad(
        namespace: "team", name: "llm", held: 3, inFlight: 2, inFlightByPod: ["uid-1": 2], requestsTotal: 40,
        concurrencySeconds: 12.5, heldSinceUnix: 1_700_000_000.25, lastRequestUnix: 1_700_000_001, drainEpochSeen: 4,
        canaryAnswers: AnswerCount(answers: 9, errors: 1), stableAnswers: AnswerCount(answers: 30))
    ])

  @Test("A snapshot survives its line, however the stream is cut into pieces")
  func roundTrip() throws {
    let line = try Self.snapshot.encodedLine()
    let stream = line + [UInt8(ascii: "\n")] + line
    for size in [1, 7, 64, stream.count] {
      var splitter = LineSplitter()
      var lines: [[UInt8]] = []
      for start in stride(from: 0, to: stream.count, by: size) {
        lines += try splitter.append(stream[start..<min(start + size, stream.count)])
      }
      #expect(try lines.map { try LoadSnapshot(line: $0) } == [Self.snapshot, Self.snapshot])
    }
  }

  @Test(
    "Neighbour versions, unknown members and missing counts are read",
    arguments: [
      #"{"version":2,"gateway":"g","bootID":"b","sequence":1,"new":{},"services":[{"namespace":"a","name":"m","x":1}]}"#,
      #"{"version":0,"gateway":"g","bootID":"b","sequence":1,"services":[{"namespace":"a","name":"m"}]}"#,
    ])
  func neighbours(line: String) throws {
    let snapshot = try LoadSnapshot(line: Array(line.utf8))
    #expect(snapshot.services == [ServiceLoad(namespace: "a", name: "m")])
  }

  @Test(
    "What cannot be trusted is refused by name",
    arguments: [
      (#"{"version":3,"gateway":"g"}"#, "fleet protocol version 3: accepted are 0 to 2"),
      (
        #"{"version":1,"gateway":"g","bootID":"b","sequence":1,"services":[{"namespace":"a","name":"m","held":-1}]}"#,
        "malformed fleet message: a/m counts -1, must be 0 or more"
      ),
    ])
  func refused(line: String, message: String) {
    #expect {
      try LoadSnapshot(line: Array(line.utf8))
    } throws: {
      "\($0)" == message
    }
  }

  @Test("A stream without line feeds is refused at the limit")
  func endlessLine() throws {
    var splitter = LineSplitter(limit: 8)
    #expect(try splitter.append(Array("12345678".utf8)).isEmpty)
    #expect(throws: FleetProtocolError.lineTooLong(limit: 8)) { try splitter.append(Array("9".utf8)) }
  }
}
