import KubernetesAPI

/// Who may answer to which model name or host name. Of two services that claim one, the older has it; of the same second,
/// the one whose namespace and name sort first.
struct NameClaims {
  private struct Claimant: Hashable {
    var key: ObjectKey
    var created: String
    var isOlder: (String, ObjectKey) { (created, key) }
  }
  private var claimants: [String: [Claimant]] = [:]
  private var claims: [ObjectKey: Set<String>] = [:]

  /// Sets what a service claims; nothing: it is gone.
  /// - Returns: the other services whose names may have changed hands.
  mutating func set(_ names: Set<String>, of key: ObjectKey, created: String) -> Set<ObjectKey> {
    let before = claims[key] ?? []
    var affected: Set<ObjectKey> = []
    for name in before.subtracting(names) {
      claimants[name]?.removeAll { $0.key == key }
      affected.formUnion((claimants[name] ?? []).map(\.key))
      if claimants[name]?.isEmpty == true { claimants[name] = nil }
    }
    for name in names {
      var rivals = (claimants[name] ?? []).filter { $0.key != key }
      if !before.contains(name) { affected.formUnion(rivals.map(\.key)) }
      rivals.append(Claimant(key: key, created: created))
      claimants[name] = rivals.sorted { $0.isOlder < $1.isOlder }
    }
    claims[key] = names.isEmpty ? nil : names
    return affected
  }

  /// Names of this service that an older one has, each with its owner, sorted.
  func lost(by key: ObjectKey) -> [(name: String, owner: ObjectKey)] {
    (claims[key] ?? []).sorted().compactMap { name in
      guard let owner = claimants[name]?.first?.key, owner != key else { return nil }
      return (name, owner)
    }
  }
}
