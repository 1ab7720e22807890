extension JSONValue {
  /// JSON merge patch (RFC 7386): objects merge, null removes, anything else replaces.
  public func mergePatched(with patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var members = objectValue ?? [:]
    for (name, change) in changes {
      if change.isNull {
        members[name] = nil
      } else {
        members[name] = (members[name] ?? .null).mergePatched(with: change)
      }
    }
    return .object(members)
  }

  /// The smallest merge patch that makes `target` of this value; nil when they are equal.
  public func mergePatch(to target: JSONValue) -> JSONValue? {
    if self == target { return nil }
    guard case .object(let old) = self, case .object(let new) = target else { return target }
    var changes: [String: JSONValue] = [:]
    for name in old.keys where new[name] == nil { changes[name] = .null }
    for (name, value) in new {
      if let present = old[name] { changes[name] = present.mergePatch(to: value) } else { changes[name] = value }
    }
    return .object(changes)
  }
}
