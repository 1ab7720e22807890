import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// Server-side apply: creates the object, or merges what is applied into it by ownership of fields.
  mutating func apply(
    _ definition: ResourceDefinition, _ key: ObjectKey, config body: JSONValue, options: WriteOptions, now: Date
  ) throws(KubernetesStatus) -> (object: KubernetesObject, isCreated: Bool) {
    let type = definition.type
    let config = try applied(try definition.typed(body), definition: definition, key: key, options: options)
    let management = FieldManagement(
      schema: definition.schema, type: type, manager: options.fieldManager, subresource: options.subresource ?? "")
    guard object(type, key) != nil else {
      guard options.subresource == nil else { throw .notFound(type, key.name) }
      if let uid = config.metadataMembers["uid"]?.stringValue, !uid.isEmpty {
        throw .conflict(
          type, key.name, "uid mismatch: the provided object specified uid \(uid), and no existing object was found")
      }
      let blank: JSONValue = ["metadata": [:]]
      let result = try management.apply(config, on: blank, managed: ManagedFields(), isForced: true, now: now)
      let object = try create(
        definition, result.object, namespace: key.namespace, options: options, now: now, managed: result.managed)
      return (object, true)
    }
    let object = try update(definition, key, options: options, now: now) { present throws(KubernetesStatus) in
      var live = present.json
      live.metadataMembers["managedFields"] = nil
      let managed = ManagedFields(json: present.metadata.json["managedFields"])
      var result = try management.apply(
        config, on: live, managed: managed, isForced: options.isForced, now: now)
      Self.renewLastApplied(in: &result.object, live: live, config: config, manager: options.fieldManager)
      return (result.object, result.managed)
    }
    return (object, false)
  }

  /// The applied fields without those that this endpoint does not write.
  private func applied(
    _ body: JSONValue, definition: ResourceDefinition, key: ObjectKey, options: WriteOptions
  ) throws(KubernetesStatus) -> JSONValue {
    let type = definition.type
    var config = body
    if let fields = config.metadataMembers["managedFields"], !fields.isNull {
      throw .badRequest("metadata.managedFields must be nil")
    }
    let name = config.metadataMembers["name"]?.stringValue ?? ""
    if !name.isEmpty, name != key.name {
      throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(key.name))")
    }
    let namespace = config.metadataMembers["namespace"]?.stringValue ?? ""
    if !namespace.isEmpty, namespace != key.namespace {
      throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
    }
    let errors = TypedValidation.errors(in: config, schema: definition.schema)
    if !errors.isEmpty {
      throw KubernetesStatus(
        code: 500, reason: "",
        message: "failed to create typed patch object (\(namespace)/\(name); \(type.apiVersion), Kind=\(type.kind)): "
          + TypedValidation.text(errors))
    }
    config.metadataMembers["name"] = .string(key.name)
    config.metadataMembers["namespace"] = type.isNamespaced ? .string(key.namespace) : nil
    config.metadataMembers["managedFields"] = nil
    guard definition.hasStatus else { return config }
    if options.subresource == "status" {
      let identity = config.metadataMembers.filter { ["name", "namespace", "uid", "resourceVersion"].contains($0.key) }
      var onlyStatus: JSONValue = ["metadata": .object(identity)]
      for name in ["apiVersion", "kind", "status"] { onlyStatus[name] = config[name] }
      return onlyStatus
    }
    config["status"] = nil
    return config
  }

  /// An object that client-side apply also manages keeps its annotation in step, so that one may go back
  /// (fieldmanager/internal/lastappliedupdater.go).
  private static func renewLastApplied(
    in object: inout JSONValue, live: JSONValue, config: JSONValue, manager: String
  ) {
    let path = ["metadata", "annotations", FieldManagement.lastApplied]
    guard manager == "kubectl", live[path: path]?.stringValue?.isEmpty == false else { return }
    var own = config
    own[path: path] = nil
    object[path: path] = .string(own.text + "\n")
  }
}
