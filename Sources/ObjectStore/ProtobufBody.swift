import KubernetesAPI

/// Decodes the objects that kubectl sends as protobuf, though it was offered JSON: an envelope `k8s\0` with a
/// `runtime.Unknown`, and the message inside by a table of its fields (k8s.io/api, generated.proto).
enum ProtobufBody {
  /// Nil for kinds that are not in the table and for bytes that are no envelope.
  static func decode(_ bytes: [UInt8]) -> JSONValue? {
    guard bytes.starts(with: [0x6B, 0x38, 0x73, 0x00]),
      let envelope = ProtobufReader.fields(of: bytes.dropFirst(4))
    else { return nil }
    var typeMeta: JSONValue = [:]
    var raw: ArraySlice<UInt8> = []
    for (number, value) in envelope {
      guard case .bytes(let piece) = value else { continue }
      if number == 1 { typeMeta = object(piece, ["apiVersion": (1, .string), "kind": (2, .string)]) ?? [:] }
      if number == 2 { raw = piece }
    }
    guard let kind = typeMeta["kind"]?.stringValue, let fields = messages[kind], var json = object(raw, fields)
    else { return nil }
    json["apiVersion"] = typeMeta["apiVersion"]
    json["kind"] = typeMeta["kind"]
    return json
  }

  /// How a field of a message becomes JSON.
  indirect enum Field: Sendable {
    case string
    case integer
    case boolean
    /// Base64 in JSON.
    case bytes
    case message([String: (Int, Field)])
    case list(Field)
    /// Entries {1: key, 2: value}.
    case map(Field)
    /// `intstr.IntOrString` {1: type, 2: int, 3: string}.
    case intOrString
    /// `resource.Quantity` {1: string}.
    case quantity
  }

  private static func object(_ bytes: ArraySlice<UInt8>, _ fields: [String: (Int, Field)]) -> JSONValue? {
    guard let values = ProtobufReader.fields(of: bytes) else { return nil }
    let byNumber = Dictionary(fields.map { ($1.0, ($0, $1.1)) }, uniquingKeysWith: { first, _ in first })
    var json: [String: JSONValue] = [:]
    for (number, value) in values {
      guard let (name, field) = byNumber[number], let decoded = decode(value, field) else { continue }
      switch field {
      case .list: json[name] = .array((json[name]?.arrayValue ?? []) + [decoded])
      case .map:
        let entries = (json[name]?.objectValue ?? [:]).merging(decoded.objectValue ?? [:]) { _, last in last }
        json[name] = .object(entries)
      // Go writes empty strings and messages that JSON would leave out.
      case .string where decoded == "": continue
      case .message where decoded == [:]: continue
      default: json[name] = decoded
      }
    }
    return .object(json)
  }

  private static func decode(_ value: ProtobufReader.Value, _ field: Field) -> JSONValue? {
    switch (value, field) {
    case (.varint(let number), .integer): return .integer(Int64(bitPattern: number))
    case (.varint(let number), .boolean): return .bool(number != 0)
    case (_, .list(let element)): return decode(value, element)
    case (.bytes(let bytes), .string): return .string(String(decoding: bytes, as: UTF8.self))
    case (.bytes(let bytes), .bytes): return .string(Base64.text(bytes))
    case (.bytes(let bytes), .message(let fields)): return object(bytes, fields)
    case (.bytes(let bytes), .map(let element)):
      guard let entry = object(bytes, ["key": (1, .string), "value": (2, element)]) else { return nil }
      return .object([entry["key"]?.stringValue ?? "": entry["value"] ?? ""])
    case (.bytes(let bytes), .intOrString):
      guard let value = object(bytes, ["type": (1, .integer), "int": (2, .integer), "text": (3, .string)])
      else { return nil }
      return value["type"]?.intValue == 1 ? value["text"] : value["int"] ?? 0
    case (.bytes(let bytes), .quantity): return object(bytes, ["text": (1, .string)])?["text"]
    default: return nil
    }
  }
}
