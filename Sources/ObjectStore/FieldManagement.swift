import FoundationEssentials
import KubernetesAPI

/// The rules by which writes change managedFields (structured-merge-diff: merge/update.go).
struct FieldManagement {
  let schema: SchemaNode
  let type: ResourceType
  let manager: String
  let subresource: String

  private func owner(_ operation: ManagedFields.Owner.Operation) -> ManagedFields.Owner {
    .init(manager: manager, operation: operation, apiVersion: type.apiVersion, subresource: subresource)
  }

  /// After a create, PUT or patch: the writer owns what it changed, nobody else does any more.
  /// - Parameter managed: as in the new object where the client sent them, else as in the old.
  func afterUpdate(
    old: JSONValue, new: JSONValue, managed: ManagedFields, now: Date
  ) -> ManagedFields {
    var managed = managed
    let comparison = comparison(old, new)
    if comparison.isEmpty { return managed }
    let own = owner(.update)
    let changed = comparison.modified.union(comparison.added)
    managed.take(changed.union(comparison.removed)) { $0 != own }
    let present = managed.entries[own]
    let fields = (present?.fields ?? FieldSet()).subtracting(comparison.removed).union(changed)
    managed.entries[own] = fields.isEmpty ? nil : .init(fields: fields, time: Timestamp.seconds(now))
    managed.capUpdates()
    return managed
  }

  /// Server-side apply of `config` on `live`.
  /// - Throws: 409 with a cause for each field that somebody else owns and that would change, unless forced.
  func apply(
    _ config: JSONValue, on live: JSONValue, managed: ManagedFields, isForced: Bool, now: Date
  ) throws(KubernetesStatus) -> (object: JSONValue, managed: ManagedFields) {
    var managed = managed
    let own = owner(.apply)
    let last = managed.entries[own]
    let fields = fields(of: config)
    let merged = live.merged(with: config, schema: schema)
    managed.entries[own] = .init(fields: fields, time: last?.time)
    // Who applies the same fields again takes none away.
    let object = last.flatMap { $0.fields == fields ? nil : prune(merged, last: $0.fields, managed: managed) } ?? merged

    let comparison = comparison(live, object)
    let changed = comparison.modified.union(comparison.added)
    if !isForced {
      let conflicts = managed.owners.filter { $0 != own }.flatMap { other in
        (managed.entries[other]?.fields.intersection(changed).paths ?? []).map { (other, $0) }
      }
      if !conflicts.isEmpty {
        let allowed = fieldsOfClientSideApply(live)
        let refused = conflicts.filter { !allowed.contains($0.1) }
        if !refused.isEmpty { throw Self.conflict(refused.map { (managed.name(of: $0.0), $0.1) }) }
      }
    }
    managed.take(changed.union(comparison.removed)) { $0 != own }
    if fields.isEmpty { managed.entries[own] = nil }
    if !comparison.isEmpty || last?.fields != fields { managed.entries[own]?.time = Timestamp.seconds(now) }
    return (object, managed)
  }

  /// Removes what this manager applied last time and does not any more, unless somebody else owns it too.
  private func prune(_ merged: JSONValue, last: FieldSet, managed: ManagedFields) -> JSONValue {
    func named(_ set: FieldSet) -> FieldSet { set.withNamedFieldsAsMembers(schema) }
    let pruned = merged.removing(named(last), schema: schema)
    let mergedSet = named(FieldSet(of: merged, schema: schema))
    let owned = named(managed.entries.values.reduce(FieldSet()) { $0.union($1.fields) })
    let keep = named(FieldSet(of: pruned, schema: schema)).union(owned)
    let withOwned = merged.removing(mergedSet.subtracting(keep), schema: schema)
    // Only what this manager owned may go; a field that nobody owned stays.
    let gone = mergedSet.subtracting(named(FieldSet(of: withOwned, schema: schema)))
    return merged.removing(gone.intersection(named(last)), schema: schema)
  }

  /// What `kubectl apply` without `--server-side` set before: kubectl may take it over without a conflict
  /// (fieldmanager/internal/lastappliedmanager.go).
  private func fieldsOfClientSideApply(_ live: JSONValue) -> Set<String> {
    guard manager == "kubectl", let text = live[path: ["metadata", "annotations", Self.lastApplied]]?.stringValue,
      let config = try? JSONValue(parsing: text)
    else { return [] }
    return Set(fields(of: config).paths)
  }

  static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

  private func fields(of object: JSONValue) -> FieldSet { Self.owned(FieldSet(of: object, schema: schema)) }

  private func comparison(_ old: JSONValue, _ new: JSONValue) -> FieldComparison {
    var comparison = FieldComparison(old: old, new: new, schema: schema)
    comparison.added = Self.owned(comparison.added)
    comparison.modified = Self.owned(comparison.modified)
    comparison.removed = Self.owned(comparison.removed)
    return comparison
  }

  /// Without the fields that nobody owns (fieldmanager/internal/stripmeta.go).
  private static func owned(_ fields: FieldSet) -> FieldSet { fields.subtracting(unowned) }

  private static let unowned: FieldSet = {
    let metadata = [
      "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
    ]
    var set = FieldSet(members: [.field("apiVersion"), .field("kind"), .field("metadata")])
    set.children[.field("metadata")] = FieldSet(members: Set(metadata.map { .field($0) }))
    return set
  }()

  private static func conflict(_ conflicts: [(manager: String, path: String)]) -> KubernetesStatus {
    var message = "Apply failed with 1 conflict: conflict with \(conflicts[0].manager): \(conflicts[0].path)"
    if conflicts.count > 1 {
      let managers = Set(conflicts.map(\.manager)).sorted()
      let parts = managers.map { manager in
        "conflicts with \(manager):\n"
          + conflicts.filter { $0.manager == manager }.map { "- \($0.path)" }.joined(separator: "\n")
      }
      message = "Apply failed with \(conflicts.count) conflicts: \(parts.joined(separator: "\n"))"
    }
    return KubernetesStatus(
      code: 409, reason: "Conflict", message: message,
      details: .init(
        causes: conflicts.map {
          .init(reason: "FieldManagerConflict", message: "conflict with \($0.manager)", field: $0.path)
        }))
  }
}
