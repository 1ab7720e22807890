extension SchemaNode {
  /// What is wrong with `value`, in the API server's words and order: types and bounds, then duplicates in sets and keyed
  /// lists, then the rules. Rules are not run on a value that may break their assumptions (a wrong type, a missing field);
  /// a last cause then says so. Call after pruning and defaulting.
  ///
  /// Members are visited in alphabetical order: the API server's own order is that of a Go map, random.
  public func violations(in value: JSONValue, at path: String = "") -> [KubernetesStatus.Cause] {
    var check = ValueCheck()
    check.visit(value, self, path)
    var duplicates = UniquenessCheck()
    duplicates.visit(value, self, path)
    let structural = check.causes + duplicates.causes
    if structural.contains(where: { Self.reasonsThatHideRules.contains($0.reason) }) {
      let hint =
        "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
        + "validation"
      return structural + [.invalid("<nil>", .null, hint)]
    }
    var rules = RuleCheck()
    rules.visit(value, self, path)
    return structural + rules.causes
  }

  // apiextensions-apiserver, `hasBlockingErr`.
  private static let reasonsThatHideRules: Set<String> = [
    "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
  ]
}

/// `path.name`, or the name alone at the root.
private func child(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

/// Types, bounds, enumerations, required members: JSON schema, as kube-openapi validates it.
private struct ValueCheck {
  var causes: [KubernetesStatus.Cause] = []

  mutating func visit(_ value: JSONValue, _ schema: SchemaNode, _ path: String) {
    checkType(value, schema, path)
    switch value {
    case .string(let text): checkString(text, schema, path)
    case .integer(let number): checkNumber(Double(number), value, schema, path)
    case .double(let number): checkNumber(number, value, schema, path)
    case .array(let elements): checkArray(elements, schema, path)
    default: break
    }
    if !schema.allowedValues.isEmpty, !(value.isNull && schema.isNullable), !schema.allowedValues.contains(value) {
      causes.append(.notSupported(path, value, schema.allowedValues))
    }
    if case .object(let members) = value { checkObject(members, schema, path) }
  }

  private mutating func checkType(_ value: JSONValue, _ schema: SchemaNode, _ path: String) {
    let wanted = schema.isIntOrString ? ["integer", "string"] : schema.kind.map { [$0.rawValue] } ?? []
    let found = Self.typeName(value)
    if wanted.isEmpty || wanted.contains(found) || found == "null" && schema.isNullable { return }
    if found == "integer", wanted.contains("number") { return }
    if wanted.contains("integer"), case .double(let number) = value, number == number.rounded() { return }
    let words = wanted.joined(separator: ",")
    causes.append(.typeInvalid(path, .string(found), "\(path) in body must be of type \(words): \(found.goQuoted)"))
  }

  private static func typeName(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "boolean"
    case .integer: "integer"
    case .double: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  private mutating func checkString(_ text: String, _ schema: SchemaNode, _ path: String) {
    let length = text.unicodeScalars.count
    if let maximum = schema.maxLength, length > maximum {
      causes.append(.tooLong(path, maximum))
    } else if let minimum = schema.minLength, length < minimum {
      causes.append(.invalid(path, .string(text), "\(path) in body should be at least \(minimum) chars long"))
    }
    if schema.format == "date-time", Timestamp.parse(text) == nil {
      let detail = "\(path) in body must be of type date-time: \(text.goQuoted)"
      causes.append(.typeInvalid(path, .string(text), detail))
    }
  }

  private mutating func checkNumber(_ number: Double, _ value: JSONValue, _ schema: SchemaNode, _ path: String) {
    if let maximum = schema.maximum, number > Double(maximum) {
      causes.append(.invalid(path, value, "\(path) in body should be less than or equal to \(maximum)"))
    }
    if let minimum = schema.minimum, number < Double(minimum) {
      causes.append(.invalid(path, value, "\(path) in body should be greater than or equal to \(minimum)"))
    }
  }

  private mutating func checkArray(_ elements: [JSONValue], _ schema: SchemaNode, _ path: String) {
    if let items = schema.items?.node {
      for (index, element) in elements.enumerated() { visit(element, items, "\(path)[\(index)]") }
    }
    let count = elements.count
    if let minimum = schema.minItems, count < minimum {
      causes.append(.invalid(path, JSONValue(count), "\(path) in body should have at least \(minimum) items"))
    }
    if let maximum = schema.maxItems, count > maximum { causes.append(.tooMany(path, count, maximum)) }
  }

  private mutating func checkObject(_ members: [String: JSONValue], _ schema: SchemaNode, _ path: String) {
    if let minimum = schema.minProperties, members.count < minimum {
      let detail = "\(path) in body should have at least \(minimum) properties"
      causes.append(.invalid(path, JSONValue(minimum), detail))
      return
    }
    if let maximum = schema.maxProperties, members.count > maximum {
      causes.append(.tooMany(path, members.count, maximum))
      return
    }
    let names = members.keys.sorted()
    if let values = schema.additionalProperties?.node {
      for name in names where schema[property: name] == nil {
        visit(members[name] ?? .null, values, child(path, name))
      }
    }
    for name in names {
      if let property = schema[property: name] { visit(members[name] ?? .null, property, child(path, name)) }
    }
    for name in schema.required where members[name] == nil { causes.append(.required(child(path, name))) }
  }
}

/// Members of an object in the order of validation, each with its path: those of free-form maps first. Only those below which
/// there is something to look for.
private func declaredMembers(
  of members: [String: JSONValue], _ schema: SchemaNode, _ path: String, where isOfInterest: (SchemaNode) -> Bool
) -> [(value: JSONValue, schema: SchemaNode, path: String)] {
  var entries: [(name: String, value: JSONValue, schema: SchemaNode)] = []
  var properties: [(name: String, value: JSONValue, schema: SchemaNode)] = []
  for (name, value) in members {
    if let property = schema[property: name] {
      if isOfInterest(property) { properties.append((name, value, property)) }
    } else if let values = schema.additionalProperties?.node, isOfInterest(values) {
      entries.append((name, value, values))
    }
  }
  return entries.sorted { $0.name < $1.name }.map { ($0.value, $0.schema, "\(path)[\($0.name)]") }
    + properties.sorted { $0.name < $1.name }.map { ($0.value, $0.schema, child(path, $0.name)) }
}

/// Lists of type `set` hold no value twice, lists of type `map` no key (apiextensions-apiserver, `listtype`).
private struct UniquenessCheck {
  var causes: [KubernetesStatus.Cause] = []

  mutating func visit(_ value: JSONValue, _ schema: SchemaNode, _ path: String) {
    switch value {
    case .object(let members):
      for member in declaredMembers(of: members, schema, path, where: \.hasUniqueElements) {
        visit(member.value, member.schema, member.path)
      }
    case .array(let elements):
      switch schema.listType {
      case .set: addDuplicates(of: elements, path)
      case .map: checkKeys(elements, schema.listMapKeys, path)
      case .atomic, nil: break
      }
      guard let items = schema.items?.node, items.hasUniqueElements else { return }
      for (index, element) in elements.enumerated() { visit(element, items, "\(path)[\(index)]") }
    default: break
    }
  }

  private mutating func checkKeys(_ elements: [JSONValue], _ keys: [String], _ path: String) {
    for (index, element) in elements.enumerated() where element.objectValue == nil && !element.isNull {
      causes.append(.invalid("\(path)[\(index)]", element, "must be an object for an array of list-type map"))
      return
    }
    addDuplicates(
      of: elements.map { element in .object((element.objectValue ?? [:]).filter { keys.contains($0.key) }) }, path)
  }

  /// Names the second of equal elements; a third is not named again.
  private mutating func addDuplicates(of elements: [JSONValue], _ path: String) {
    var times: [JSONValue: Int] = [:]
    for (index, element) in elements.enumerated() {
      let before = times[element, default: 0]
      times[element] = before + 1
      if before == 1 { causes.append(.duplicate("\(path)[\(index)]", element)) }
    }
  }
}

/// The rules of `x-kubernetes-validations`: a node's own first, then those below it.
private struct RuleCheck {
  var causes: [KubernetesStatus.Cause] = []

  mutating func visit(_ value: JSONValue, _ schema: SchemaNode, _ path: String) {
    if value.isNull { return }
    for rule in schema.rules where !rule.holds(value) {
      let field = rule.fieldPath.map { path.isEmpty ? String($0.drop { $0 == "." }) : path + $0 } ?? path
      // Only scalars are shown.
      let shown: JSONValue? = schema.kind == .object || schema.kind == .array ? nil : value
      causes.append(.invalid(field, shown, rule.message))
    }
    switch value {
    case .object(let members):
      for member in declaredMembers(of: members, schema, path, where: \.hasRules) {
        visit(member.value, member.schema, member.path)
      }
    case .array(let elements):
      guard let items = schema.items?.node, items.hasRules else { return }
      for (index, element) in elements.enumerated() { visit(element, items, "\(path)[\(index)]") }
    default: break
    }
  }
}
