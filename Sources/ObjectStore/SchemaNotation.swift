import KubernetesAPI

/// Short notation for the schemas of built-in types.
extension SchemaNode {
  typealias Fields = [(name: String, node: SchemaNode)]

  static func object(
    _ description: String? = nil, _ fields: Fields, required: [String] = [], isAtomic: Bool = false,
    default value: JSONValue? = nil
  ) -> SchemaNode {
    var node = SchemaNode(.object, description)
    node.properties = fields
    node.required = required
    node.isAtomicMap = isAtomic
    node.defaultValue = value
    return node
  }

  static func string(
    _ description: String? = nil, default value: JSONValue? = nil, oneOf allowed: [String] = [],
    isNullable: Bool = false
  ) -> SchemaNode {
    var node = SchemaNode(.string, description)
    node.defaultValue = value
    node.allowedValues = allowed.map { .string($0) }
    node.isNullable = isNullable
    return node
  }

  static func integer(_ description: String? = nil, default value: Int? = nil, minimum: Int64? = nil) -> SchemaNode {
    var node = SchemaNode(.integer, description)
    node.defaultValue = value.map { JSONValue($0) }
    node.minimum = minimum
    return node
  }

  static func boolean(_ description: String? = nil, default value: Bool? = nil) -> SchemaNode {
    var node = SchemaNode(.boolean, description)
    node.defaultValue = value.map { .bool($0) }
    return node
  }

  /// A number or a string: ports, percentages, quantities.
  static func intOrString(_ description: String? = nil, default value: JSONValue? = nil) -> SchemaNode {
    var node = SchemaNode(nil, description)
    node.isIntOrString = true
    node.defaultValue = value
    return node
  }

  static func map(_ values: SchemaNode, _ description: String? = nil, isAtomic: Bool = false) -> SchemaNode {
    var node = SchemaNode(.object, description)
    node.additionalProperties = Box(values)
    node.isAtomicMap = isAtomic
    return node
  }

  /// An atomic list.
  static func list(_ items: SchemaNode, _ description: String? = nil) -> SchemaNode {
    var node = SchemaNode(.array, description)
    node.items = Box(items)
    node.listType = .atomic
    return node
  }

  static func set(_ items: SchemaNode, _ description: String? = nil) -> SchemaNode {
    var node = list(items, description)
    node.listType = .set
    return node
  }

  /// A list whose elements are known by the fields `keys`.
  static func keyed(_ keys: [String], _ items: SchemaNode, _ description: String? = nil) -> SchemaNode {
    var node = list(items, description)
    node.listType = .map
    node.listMapKeys = keys
    return node
  }

  /// Any object; what is in it is not looked at.
  static func opaque(_ description: String? = nil) -> SchemaNode {
    var node = SchemaNode(.object, description)
    node.preservesUnknownFields = true
    return node
  }
}
