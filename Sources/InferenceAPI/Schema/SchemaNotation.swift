import KubernetesAPI

/// The words in which the resource's schema is written.
extension SchemaNode {
  typealias Fields = [(name: String, node: SchemaNode)]

  static func object(_ description: String?, required: [String] = [], _ fields: Fields) -> SchemaNode {
    var node = SchemaNode(.object, description)
    node.properties = fields
    node.required = required
    return node
  }

  static func text(
    _ description: String?, min: Int? = nil, max: Int, default value: String? = nil
  ) -> SchemaNode {
    var node = SchemaNode(.string, description)
    node.minLength = min
    node.maxLength = max
    node.defaultValue = value.map { .string($0) }
    return node
  }

  /// One of some words.
  static func choice(_ description: String?, _ words: [String], default value: String? = nil) -> SchemaNode {
    var node = SchemaNode(.string, description)
    node.allowedValues = words.map { .string($0) }
    node.defaultValue = value.map { .string($0) }
    return node
  }

  /// An RFC 3339 time.
  static func time(_ description: String?) -> SchemaNode {
    var node = SchemaNode(.string, description)
    node.format = "date-time"
    return node
  }

  /// A duration of the Gateway API (GEP-2257) within bounds, which are durations themselves.
  static func duration(
    _ description: String?, from lower: String, to upper: String, orAuto: Bool = false, default value: String? = nil
  ) -> SchemaNode {
    text(description, min: 1, max: 64, default: value)
      .checked(by: .duration(from: lower, to: upper, orAuto: orAuto))
  }

  /// A price: a decimal string, since a spec must hold no floating-point numbers.
  static func price(_ description: String) -> SchemaNode {
    text(description + " A decimal in quotes.", max: 32).checked(by: .decimal)
  }

  /// A name as DNS takes it.
  static func dnsName(_ description: String, max: Int) -> SchemaNode {
    text(description, min: 1, max: max).checked(by: .dnsName)
  }

  static func integer(
    _ description: String?, _ range: ClosedRange<Int64>? = nil, format: String = "int32", default value: Int? = nil
  ) -> SchemaNode {
    var node = SchemaNode(.integer, description)
    node.format = format
    node.minimum = range?.lowerBound
    node.maximum = range?.upperBound
    node.defaultValue = value.map { JSONValue($0) }
    return node
  }

  static func flag(_ description: String?, default value: Bool? = nil) -> SchemaNode {
    var node = SchemaNode(.boolean, description)
    node.defaultValue = value.map { .bool($0) }
    return node
  }

  static func intOrString(_ description: String?, maxLength: Int, default value: Int? = nil) -> SchemaNode {
    var node = SchemaNode(nil, description)
    node.isIntOrString = true
    node.maxLength = maxLength
    node.defaultValue = value.map { JSONValue($0) }
    return node
  }

  /// A list; `keys` makes it a map by these members for server-side apply.
  static func list(
    _ description: String?, _ type: ListType, keys: [String] = [], min: Int? = nil, max: Int, of items: SchemaNode
  ) -> SchemaNode {
    var node = SchemaNode(.array, description)
    node.listType = type
    node.listMapKeys = keys
    node.minItems = min
    node.maxItems = max
    node.items = Box(items)
    return node
  }

  /// A free-form map.
  static func map(_ description: String?, max: Int, of values: SchemaNode) -> SchemaNode {
    var node = SchemaNode(.object, description)
    node.maxProperties = max
    node.additionalProperties = Box(values)
    return node
  }

  /// A part of a pod, by Kubernetes' own rules: only what is named here is looked at.
  static func opaque(_ description: String?, required: [String] = [], _ fields: Fields = []) -> SchemaNode {
    var node = object(description, required: required, fields)
    node.preservesUnknownFields = true
    return node
  }

  func checked(by rules: CheckedRule...) -> SchemaNode {
    var node = self
    node.rules += rules.map(\.rule)
    return node
  }

  func withDefault(_ value: JSONValue) -> SchemaNode {
    var node = self
    node.defaultValue = value
    return node
  }

  /// Makes a missing block the same as an empty one. The members' defaults are spelled out: the API server runs the
  /// rules on a default before it fills what is missing below it.
  func withDefaultOfMembers() -> SchemaNode {
    var defaults: JSONValue = [:]
    for (name, member) in properties { defaults[name] = member.defaultValue }
    return withDefault(defaults)
  }

  /// Replaced as a whole by server-side apply.
  func asAtomicMap() -> SchemaNode {
    var node = self
    node.isAtomicMap = true
    return node
  }

  func withAtLeastOneMember() -> SchemaNode {
    var node = self
    node.minProperties = 1
    return node
  }
}
