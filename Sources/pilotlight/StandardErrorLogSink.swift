import FleetProtocol
import FoundationEssentials
import Gateway
import Glibc
import Synchronization
import Telemetry

/// Writes log records and rows of the access log to standard error, a line each.
///
/// A record is written however long the reader of a pipe takes, because it may be the last word of a part. Rows come from
/// event loops, which must go on: they are written as far as the reader keeps up, wait up to a bound, and are dropped and
/// counted beyond it.
final class StandardErrorLogSink: LogSink, AccessLog {
  enum Format: String, CaseIterable {
    /// One JSON object per line, for collectors.
    case json
    /// For people.
    case text
  }

  /// How many bytes of rows may wait.
  static let rowLimit = 64 << 10

  private struct Rows {
    var octets: [UInt8] = []
    var dropped = 0
    var isEmpty: Bool { octets.isEmpty }
  }

  private let format: Format
  private let descriptor: Int32
  /// Lines of several threads must not be mixed.
  private let output = Mutex<Void>(())
  private let rows = Mutex(Rows())

  init(_ format: Format, to descriptor: Int32 = STDERR_FILENO) {
    self.format = format
    self.descriptor = descriptor
  }

  func write(_ record: LogRecord) {
    let now = Date()
    let line = format == .json ? LogFormat.json(record, at: now) : LogFormat.text(record, at: now)
    output.withLock { _ in Console.write(line + "\n", to: descriptor) }
    writeRows()
  }

  func write(_ row: RequestLogRow) {
    rows.withLock { rows in
      guard rows.octets.count < Self.rowLimit else {
        rows.dropped += 1
        return
      }
      switch format {
      case .json: row.appendAccessLogLine(to: &rows.octets)
      case .text:
        let time = Date(timeIntervalSince1970: row.timeUnix + row.durationMilliseconds / 1000)
        rows.octets.append(contentsOf: (LogFormat.text(row.accessLogRecord, at: time) + "\n").utf8)
      }
    }
    writeRows()
  }

  /// Writes rows as long as that takes no time. Whoever holds the lock now looks again when it is done.
  private func writeRows() {
    while rows.withLock({ !$0.isEmpty }) {
      let written = output.withLockIfAvailable { _ in
        guard Console.canWrite(to: descriptor) else { return false }
        Console.write(takeRows(), to: descriptor)
        return true
      }
      guard written == true else { return }
    }
  }

  /// Whole lines from the front: as many as a pipe that can be written to is sure to take.
  private func takeRows() -> [UInt8] {
    rows.withLock { rows in
      // The line about what was dropped needs room, too.
      if rows.octets.count <= Int(PIPE_BUF) - 512 {
        var taken = rows.octets
        rows.octets.removeAll(keepingCapacity: true)
        if rows.dropped > 0 {
          let lost = LogRecord(
            level: .warning, message: "lines of the access log were dropped, because nobody read them in time",
            fields: [.init("dropped", .integer(rows.dropped))])
          let line = format == .json ? LogFormat.json(lost, at: Date()) : LogFormat.text(lost, at: Date())
          taken.append(contentsOf: (line + "\n").utf8)
          rows.dropped = 0
        }
        return taken
      }
      let lineFeed = UInt8(ascii: "\n")
      let end = rows.octets.prefix(Int(PIPE_BUF)).lastIndex(of: lineFeed) ?? rows.octets.firstIndex(of: lineFeed)
      let taken = Array(rows.octets[...(end ?? rows.octets.count - 1)])
      rows.octets.removeFirst(taken.count)
      return taken
    }
  }
}

extension ArgumentScanner {
  /// Takes `--log-level` and `--log-format`. Without a format: text on a terminal, JSON elsewhere.
  mutating func log() throws(Problem) -> Log {
    var level = LogLevel.info
    if let name = try text("--log-level") {
      guard let known = LogLevel(name: name) else {
        throw Problem("--log-level: '\(name)' is not one of \(LogLevel.allCases.map(\.name).joined(separator: ", "))")
      }
      level = known
    }
    var format = isatty(STDERR_FILENO) == 1 ? StandardErrorLogSink.Format.text : .json
    if let name = try text("--log-format") {
      guard let known = StandardErrorLogSink.Format(rawValue: name) else {
        throw Problem("--log-format: '\(name)' is not one of json, text")
      }
      format = known
    }
    return Log(StandardErrorLogSink(format), level: level)
  }
}
