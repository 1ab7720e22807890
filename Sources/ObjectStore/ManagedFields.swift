import FoundationEssentials
import KubernetesAPI

/// `metadata.managedFields`, decoded: who owns which fields.
struct ManagedFields: Equatable, Sendable {
  /// What tells one entry from another.
  struct Owner: Hashable, Sendable {
    enum Operation: String, Sendable {
      case apply = "Apply"
      case update = "Update"
    }
    var manager: String
    var operation: Operation
    var apiVersion: String
    /// "" for the object itself.
    var subresource: String
  }

  struct Entry: Equatable, Sendable {
    var fields: FieldSet
    /// RFC 3339; nil where a client left it out.
    var time: String?
  }

  var entries: [Owner: Entry] = [:]

  init() {}

  /// What cannot be read is left out.
  init(json: JSONValue?) {
    for entry in json?.arrayValue ?? [] {
      guard let operation = entry["operation"]?.stringValue.flatMap(Owner.Operation.init(rawValue:)),
        let fields = entry["fieldsV1"]
      else { continue }
      let owner = Owner(
        manager: entry["manager"]?.stringValue ?? "", operation: operation,
        apiVersion: entry["apiVersion"]?.stringValue ?? "", subresource: entry["subresource"]?.stringValue ?? "")
      let set = FieldSet(fieldsV1: fields).union(entries[owner]?.fields ?? FieldSet())
      entries[owner] = Entry(fields: set, time: entry["time"]?.stringValue)
    }
  }

  /// Apply before Update, then by time and manager (fieldmanager/internal/managedfields.go); nil when nobody owns anything.
  var json: JSONValue? {
    let sorted = entries.sorted { Self.order($0) < Self.order($1) }
    if sorted.isEmpty { return nil }
    return .array(
      sorted.map { owner, entry in
        var json: JSONValue = [
          "manager": .string(owner.manager), "operation": .string(owner.operation.rawValue),
          "apiVersion": .string(owner.apiVersion), "fieldsType": "FieldsV1", "fieldsV1": entry.fields.fieldsV1,
        ]
        json["time"] = entry.time.map { .string($0) }
        if !owner.subresource.isEmpty { json["subresource"] = .string(owner.subresource) }
        return json
      })
  }

  private static func order(_ element: (key: Owner, value: Entry)) -> (String, String, String, String, String) {
    let (owner, entry) = element
    return (owner.operation.rawValue, entry.time ?? "", owner.manager, owner.apiVersion, owner.subresource)
  }

  /// Owners in a fixed order.
  var owners: [Owner] { entries.sorted { Self.order($0) < Self.order($1) }.map(\.key) }

  /// As messages name an owner (fieldmanager/internal/conflict.go).
  func name(of owner: Owner) -> String {
    var text = "\"\(owner.manager)\""
    if !owner.subresource.isEmpty { text += " with subresource \"\(owner.subresource)\"" }
    guard owner.operation == .update else { return text }
    text += " using \(owner.apiVersion)"
    if let time = entries[owner]?.time { text += " at \(time)" }
    return text
  }

  /// Takes fields from everybody but `owner`; entries that own nothing any more go.
  mutating func take(_ fields: FieldSet, from others: (Owner) -> Bool) {
    if fields.isEmpty { return }
    for (owner, entry) in entries where others(owner) {
      let rest = entry.fields.subtracting(fields)
      if rest.isEmpty { entries[owner] = nil } else if rest != entry.fields { entries[owner]?.fields = rest }
    }
  }

  /// Bounds the list as the API server does: beyond ten, the oldest Update entries become one, `ancient-changes`.
  mutating func capUpdates(limit: Int = 10) {
    let updates = owners.filter { $0.operation == .update && $0.subresource.isEmpty }
    guard updates.count > limit else { return }
    for owner in updates.prefix(updates.count - limit + 1) {
      guard let entry = entries.removeValue(forKey: owner) else { continue }
      let ancient = Owner(
        manager: "ancient-changes", operation: .update, apiVersion: owner.apiVersion, subresource: "")
      let fields = entries[ancient]?.fields.union(entry.fields) ?? entry.fields
      entries[ancient] = Entry(fields: fields, time: entry.time)
    }
  }
}
