import FoundationEssentials

extension LoadSnapshot {
  /// One line of the stream, with its line feed. Members are sorted: equal snapshots have equal bytes.
  public func encodedLine() throws -> [UInt8] { try encodeSorted(self) + [UInt8(ascii: "\n")] }

  /// Reads one line, without or with its line feed. - Throws: ``FleetProtocolError``.
  public init(line: some Collection<UInt8>) throws(FleetProtocolError) {
    let snapshot = try decodeVersioned(LoadSnapshot.self, from: Data(line))
    if let problem = snapshot.services.lazy.compactMap(\.problem).first { throw .malformed(problem) }
    self = snapshot
  }
}

/// Cuts a byte stream into lines, however the pieces fall. Bounded: a peer that sends no line feed is refused.
public struct LineSplitter: Sendable {
  /// Longest line, in bytes, without its line feed.
  public let limit: Int
  private var pending: [UInt8] = []

  /// - Parameter limit: 16 MiB by default: 10,000 services with 100 busy pods each would be a tenth of it.
  public init(limit: Int = 16 << 20) { self.limit = limit }

  /// Takes the next piece; returns the lines that it ends, empty ones left out.
  public mutating func append(_ piece: some Sequence<UInt8>) throws(FleetProtocolError) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in piece {
      if byte == UInt8(ascii: "\n") {
        if !pending.isEmpty { lines.append(pending) }
        pending.removeAll(keepingCapacity: true)
      } else {
        guard pending.count < limit else { throw .lineTooLong(limit: limit) }
        pending.append(byte)
      }
    }
    return lines
  }
}
