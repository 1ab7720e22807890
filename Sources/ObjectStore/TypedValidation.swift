import KubernetesAPI

/// What keeps an applied object from being typed (structured-merge-diff: typed/validate.go).
enum TypedValidation {
  /// One line per error: `.spec.bogus: field not declared in schema`.
  static func errors(in value: JSONValue, schema: SchemaNode, at path: String = "") -> [String] {
    if value.isNull || schema.isIntOrString { return [] }
    switch schema.kind {
    case .object:
      guard case .object(let members) = value else { return [mismatch(path, "map", value)] }
      return memberErrors(members, schema, path)
    case .array:
      guard case .array(let elements) = value else { return [mismatch(path, "list", value)] }
      return elementErrors(elements, schema, path)
    case .string:
      if case .string = value { return [] }
      return [mismatch(path, "string", value)]
    case .integer, .number:
      if value.doubleValue != nil { return [] }
      return [mismatch(path, "numeric (int or float)", value)]
    case .boolean:
      if case .bool = value { return [] }
      return [mismatch(path, "boolean", value)]
    case nil:
      return []
    }
  }

  /// Several errors as one text, as ValidationErrors prints itself.
  static func text(_ errors: [String]) -> String {
    errors.count == 1 ? errors[0] : "errors:\n" + errors.map { "  \($0)" }.joined(separator: "\n")
  }

  private static func memberErrors(
    _ members: [String: JSONValue], _ schema: SchemaNode, _ path: String
  ) -> [String] {
    members.sorted { $0.key < $1.key }.flatMap { name, child -> [String] in
      let below = "\(path).\(name)"
      if let node = schema.member(name) { return errors(in: child, schema: node, at: below) }
      return schema.preservesUnknownFields ? [] : ["\(below): field not declared in schema"]
    }
  }

  private static func elementErrors(_ elements: [JSONValue], _ schema: SchemaNode, _ path: String) -> [String] {
    let items = schema.items?.node
    var seen: Set<PathElement> = []
    var result: [String] = []
    for (index, element) in elements.enumerated() {
      var identity = PathElement.index(index)
      switch schema.listType {
      case .map:
        guard element.objectValue != nil else {
          result.append(mismatch("\(path)[\(index)]", "map", element))
          continue
        }
        identity = .key(FieldStructure.key(of: element, keys: schema.listMapKeys, items))
        if !seen.insert(identity).inserted {
          result.append("\(path): duplicate entries for key \(identity.pathText)")
        }
      case .set:
        identity = .value(element)
        if !seen.insert(identity).inserted {
          result.append("\(path): duplicate entries for key \(identity.pathText)")
        }
      case .atomic, nil: break
      }
      if let items { result += errors(in: element, schema: items, at: path + identity.pathText) }
    }
    return result
  }

  private static func mismatch(_ path: String, _ expected: String, _ value: JSONValue) -> String {
    "\(path): expected \(expected), got \(description(of: value))"
  }

  private static func description(of value: JSONValue) -> String {
    switch value {
    case .object: "map"
    case .array: "list"
    default: value.text
    }
  }
}
