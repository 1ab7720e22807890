/// Cuts a head into lines as it arrives: every line ends in CR LF, the head ends in an empty one.
///
/// Call with everything received so far since the head's first byte; no byte is looked at twice for its line end, so a
/// peer that sends one byte at a time costs no more than one that sends all at once, and gets the same verdict.
struct HeadLines: Sendable {
  /// Where the next line starts.
  private(set) var position = 0
  private var scanned = 0

  /// The next whole line without its CR LF, or nil when its end has not come.
  mutating func next(in octets: Span<UInt8>, limit: Int) throws(WireError) -> Range<Int>? {
    guard let end = octets.firstLineFeed(from: max(position, scanned)) else {
      scanned = octets.count
      guard octets.count < limit else { throw .oversized(limit) }
      return nil
    }
    guard end < limit else { throw .oversized(limit) }
    guard end > position, octets[end - 1] == UInt8.carriageReturn else {
      throw .malformed("line feed without carriage return")
    }
    let line = position..<(end - 1)
    position = end + 1
    return line
  }
}

extension WireError {
  fileprivate static func oversized(_ limit: Int) -> WireError {
    WireError(status: 431, reason: "head larger than \(limit) bytes")
  }
}
