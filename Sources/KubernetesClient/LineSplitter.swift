/// Cuts a stream of bytes into lines, whatever the pieces they come in.
struct LineSplitter: Sendable {
  /// The longest line that is accepted, in bytes.
  let limit: Int
  private var buffer: [UInt8] = []
  private var start = 0
  private var searched = 0

  init(limit: Int) { self.limit = limit }

  mutating func append(_ bytes: [UInt8]) {
    if start > 0 {
      buffer.removeFirst(start)
      searched -= start
      start = 0
    }
    buffer += bytes
  }

  /// The next whole line without its end; nil when there is none yet. Empty lines are skipped.
  /// - Throws: ``TransportError`` (overflow) when an unfinished line is longer than ``limit``.
  mutating func next() throws -> ArraySlice<UInt8>? {
    while let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
      var line = buffer[start..<end]
      start = end + 1
      searched = start
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      if !line.isEmpty { return line }
    }
    searched = buffer.count
    guard buffer.count - start <= limit else {
      throw TransportError(.overflow, "a line is longer than \(limit) bytes")
    }
    return nil
  }
}
