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

  private func defaulted(_ members: [String: JSONValue]) -> [String: JSONValue] {
    var members = members
    for (name, property) in properties {
      let present = members[name]
      if let present, !present.isNull || property.isNullable {
        members[name] = property.defaulted(present)
      } else {
        members[name] = property.defaultValue.map(property.defaulted)
      }
    }
    guard let values = additionalProperties?.node else { return members }
    for (name, member) in members where self[property: name] == nil {
      if member.isNull, !values.isNullable {
        members[name] = values.defaultValue.map(values.defaulted)
      } else {
        members[name] = values.defaulted(member)
      }
    }
    return members
  }
}
