import FoundationEssentials
import Glibc
import Synchronization
import Telemetry

/// Writes log records to standard error, a line each.
final class StandardErrorLogSink: LogSink {
  enum Format: String, CaseIterable {
    /// One JSON object per line, for collectors.
    case json
    /// For people.
    case text
  }

  private let format: Format
  /// Lines of several threads must not be mixed.
  private let output = Mutex<Void>(())

  init(_ format: Format) { self.format = format }

  func write(_ record: LogRecord) {
    let now = Date()
    let line = format == .json ? LogFormat.json(record, at: now) : LogFormat.text(record, at: now)
    output.withLock { _ in Console.write(line + "\n", to: STDERR_FILENO) }
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
