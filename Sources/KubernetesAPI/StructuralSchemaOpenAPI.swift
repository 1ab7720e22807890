extension SchemaNode {
  /// The schema as a CustomResourceDefinition holds it (`openAPIV3Schema`) and as `/openapi/v3` publishes it for
  /// `kubectl explain`: the two have the same form, `x-kubernetes-*` extensions and validation rules included.
  public var openAPI: JSONValue {
    var schema: JSONValue = [:]
    schema["type"] = kind.map { .string($0.rawValue) }
    schema["description"] = description.map { .string($0) }
    schema["format"] = format.map { .string($0) }
    if !properties.isEmpty {
      schema["properties"] = .object(
        Dictionary(properties.map { ($0.name, $0.node.openAPI) }, uniquingKeysWith: { first, _ in first }))
    }
    if !required.isEmpty { schema["required"] = JSONValue(required) }
    schema["additionalProperties"] = additionalProperties?.node.openAPI
    schema["items"] = items?.node.openAPI
    if !allowedValues.isEmpty { schema["enum"] = .array(allowedValues) }
    schema["default"] = defaultValue
    if isNullable { schema["nullable"] = true }
    addBounds(to: &schema)
    addExtensions(to: &schema)
    return schema
  }

  private func addBounds(to schema: inout JSONValue) {
    schema["minimum"] = minimum.map { .integer($0) }
    schema["maximum"] = maximum.map { .integer($0) }
    schema["minLength"] = minLength.map { JSONValue($0) }
    schema["maxLength"] = maxLength.map { JSONValue($0) }
    schema["minItems"] = minItems.map { JSONValue($0) }
    schema["maxItems"] = maxItems.map { JSONValue($0) }
    schema["minProperties"] = minProperties.map { JSONValue($0) }
    schema["maxProperties"] = maxProperties.map { JSONValue($0) }
  }

  private func addExtensions(to schema: inout JSONValue) {
    schema["x-kubernetes-list-type"] = listType.map { .string($0.rawValue) }
    if !listMapKeys.isEmpty { schema["x-kubernetes-list-map-keys"] = JSONValue(listMapKeys) }
    if isAtomicMap { schema["x-kubernetes-map-type"] = "atomic" }
    if isIntOrString { schema["x-kubernetes-int-or-string"] = true }
    if preservesUnknownFields { schema["x-kubernetes-preserve-unknown-fields"] = true }
    if !rules.isEmpty { schema["x-kubernetes-validations"] = .array(rules.map(\.json)) }
  }
}

extension SchemaRule {
  fileprivate var json: JSONValue {
    var rule: JSONValue = ["rule": .string(cel), "message": .string(message)]
    rule["fieldPath"] = fieldPath.map { .string($0) }
    return rule
  }
}
