import FoundationEssentials

/// What every version's message has.
private struct Versioned: Decodable { var version: Int }

/// A message as JSON, members sorted: equal messages have equal bytes.
func encodeSorted(_ message: some Encodable) throws -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return [UInt8](try encoder.encode(message))
}

/// Reads a message of a version that is understood.
func decodeVersioned<Message: Decodable>(_ type: Message.Type, from data: Data) throws(FleetProtocolError) -> Message {
  let decoder = JSONDecoder()
  let version: Int
  do { version = try decoder.decode(Versioned.self, from: data).version } catch { throw .malformed("\(error)") }
  // What follows another version may have another shape.
  guard FleetVersion.accepts(version) else { throw .unsupportedVersion(version) }
  do { return try decoder.decode(type, from: data) } catch { throw .malformed("\(error)") }
}
