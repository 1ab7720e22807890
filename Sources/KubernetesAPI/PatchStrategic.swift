extension JSONValue {
  /// Kubernetes' strategic merge patch: a merge patch in which lists that `schema` calls maps or sets merge by key.
  ///
  /// Directives: `$patch: replace|delete|merge`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`, `$retainKeys`.
  /// The merge key of a list is the first of its `x-kubernetes-list-map-keys`.
  /// - Throws: ``JSONPatchError`` when an element of a merged list lacks its key or a directive is not understood.
  public func strategicallyPatched(with patch: JSONValue, schema: SchemaNode?) throws(JSONPatchError) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    switch changes["$patch"] {
    case nil, .string("merge"): break
    case .string("replace"): return .object(changes.filter { !$0.key.hasPrefix("$") })
    case .string("delete"): return .object([:])
    case let other?: throw JSONPatchError("unknown patch type found in: $patch \(other.text)")
    }
    var members = objectValue ?? [:]
    if let retained = changes["$retainKeys"]?.arrayValue {
      let names = Set(retained.compactMap(\.stringValue))
      members = members.filter { names.contains($0.key) }
    }
    try mergeMembers(changes, into: &members, schema: schema)
    reorderLists(changes, in: &members, schema: schema)
    return .object(members)
  }
}

/// Elements of one list that the patch says how to order, or to remove.
private enum Directive {
  static let order = "$setElementOrder/"
  static let removal = "$deleteFromPrimitiveList/"
}

private func mergeMembers(
  _ changes: [String: JSONValue], into members: inout [String: JSONValue], schema: SchemaNode?
) throws(JSONPatchError) {
  for (name, change) in changes where name.hasPrefix(Directive.removal) {
    let list = String(name.dropFirst(Directive.removal.count))
    let removed = Set(change.arrayValue ?? [])
    if let elements = members[list]?.arrayValue { members[list] = .array(elements.filter { !removed.contains($0) }) }
  }
  for (name, change) in changes where !name.hasPrefix("$") {
    let node = schema?[property: name] ?? schema?.additionalProperties?.node
    if change.isNull {
      members[name] = nil
    } else if case .array(let elements) = change {
      members[name] = .array(try mergedList(members[name]?.arrayValue ?? [], elements, schema: node))
    } else {
      members[name] = try (members[name] ?? .null).strategicallyPatched(with: change, schema: node)
    }
  }
}

private func mergedList(
  _ present: [JSONValue], _ changes: [JSONValue], schema: SchemaNode?
) throws(JSONPatchError) -> [JSONValue] {
  if changes.contains(where: { $0["$patch"]?.stringValue == "replace" }) {
    return changes.filter { $0["$patch"] == nil }
  }
  switch schema?.listType {
  case .set:
    return changes.reduce(into: present) { if !$0.contains($1) { $0.append($1) } }
  case .map:
    guard let key = schema?.listMapKeys.first else { return changes }
    return try mergedByKey(present, changes, key: key, schema: schema?.items?.node)
  case .atomic, nil:
    return changes
  }
}

private func mergedByKey(
  _ present: [JSONValue], _ changes: [JSONValue], key: String, schema: SchemaNode?
) throws(JSONPatchError) -> [JSONValue] {
  var result = present
  for change in changes {
    guard let value = change[key] else {
      throw JSONPatchError("map: \(change.text) does not contain declared merge key: \(key)")
    }
    let index = result.firstIndex { $0[key] == value }
    if change["$patch"]?.stringValue == "delete" {
      result.removeAll { $0[key] == value }
    } else if let index {
      result[index] = try result[index].strategicallyPatched(with: change, schema: schema)
    } else {
      result.append(try JSONValue.null.strategicallyPatched(with: change, schema: schema))
    }
  }
  return result
}

/// `$setElementOrder` names elements in their wished order; elements that it does not name keep their place relative to
/// the named ones before them.
private func reorderLists(
  _ changes: [String: JSONValue], in members: inout [String: JSONValue], schema: SchemaNode?
) {
  for (name, wished) in changes where name.hasPrefix(Directive.order) {
    let list = String(name.dropFirst(Directive.order.count))
    guard let elements = members[list]?.arrayValue, let order = wished.arrayValue else { continue }
    let key = schema?[property: list]?.listMapKeys.first
    func identity(_ value: JSONValue) -> JSONValue { key.flatMap { value[$0] } ?? value }
    let rank = Dictionary(order.enumerated().map { (identity($1), $0) }, uniquingKeysWith: { first, _ in first })
    var ranked: [(rank: Int, position: Int, element: JSONValue)] = []
    var last = -1
    for (position, element) in elements.enumerated() {
      if let own = rank[identity(element)] { last = own }
      ranked.append((rank[identity(element)] ?? last, position, element))
    }
    ranked.sort { ($0.rank, $0.position) < ($1.rank, $1.position) }
    members[list] = .array(ranked.map(\.element))
  }
}
