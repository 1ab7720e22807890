import KubernetesAPI

/// Reads members of a block that is valid by the schema. A value that is not what the schema says reads as missing.
struct FieldReader {
  let json: JSONValue

  init(_ json: JSONValue?) { self.json = json ?? [:] }

  func block(_ name: String) -> FieldReader { FieldReader(json[name]) }
  func optionalBlock(_ name: String) -> FieldReader? { json[name].map { FieldReader($0) } }
  func blocks(_ name: String) -> [FieldReader] { (json[name]?.arrayValue ?? []).map { FieldReader($0) } }

  func text(_ name: String) -> String? { json[name]?.stringValue }
  func texts(_ name: String) -> [String] { (json[name]?.arrayValue ?? []).compactMap(\.stringValue) }
  func integer(_ name: String) -> Int? { json[name]?.intValue }
  func flag(_ name: String) -> Bool? { json[name]?.boolValue }
  func duration(_ name: String) -> Duration? { text(name).flatMap(GatewayDuration.parse) }
  func price(_ name: String) -> Price? { text(name).flatMap(Price.init(parsing:)) }
  func word<Word: SchemaWord>(_ name: String) -> Word? { text(name).flatMap(Word.init(rawValue:)) }
  func words<Word: SchemaWord>(_ name: String) -> [Word] { texts(name).compactMap(Word.init(rawValue:)) }
}
