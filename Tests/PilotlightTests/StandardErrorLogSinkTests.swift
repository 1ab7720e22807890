import FleetProtocol
import Glibc
import Telemetry
import Testing

@testable import pilotlight

@Suite struct StandardErrorLogSinkTests {
  /// A pipe whose reader takes nothing until it is asked to.
  private final class Pipe {
    let reader: Int32
    let writer: Int32

    init() throws {
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0)
      (reader, writer) = (ends[0], ends[1])
      _ = fcntl(reader, F_SETFL, O_NONBLOCK)
    }

    deinit {
      close(reader)
      close(writer)
    }

    func read() -> [Substring] {
      var octets: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = Glibc.read(reader, &buffer, buffer.count)
        guard count > 0 else { return String(decoding: octets, as: UTF8.self).split(separator: "\n") }
        octets += buffer[..<count]
      }
    }
  }

  private static func row(_ status: Int) -> RequestLogRow {
    RequestLogRow(timeUnix: 0, status: status, durationMilliseconds: 1)
  }

  @Test("a row of the access log is written at once, in the format of the log")
  func atOnce() throws {
    let pipe = try Pipe()
    StandardErrorLogSink(.json, to: pipe.writer).write(Self.row(201))
    let json = pipe.read()
    #expect(json.count == 1 && json[0].contains(#""message":"request","#) && json[0].contains(#""status":201,"#))
    StandardErrorLogSink(.text, to: pipe.writer).write(Self.row(201))
    #expect(pipe.read().map { $0.contains("INFO    request service=\"\" status=201") } == [true])
  }

  @Test("rows that nobody reads block no one; what does not fit is dropped and counted")
  func stalledReader() throws {
    let pipe = try Pipe()
    let sink = StandardErrorLogSink(.json, to: pipe.writer)
    let total = 5000
    for number in 0..<total { sink.write(Self.row(number)) }
    var lines = pipe.read()
    sink.write(LogRecord(level: .info, message: "next"))
    lines += pipe.read()
    sink.write(Self.row(total))
    lines += pipe.read()
    let rows = lines.filter { $0.contains(#""message":"request""#) }
    #expect(lines.allSatisfy { $0.hasPrefix("{\"time\":") && $0.hasSuffix("}") })
    let dropped = try #require(lines.first { $0.contains("were dropped") })
    #expect(dropped.hasSuffix(#""dropped":\#(total + 1 - rows.count)}"#), "\(rows.count) \(dropped)")
    #expect(lines.contains { $0.contains(#""message":"next""#) })
  }

  @Test("lines of several threads are whole, and none stays behind")
  func threads() async throws {
    let pipe = try Pipe()
    let sink = StandardErrorLogSink(.json, to: pipe.writer)
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          for number in 0..<25 {
            if thread == 0 { sink.write(LogRecord(level: .info, message: "m")) } else { sink.write(Self.row(number)) }
          }
        }
      }
    }
    let lines = pipe.read()
    #expect(lines.count == 100 && lines.allSatisfy { $0.hasPrefix("{\"time\":") && $0.hasSuffix("}") })
  }
}
