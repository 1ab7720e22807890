/// An object of the Kubernetes API: its JSON, whole, with typed access to what the project reads.
///
/// Types for single kinds (``Deployment``, ``Pod`` …) are views over this value: they name fields, they never drop any.
public struct KubernetesObject: Hashable, Sendable {
  public var json: JSONValue
  public init(_ json: JSONValue) { self.json = json }

  /// An object with nothing but its type and name.
  public init(_ type: ResourceType, _ key: ObjectKey) {
    var metadata: JSONValue = ["name": .string(key.name)]
    if type.isNamespaced { metadata["namespace"] = .string(key.namespace) }
    json = ["apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "metadata": metadata]
  }

  public var apiVersion: String { json["apiVersion"]?.stringValue ?? "" }
  public var kind: String { json["kind"]?.stringValue ?? "" }
  public var metadata: ObjectMetadata {
    get { ObjectMetadata(json: json["metadata"] ?? .object([:])) }
    set { json["metadata"] = newValue.json }
  }
  public var key: ObjectKey { ObjectKey(namespace: metadata.namespace, name: metadata.name) }
  public var spec: JSONValue {
    get { json["spec"] ?? .object([:]) }
    set { json["spec"] = newValue }
  }
  public var status: JSONValue {
    get { json["status"] ?? .object([:]) }
    set { json["status"] = newValue }
  }
}

/// `metadata` of an object, by the Kubernetes API conventions.
public struct ObjectMetadata: Hashable, Sendable {
  public var json: JSONValue
  public init(json: JSONValue) { self.json = json }

  public var name: String { json["name"]?.stringValue ?? "" }
  public var namespace: String { json["namespace"]?.stringValue ?? "" }
  public var uid: String { json["uid"]?.stringValue ?? "" }
  public var resourceVersion: String { json["resourceVersion"]?.stringValue ?? "" }
  public var generation: Int { json["generation"]?.intValue ?? 0 }
  /// RFC 3339, seconds.
  public var creationTimestamp: String { json["creationTimestamp"]?.stringValue ?? "" }
  public var deletionTimestamp: String? { json["deletionTimestamp"]?.stringValue }
  public var isBeingDeleted: Bool { deletionTimestamp != nil }
  public var labels: [String: String] {
    get { (json["labels"]?.objectValue ?? [:]).compactMapValues(\.stringValue) }
    set { json["labels"] = newValue.isEmpty ? nil : JSONValue(newValue) }
  }
  public var annotations: [String: String] {
    get { (json["annotations"]?.objectValue ?? [:]).compactMapValues(\.stringValue) }
    set { json["annotations"] = newValue.isEmpty ? nil : JSONValue(newValue) }
  }
  public var finalizers: [String] { (json["finalizers"]?.arrayValue ?? []).compactMap(\.stringValue) }
  public var ownerReferences: [OwnerReference] {
    get { (json["ownerReferences"]?.arrayValue ?? []).map(OwnerReference.init(json:)) }
    set { json["ownerReferences"] = newValue.isEmpty ? nil : .array(newValue.map(\.json)) }
  }
  /// The owner with `controller: true`.
  public var controller: OwnerReference? { ownerReferences.first(where: \.isController) }
}

/// An entry of `metadata.ownerReferences`.
public struct OwnerReference: Hashable, Sendable {
  public var json: JSONValue
  public init(json: JSONValue) { self.json = json }

  /// A controlling reference to `owner`.
  /// - Parameter blocksDeletion: a deletion of the owner in the foreground waits for the object. Who sets it needs `update` of the
  ///   owner's `finalizers` where OwnerReferencesPermissionEnforcement is on, as it is on OpenShift.
  public init(controlledBy owner: KubernetesObject, blocksDeletion: Bool = true) {
    json = [
      "apiVersion": .string(owner.apiVersion), "kind": .string(owner.kind), "name": .string(owner.metadata.name),
      "uid": .string(owner.metadata.uid), "controller": true,
    ]
    if blocksDeletion { json["blockOwnerDeletion"] = true }
  }
  public var kind: String { json["kind"]?.stringValue ?? "" }
  public var apiVersion: String { json["apiVersion"]?.stringValue ?? "" }
  public var name: String { json["name"]?.stringValue ?? "" }
  public var uid: String { json["uid"]?.stringValue ?? "" }
  public var isController: Bool { json["controller"]?.boolValue ?? false }
}
