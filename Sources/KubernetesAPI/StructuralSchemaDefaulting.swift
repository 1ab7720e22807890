extension SchemaNode {
  /// `value` with the schema's defaults where a member is missing, or null though not nullable; nulls without a default
  /// are dropped from fields that are not nullable. Defaults apply below defaults, too (structural defaulting).
  public func defaulted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members): return .object(defaulted(members))
    case .array(let elements):
      guard let items = items?.node else { return value }
      return .array(
        elements.map { element in
          let filled = element.isNull && !items.isNullable ? items.defaultValue ?? element : element
          return items.defaulted(filled)
        })
    default: return value
    }
  }

  private func defaulted(_ present: [String: JSONValue]) -> [String: JSONValue] {
    var members = present
    for (name, member) in present {
      guard let schema = declared[name] ?? additionalProperties?.node else { continue }
      if member.isNull, !schema.isNullable {
        members[name] = schema.defaultValue.map(schema.defaulted)
      } else if member.objectValue != nil || member.arrayValue != nil {
        members[name] = schema.defaulted(member)
      }
    }
    for (name, property) in declared where present[name] == nil {
      if let value = property.defaultValue { members[name] = property.defaulted(value) }
    }
    return members
  }
}
