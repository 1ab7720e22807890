import KubernetesAPI

/// Who may answer to which model name or host name. Of two services that claim one, the older has it; of the same second,
/// the one whose namespace and name sort first.
struct NameClaims {
  private struct Claimant: Hashable, Comparable {
    var created: String
    var key: ObjectKey

    static func < (left: Claimant, right: Claimant) -> Bool { (left.created, left.key) < (right.created, right.key) }
  }
  /// By name, the owner first. Thousands of services may claim one name: a change costs what it changes, not all of them.
  private var claimants: [String: [Claimant]] = [:]
  private var claims: [ObjectKey: (names: Set<String>, created: String)] = [:]

  /// Sets what a service claims; nothing: it is gone.
  /// - Returns: the other services of which something is to be told: a name of theirs has another owner.
  mutating func set(_ names: Set<String>, of key: ObjectKey, created: String) -> Set<ObjectKey> {
    let before = claims[key] ?? ([], created)
    guard before.names != names || before.created != created else { return [] }
    var affected: Set<ObjectKey> = []
    for name in before.names.union(names) {
      let owner = claimants[name]?.first
      if before.names.contains(name) { remove(Claimant(created: before.created, key: key), from: name) }
      if names.contains(name) { insert(Claimant(created: created, key: key), into: name) }
      guard let rivals = claimants[name], rivals.first != owner else { continue }
      affected.formUnion(rivals.lazy.map(\.key))
    }
    affected.remove(key)
    claims[key] = names.isEmpty ? nil : (names, created)
    return affected
  }

  private mutating func insert(_ claimant: Claimant, into name: String) {
    let place = place(of: claimant, in: name)
    claimants[name, default: []].insert(claimant, at: place)
  }

  private mutating func remove(_ claimant: Claimant, from name: String) {
    let place = place(of: claimant, in: name)
    claimants[name]?.remove(at: place)
    if claimants[name]?.isEmpty == true { claimants[name] = nil }
  }

  /// Where a claimant is, or belongs.
  private func place(of claimant: Claimant, in name: String) -> Int {
    guard let present = claimants[name] else { return 0 }
    var (low, high) = (0, present.count)
    while low < high {
      let middle = (low + high) / 2
      if present[middle] < claimant { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Names of this service that an older one has, each with its owner, sorted.
  func lost(by key: ObjectKey) -> [(name: String, owner: ObjectKey)] {
    (claims[key]?.names ?? []).sorted().compactMap { name in
      guard let owner = claimants[name]?.first?.key, owner != key else { return nil }
      return (name, owner)
    }
  }
}
