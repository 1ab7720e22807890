extension SchemaNode {
  /// Paths of the members that this schema does not declare, sorted, as the API server's strict decoder names them:
  /// `spec.burst.minReplicas`, `spec.template.spec.containers[0].imagee`.
  public func unknownFields(in value: JSONValue) -> [String] {
    var pruning = Pruning(remembersPaths: true)
    _ = pruning.visit(value, self, "")
    return pruning.removed.sorted()
  }

  /// `value` without the members that this schema does not declare (structural pruning of CustomResourceDefinitions).
  public func pruned(_ value: JSONValue) -> JSONValue {
    var pruning = Pruning(remembersPaths: false)
    return pruning.visit(value, self, "")
  }
}

/// One walk that drops undeclared members and, if that is asked for, remembers where they were.
private struct Pruning {
  let remembersPaths: Bool
  var removed: [String] = []

  /// A nil schema declares nothing: objects under it are emptied.
  mutating func visit(_ value: JSONValue, _ schema: SchemaNode?, _ path: String) -> JSONValue {
    switch value {
    case .object(let members):
      return .object(visit(members, schema, path))
    case .array(let elements):
      return .array(
        elements.enumerated().map { index, element in
          // Preserving is inherited by list elements that say nothing, as in the API server's `skipPrune`.
          let items = schema?.items?.node
          if schema?.preservesUnknownFields == true, items == nil { return element }
          return visit(element, items, remembersPaths ? "\(path)[\(index)]" : "")
        })
    default:
      return value
    }
  }

  private mutating func visit(
    _ members: [String: JSONValue], _ schema: SchemaNode?, _ path: String
  ) -> [String: JSONValue] {
    var kept: [String: JSONValue] = [:]
    kept.reserveCapacity(members.count)
    for (name, member) in members {
      let memberPath = remembersPaths && !path.isEmpty ? "\(path).\(name)" : name
      if let property = schema?[property: name] ?? schema?.additionalProperties?.node {
        kept[name] = visit(member, property, memberPath)
      } else if schema?.preservesUnknownFields == true {
        kept[name] = member
      } else if remembersPaths {
        removed.append(memberPath)
      }
    }
    return kept
  }
}
