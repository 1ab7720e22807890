import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// Who owns the fields after a change: found by comparing, or decided by server-side apply.
  typealias Changed = (json: JSONValue, managed: ManagedFields?)

  /// Stores a changed object, as PUT and PATCH do. A change that changes nothing writes nothing.
  /// - Parameter change: makes the new object from the present one.
  mutating func update(
    _ definition: ResourceDefinition, _ key: ObjectKey, options: WriteOptions, now: Date,
    change: (KubernetesObject) throws(KubernetesStatus) -> Changed
  ) throws(KubernetesStatus) -> KubernetesObject {
    let type = definition.type
    guard let present = object(type, key) else { throw .notFound(type, key.name) }
    let changed = try change(present)
    var json = try definition.typed(changed.json)
    let sent = json.metadataMembers
    try checkPreconditions(sent, present, type: type)
    json.metadataMembers = carriedMetadata(sent, from: present)
    json = projected(json, onto: present.json, definition: definition, subresource: options.subresource)
    json = definition.prepared(json)
    if type == .services { serviceAddresses.assign(to: &json, previous: present.json) }
    let causes = definition.causes(json, old: present.json)
    if !causes.isEmpty { throw .invalid(type, key.name, causes) }

    let owners = changed.managed ?? managed(after: json, sent: sent, present: present, definition, options, now)
    json.metadataMembers["managedFields"] = owners.json
    json.metadataMembers["resourceVersion"] = .string(present.metadata.resourceVersion)
    if json == present.json { return present }
    if definition.changesGeneration(json, present.json) {
      json.metadataMembers["generation"] = JSONValue(present.metadata.generation + 1)
    }
    let object = KubernetesObject(json)
    if options.isDryRun { return object }
    if isReadyToGo(object) { return remove(object, type: type) }
    return commit(object, replacing: present, type: type)
  }

  private func checkPreconditions(
    _ sent: [String: JSONValue], _ present: KubernetesObject, type: ResourceType
  ) throws(KubernetesStatus) {
    let name = present.metadata.name
    if let uid = sent["uid"]?.stringValue, !uid.isEmpty, uid != present.metadata.uid {
      throw .conflict(
        type, name, "Precondition failed: UID in precondition: \(uid), UID in object meta: \(present.metadata.uid)")
    }
    let version = sent["resourceVersion"]?.stringValue ?? ""
    if !version.isEmpty, version != present.metadata.resourceVersion { throw .stale(type, name) }
  }

  /// What the server sets stays as it is, whatever the client sends or leaves out.
  private func carriedMetadata(
    _ sent: [String: JSONValue], from present: KubernetesObject
  ) -> [String: JSONValue] {
    var metadata = sent
    let old = present.json.metadataMembers
    for field in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "name", "namespace"]
    where metadata[field] == nil || metadata[field] == .null {
      metadata[field] = old[field]
    }
    for field in ["generation", "selfLink", "generateName", "managedFields"] { metadata[field] = old[field] }
    return metadata
  }

  /// The main endpoint does not write the status, `/status` nothing else.
  private func projected(
    _ new: JSONValue, onto old: JSONValue, definition: ResourceDefinition, subresource: String?
  ) -> JSONValue {
    guard definition.hasStatus else { return new }
    if subresource == "status" {
      var result = old
      result["status"] = new["status"]
      return result
    }
    var result = new
    result["status"] = old["status"]
    return result
  }

  private func managed(
    after json: JSONValue, sent: [String: JSONValue], present: KubernetesObject, _ definition: ResourceDefinition,
    _ options: WriteOptions, _ now: Date
  ) -> ManagedFields {
    let live = present.metadata.json["managedFields"]
    var managed = ManagedFields(json: live)
    // A client may rewrite managedFields, or clear them with one empty entry, but not through a subresource.
    if options.subresource == nil, let own = sent["managedFields"]?.arrayValue, !own.isEmpty {
      let decoded = ManagedFields(json: .array(own))
      if own == [.object([:])] || !decoded.entries.isEmpty { managed = decoded }
    }
    let management = FieldManagement(
      schema: definition.schema, type: definition.type, manager: options.fieldManager,
      subresource: options.subresource ?? "")
    return management.afterUpdate(old: present.json, new: json, managed: managed, now: now)
  }

  /// Whether nothing holds an object that is being deleted any more.
  func isReadyToGo(_ object: KubernetesObject) -> Bool {
    let metadata = object.metadata
    guard metadata.isBeingDeleted, metadata.finalizers.isEmpty,
      (metadata.json["deletionGracePeriodSeconds"]?.intValue ?? 0) == 0
    else { return false }
    let isNamespace = object.kind == "Namespace" && object.apiVersion == "v1"
    return !isNamespace || (object.spec["finalizers"]?.arrayValue ?? []).isEmpty
  }
}
