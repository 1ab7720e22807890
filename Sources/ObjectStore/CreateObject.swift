import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// Stores a new object, as POST does.
  /// - Parameter managed: who owns its fields, where server-side apply has decided that already.
  mutating func create(
    _ definition: ResourceDefinition, _ body: JSONValue, namespace: String, options: WriteOptions, now: Date,
    managed: ManagedFields? = nil
  ) throws(KubernetesStatus) -> KubernetesObject {
    let type = definition.type
    var json = try placed(try definition.typed(body), type: type, namespace: namespace)
    let sent = json.metadataMembers
    if let version = sent["resourceVersion"]?.stringValue, !version.isEmpty {
      throw .internalError("resourceVersion should not be set on objects to be created")
    }
    let name = try newName(sent, definition: definition, namespace: namespace)
    try checkNamespace(of: type, namespace: namespace, name: name)
    json.metadataMembers = newMetadata(sent, name: name, definition: definition, now: now)
    if definition.hasStatus, !definition.behaviour.keepsStatusOnCreate {
      json["status"] = definition.behaviour.initialStatus
    }
    if type == .customResourceDefinitions { json["status"] = establishedStatus(of: json, now: now) }
    json = definition.prepared(json)
    if type == .services { serviceAddresses.assign(to: &json, previous: nil) }
    let causes = definition.causes(json, old: nil)
    if !causes.isEmpty { throw .invalid(type, name, causes) }
    let key = ObjectKey(namespace: namespace, name: name)
    if object(type, key) != nil { throw .alreadyExists(type, name) }

    let management = FieldManagement(
      schema: definition.schema, type: type, manager: options.fieldManager, subresource: "")
    let blank: JSONValue = ["metadata": [:]]
    let owners =
      managed
      ?? management.afterUpdate(
        old: blank, new: json, managed: ManagedFields(json: sent["managedFields"]), now: now)
    json.metadataMembers["managedFields"] = owners.json
    let object = KubernetesObject(json)
    return options.isDryRun ? object : commit(object, replacing: nil, type: type)
  }

  /// The body with the namespace of the URL. - Throws: 400 when it names another one.
  private func placed(_ body: JSONValue, type: ResourceType, namespace: String) throws(KubernetesStatus) -> JSONValue {
    var json = body
    let own = json[path: ["metadata", "namespace"]]?.stringValue ?? ""
    if !own.isEmpty, own != namespace {
      throw .badRequest(
        type.isNamespaced
          ? "the namespace of the provided object does not match the namespace sent on the request"
          : "namespace should not be set on objects to be created")
    }
    json.metadataMembers["namespace"] = type.isNamespaced ? .string(namespace) : nil
    return json
  }

  private mutating func newName(
    _ metadata: [String: JSONValue], definition: ResourceDefinition, namespace: String
  ) throws(KubernetesStatus) -> String {
    if let name = metadata["name"]?.stringValue, !name.isEmpty { return name }
    guard let prefix = metadata["generateName"]?.stringValue, !prefix.isEmpty else {
      throw .invalid(
        definition.type, "", [.required("metadata.name", "name or generateName is required")])
    }
    // Like the API server: the prefix is cut so that the whole stays a DNS label.
    return String(prefix.prefix(58)) + identities.nameSuffix()
  }

  private func checkNamespace(of type: ResourceType, namespace: String, name: String) throws(KubernetesStatus) {
    guard type.isNamespaced, definition(.namespaces) != nil else { return }
    guard let found = object(.namespaces, ObjectKey(name: namespace)) else { throw .notFound(.namespaces, namespace) }
    guard found.metadata.isBeingDeleted else { return }
    var status = KubernetesStatus.forbidden(
      type, name, "unable to create new content in namespace \(namespace) because it is being terminated")
    status.details?.causes = [
      .init(
        reason: "NamespaceTerminating", message: "namespace \(namespace) is being terminated",
        field: "metadata.namespace")
    ]
    throw status
  }

  private mutating func newMetadata(
    _ sent: [String: JSONValue], name: String, definition: ResourceDefinition, now: Date
  ) -> [String: JSONValue] {
    var metadata = sent
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink", "resourceVersion"] {
      metadata[field] = nil
    }
    metadata["name"] = .string(name)
    metadata["uid"] = .string(identities.uid())
    metadata["creationTimestamp"] = .string(Timestamp.seconds(now))
    metadata["generation"] = definition.behaviour.tracksGeneration ? 1 : nil
    return metadata
  }
}
