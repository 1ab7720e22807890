import FleetProtocol
import FoundationEssentials
import Gateway
import Glibc
import Telemetry
import Testing

@Suite struct RequestLogFileTests {
  /// A folder of its own, gone with the value.
  private final class Folder {
    let path: String

    init() throws {
      path = FileManager.default.temporaryDirectory.appending(path: "request-log-\(UUID())").path
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func rows(_ name: String) throws -> [RequestLogRow] {
      try RequestLogFileTests.rows(Data(contentsOf: URL(filePath: file(name))))
    }
  }

  private static func rows(_ data: Data) throws -> [RequestLogRow] {
    try data.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(RequestLogRow.self, from: $0) }
  }

  private static func row(_ number: Int) -> RequestLogRow {
    var row = RequestLogRow(timeUnix: Double(number), status: 200, durationMilliseconds: 1)
    row.name = "model-\(number)"
    return row
  }

  @Test("rows are appended to what the file has, at the latest when it is flushed")
  func appends() throws {
    let folder = try Folder()
    for round in 0..<2 {
      let file = try RequestLogFile(path: folder.file("log"), log: .discarding)
      file.append(Self.row(round * 2))
      file.append(Self.row(round * 2 + 1))
      #expect(try folder.rows("log").count == round * 2)
      file.flush()
      #expect(try folder.rows("log").count == round * 2 + 2)
    }
    #expect(try folder.rows("log") == (0..<4).map(Self.row))
    var status = stat()
    #expect(stat(folder.file("log"), &status) == 0 && status.st_mode & 0o137 == 0)
  }

  @Test("a full buffer is written without waiting, and the rest when the log is closed")
  func full() throws {
    let folder = try Folder()
    var file: RequestLogFile? = try RequestLogFile(path: folder.file("log"), log: .discarding)
    for number in 0..<2000 { file?.append(Self.row(number)) }
    let early = try folder.rows("log").count
    #expect(early > 0 && early < 2000)
    file = nil
    #expect(try folder.rows("log") == (0..<2000).map(Self.row))
  }

  @Test("rows of several threads are all there, none is torn")
  func threads() async throws {
    let folder = try Folder()
    let file = try RequestLogFile(path: folder.file("log"), log: .discarding)
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask { for number in 0..<1000 { file.append(Self.row(thread * 1000 + number)) } }
      }
    }
    file.flush()
    #expect(try folder.rows("log").map(\.timeUnix).sorted() == (0..<4000).map(Double.init))
    #expect(file.dropped == 0 && file.failures == 0)
  }

  @Test("after a rotation rows go to the new file of the name")
  func rotation() throws {
    let folder = try Folder()
    let file = try RequestLogFile(path: folder.file("log"), log: .discarding)
    file.append(Self.row(1))
    try FileManager.default.moveItem(atPath: folder.file("log"), toPath: folder.file("old"))
    file.reopen()
    file.append(Self.row(2))
    file.flush()
    #expect(try folder.rows("old") == [Self.row(1)] && folder.rows("log") == [Self.row(2)])
  }

  @Test("a rotation that fails keeps the old file and is reported once")
  func failedRotation() throws {
    let folder = try Folder()
    let sink = MemoryLogSink()
    let file = try RequestLogFile(path: folder.file("log"), log: Log(sink))
    try FileManager.default.moveItem(atPath: folder.file("log"), toPath: folder.file("old"))
    try FileManager.default.createDirectory(atPath: folder.file("log"), withIntermediateDirectories: false)
    file.reopen()
    file.reopen()
    #expect(sink.messages == ["the request log cannot be opened again"] && file.failures == 2)
    #expect(sink.records[0]["problem"] == .string("Is a directory"))
    file.append(Self.row(3))
    file.flush()
    #expect(try folder.rows("old") == [Self.row(3)])
    #expect(sink.messages.last == "the request log is written again")
  }

  @Test(
    "a disk that is full costs a bounded number of rows of memory; what is lost is counted, the cause reported once")
  func fullDisk() throws {
    let sink = MemoryLogSink()
    let file = try RequestLogFile(path: "/dev/full", limit: 100_000, log: Log(sink))
    for number in 0..<5000 {
      file.append(Self.row(number))
      if number % 1000 == 0 { file.flush() }
    }
    #expect(sink.messages == ["the request log cannot be written"])
    #expect(sink.records[0]["problem"] == .string("No space left on device"))
    #expect(file.failures == 5 && file.dropped > 3000)
  }

  @Test("a reader that stalls tears no row, and gets the waiting ones in order when it goes on")
  func partialWrites() throws {
    let folder = try Folder()
    try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
    let reader = open(folder.file("pipe"), O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    let sink = MemoryLogSink()
    let file = try RequestLogFile(path: folder.file("pipe"), log: Log(sink))
    for number in 0..<3000 { file.append(Self.row(number)) }
    file.flush()
    #expect(file.failures > 0)
    var expected: [UInt8] = []
    for number in 0..<3000 { Self.row(number).appendLine(to: &expected) }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 5000)
    for _ in 0..<1000 where received.count < expected.count {
      let count = read(reader, &buffer, buffer.count)
      if count > 0 { received += buffer[..<count] } else { file.flush() }
    }
    #expect(received == expected)
    file.append(Self.row(0))
    file.flush()
    #expect(file.dropped == 0 && sink.messages.last == "the request log is written again")
  }

  @Test("a row that the old file has only the beginning of does not go on in the new one")
  func rotationAfterPartialWrite() throws {
    let folder = try Folder()
    try #require(mkfifo(folder.file("log"), 0o600) == 0)
    let reader = open(folder.file("log"), O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    let file = try RequestLogFile(path: folder.file("log"), log: .discarding)
    for number in 0..<3000 { file.append(Self.row(number)) }
    file.flush()
    try FileManager.default.moveItem(atPath: folder.file("log"), toPath: folder.file("old"))
    file.reopen()
    file.flush()
    let rows = try folder.rows("log")
    let first = try #require(rows.first.map { Int($0.timeUnix) })
    #expect(rows == (first..<3000).map(Self.row) && file.dropped <= 1)
  }

  @Test("a path that cannot be opened is named with the cause")
  func unopenable() {
    #expect {
      try RequestLogFile(path: "/nowhere/log", log: .discarding)
    } throws: {
      "\($0)" == "the request log '/nowhere/log' cannot be opened: No such file or directory"
    }
  }
}
