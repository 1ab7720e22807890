import KubernetesAPI

/// How a value divides into fields of its own, which depends on its schema: objects and list-maps do, atomic ones do not.
enum FieldStructure {
  /// Owned and compared as a whole.
  case leaf
  case members([String: JSONValue])
  /// Elements of a list-map or list-set, by identity, in order.
  case elements([(element: PathElement, value: JSONValue)])

  init(_ value: JSONValue, _ schema: SchemaNode?) {
    switch value {
    case .object(let members): self = schema?.isAtomicMap == true ? .leaf : .members(members)
    case .array(let values):
      switch schema?.listType {
      case .map:
        let items = schema?.items?.node
        self = .elements(values.map { (.key(Self.key(of: $0, keys: schema?.listMapKeys ?? [], items)), $0) })
      case .set: self = .elements(values.map { (.value($0), $0) })
      case .atomic, nil: self = .leaf
      }
    default: self = .leaf
    }
  }

  /// Values of the key fields; an absent one has the schema's default.
  static func key(of value: JSONValue, keys: [String], _ schema: SchemaNode?) -> JSONValue {
    var key: [String: JSONValue] = [:]
    for name in keys { key[name] = value[name] ?? schema?[property: name]?.defaultValue }
    return .object(key)
  }
}

extension SchemaNode {
  /// Schema of a member; nil where it is free-form, and then so is everything below.
  func member(_ name: String) -> SchemaNode? { self[property: name] ?? additionalProperties?.node }

  /// Whether the member is declared by name, unlike an entry of a map.
  func declares(_ name: String) -> Bool { self[property: name] != nil }

  /// Schema of an element of the list or map that this node describes.
  func child(_ element: PathElement) -> SchemaNode? {
    if case .field(let name) = element { return member(name) }
    return items?.node
  }
}
