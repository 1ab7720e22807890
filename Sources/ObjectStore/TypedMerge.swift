import KubernetesAPI

// Merging and pruning of values by schema (structured-merge-diff: typed/merge.go, remove.go).

extension JSONValue {
  /// This value with everything that `config` says on top; lists merge by key or as sets where the schema says so.
  func merged(with config: JSONValue, schema: SchemaNode?) -> JSONValue {
    switch (FieldStructure(self, schema), FieldStructure(config, schema)) {
    case (.members(var members), .members(let changes)):
      for (name, change) in changes {
        if change.isNull {
          members[name] = nil
        } else if let present = members[name] {
          members[name] = present.merged(with: change, schema: schema?.member(name))
        } else {
          members[name] = change.withoutNullMembers(schema: schema?.member(name))
        }
      }
      return .object(members)
    case (.elements(let left), .elements(let right)):
      return .array(mergedElements(left, right, schema: schema?.items?.node))
    default: return config.withoutNullMembers(schema: schema)
    }
  }

  /// An applied null means "absent".
  private func withoutNullMembers(schema: SchemaNode?) -> JSONValue {
    guard case .object(let members) = self else { return self }
    if schema?.preservesUnknownFields == true, schema?.properties.isEmpty == true { return self }
    return .object(
      members.reduce(into: [:]) { result, member in
        if member.value.isNull { return }
        result[member.key] = member.value.withoutNullMembers(schema: schema?.member(member.key))
      })
  }

  /// Without the fields of `set`.
  func removing(_ set: FieldSet, schema: SchemaNode?) -> JSONValue {
    if set.isEmpty { return self }
    switch FieldStructure(self, schema) {
    case .leaf: return self
    case .members(var members):
      for element in set.members {
        if case .field(let name) = element { members[name] = nil }
      }
      for (element, below) in set.children {
        guard case .field(let name) = element, let child = members[name] else { continue }
        members[name] = child.removing(below, schema: schema?.member(name))
      }
      return .object(members)
    case .elements(let elements):
      return .array(
        elements.compactMap { element, value in
          if set.members.contains(element) { return nil }
          return set.children[element].map { value.removing($0, schema: schema?.items?.node) } ?? value
        })
    }
  }
}

/// Elements of both lists: those of `right` keep their order, those only in `left` stay before what followed them.
private func mergedElements(
  _ left: [(element: PathElement, value: JSONValue)], _ right: [(element: PathElement, value: JSONValue)],
  schema: SchemaNode?
) -> [JSONValue] {
  let leftValues = Dictionary(left.map { ($0.element, $0.value) }, uniquingKeysWith: { first, _ in first })
  let rightValues = Dictionary(right.map { ($0.element, $0.value) }, uniquingKeysWith: { first, _ in first })
  let shared = right.map(\.element).filter { leftValues[$0] != nil }
  var result: [JSONValue] = []
  var (leftIndex, rightIndex, sharedIndex) = (0, 0, 0)
  while leftIndex < left.count || rightIndex < right.count {
    if leftIndex < left.count {
      let (element, value) = left[leftIndex]
      if rightValues[element] == nil {
        result.append(value)
        leftIndex += 1
        continue
      }
      // A shared element that is not the next one in the order of `right` comes later.
      if sharedIndex >= shared.count || shared[sharedIndex] != element {
        leftIndex += 1
        continue
      }
    }
    guard rightIndex < right.count else { break }
    let (element, value) = right[rightIndex]
    rightIndex += 1
    if let present = leftValues[element] {
      result.append(present.merged(with: value, schema: schema))
      sharedIndex += 1
      if leftIndex < left.count, left[leftIndex].element == element { leftIndex += 1 }
    } else {
      result.append(value)
    }
  }
  return result
}
