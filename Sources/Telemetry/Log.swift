/// How much a record matters. `error` means that somebody must act.
public enum LogLevel: Int, Comparable, Sendable, CaseIterable {
  case debug
  case info
  case warning
  case error

  /// The word that stands in a log line: `debug`, `info`, `warning`, `error`.
  public var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }

  /// The level of a word, as a command line gives it; nil for an unknown one.
  public init?(name: String) {
    guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = level
  }

  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// The value of a field of a log record.
public enum LogValue: Hashable, Sendable {
  case string(String)
  case integer(Int)
  case double(Double)
  case bool(Bool)
}

/// What can stand as a field of a log record.
public protocol Loggable {
  var logValue: LogValue { get }
}

extension LogValue: Loggable {
  public var logValue: LogValue { self }
}
extension String: Loggable {
  public var logValue: LogValue { .string(self) }
}
extension Substring: Loggable {
  public var logValue: LogValue { .string(String(self)) }
}
extension Int: Loggable {
  public var logValue: LogValue { .integer(self) }
}
extension Double: Loggable {
  public var logValue: LogValue { .double(self) }
}
extension Bool: Loggable {
  public var logValue: LogValue { .bool(self) }
}
/// In seconds.
extension Duration: Loggable {
  public var logValue: LogValue { .double(seconds) }
}

/// One thing that happened. The sink adds the time, because only edges read clocks.
public struct LogRecord: Hashable, Sendable {
  /// A named value.
  public struct Field: Hashable, Sendable {
    public var name: String
    public var value: LogValue
    public init(_ name: String, _ value: LogValue) {
      self.name = name
      self.value = value
    }
  }

  public var level: LogLevel
  public var message: String
  /// In the order they were given; a later field replaces an earlier one of the same name in its place.
  public var fields: [Field]

  public init(level: LogLevel, message: String, fields: [Field] = []) {
    self.level = level
    self.message = message
    self.fields = fields
  }

  /// The value of a field; nil when there is none of that name.
  public subscript(field: String) -> LogValue? { fields.first { $0.name == field }?.value }

  mutating func set(_ name: String, _ value: LogValue) {
    if let index = fields.firstIndex(where: { $0.name == name }) {
      fields[index].value = value
    } else {
      fields.append(Field(name, value))
    }
  }
}

/// Where records go. Called from any thread; must not block its caller for long.
public protocol LogSink: Sendable {
  func write(_ record: LogRecord)
}

/// A log as a value: a sink, a threshold and the fields that every record of it carries.
///
///     let log = log.with("service", "default/llama")
///     log.info("woke", ["seconds": 3.2])
///
/// A record below the threshold costs one comparison: message and fields are not evaluated.
public struct Log: Sendable {
  public var sink: any LogSink
  /// Records below this level are not made.
  public var level: LogLevel
  private var context: [LogRecord.Field] = []

  public init(_ sink: any LogSink, level: LogLevel = .info) {
    self.sink = sink
    self.level = level
  }

  /// Drops everything.
  public static let discarding = Log(DiscardingLogSink(), level: .error)

  /// The same log with one more field on every record.
  public func with(_ name: String, _ value: some Loggable) -> Log {
    var log = self
    log.context.removeAll { $0.name == name }
    log.context.append(LogRecord.Field(name, value.logValue))
    return log
  }

  public func debug(
    _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, any Loggable> = [:]
  ) {
    write(.debug, message, fields)
  }

  public func info(
    _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, any Loggable> = [:]
  ) {
    write(.info, message, fields)
  }

  public func warning(
    _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, any Loggable> = [:]
  ) {
    write(.warning, message, fields)
  }

  public func error(
    _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, any Loggable> = [:]
  ) {
    write(.error, message, fields)
  }

  private func write(_ level: LogLevel, _ message: () -> String, _ fields: () -> KeyValuePairs<String, any Loggable>) {
    guard level >= self.level else { return }
    var record = LogRecord(level: level, message: message(), fields: context)
    for (name, value) in fields() { record.set(name, value.logValue) }
    sink.write(record)
  }
}
