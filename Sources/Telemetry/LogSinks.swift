import Synchronization

/// Keeps the newest records in memory: for tests, and for showing the last words of a part.
public final class MemoryLogSink: LogSink {
  private let kept = Mutex<[LogRecord]>([])
  private let capacity: Int

  /// - Parameter capacity: how many records are kept; older ones are dropped.
  public init(capacity: Int = 10_000) { self.capacity = max(1, capacity) }

  public func write(_ record: LogRecord) {
    kept.withLock { records in
      if records.count == capacity { records.removeFirst() }
      records.append(record)
    }
  }

  /// What was written, oldest first.
  public var records: [LogRecord] { kept.withLock { $0 } }

  /// The messages alone, oldest first.
  public var messages: [String] { records.map(\.message) }
}

/// Drops every record.
public struct DiscardingLogSink: LogSink {
  public init() {}
  public func write(_ record: LogRecord) {}
}
