import FoundationEssentials

/// What every version's message has.
private struct Versioned: Decodable { var version: Int }

extension LoadSnapshot {
  /// One line of the stream, with its line feed. Members are sorted: equal snapshots have equal bytes.
  public func encodedLine() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var bytes = [UInt8](try encoder.encode(self))
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  /// Reads one line, without or with its line feed. - Throws: ``FleetProtocolError``.
  public init(line: some Collection<UInt8>) throws(FleetProtocolError) {
    let data = Data(line)
    let decoder = JSONDecoder()
    let version: Int
    do { version = try decoder.decode(Versioned.self, from: data).version } catch { throw .malformed("\(error)") }
    // What follows another version may have another shape.
    guard FleetVersion.accepts(version) else { throw .unsupportedVersion(version) }
    let snapshot: LoadSnapshot
    do { snapshot = try decoder.decode(LoadSnapshot.self, from: data) } catch { throw .malformed("\(error)") }
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
