import KubernetesAPI
import ObjectStore

/// What the built-in controllers know of the cluster: every object, by type and name and by owner; fed from the store's events.
struct ClusterView {
  /// An object's place in the API.
  struct Reference: Hashable, Comparable {
    var type: ResourceType
    var key: ObjectKey
    static func < (left: Reference, right: Reference) -> Bool {
      (left.type.group, left.type.resource, left.key) < (right.type.group, right.type.resource, right.key)
    }
  }

  private var objects: [ResourceType: [String: [String: KubernetesObject]]] = [:]
  /// Objects that name an owner, by its uid.
  private var dependents: [String: Set<Reference>] = [:]
  private var places: [String: Reference] = [:]

  /// Takes an event in; the object as it was before, nil for a new one.
  mutating func observe(_ event: WatchEvent, of type: ResourceType) -> KubernetesObject? {
    let object = event.object
    let reference = Reference(type: type, key: object.key)
    let previous = self[type, object.key]
    for owner in previous?.metadata.ownerReferences ?? [] { dependents[owner.uid]?.remove(reference) }
    if event.kind == .deleted {
      objects[type]?[object.metadata.namespace]?[object.metadata.name] = nil
      places[object.metadata.uid] = nil
      for owner in object.metadata.ownerReferences where dependents[owner.uid]?.isEmpty == true {
        dependents[owner.uid] = nil
      }
    } else {
      objects[type, default: [:]][object.metadata.namespace, default: [:]][object.metadata.name] = object
      places[object.metadata.uid] = reference
      for owner in object.metadata.ownerReferences { dependents[owner.uid, default: []].insert(reference) }
    }
    return previous
  }

  subscript(type: ResourceType, key: ObjectKey) -> KubernetesObject? { objects[type]?[key.namespace]?[key.name] }

  subscript(reference: Reference) -> KubernetesObject? { self[reference.type, reference.key] }

  /// Where the object with this uid is.
  func place(ofUID uid: String) -> Reference? { places[uid] }

  /// Objects of a type, of one namespace or of all, by name.
  func list(_ type: ResourceType, namespace: String? = nil) -> [KubernetesObject] {
    let found: [KubernetesObject]
    if let namespace {
      found = objects[type]?[namespace].map { Array($0.values) } ?? []
    } else {
      found = (objects[type] ?? [:]).values.flatMap(\.values)
    }
    return found.sorted { $0.key < $1.key }
  }

  /// Objects that name `uid` as an owner.
  func dependents(ofUID uid: String) -> [Reference] { (dependents[uid] ?? []).sorted() }

  /// Objects of a type whose controller is `uid`, by name.
  func controlled(by uid: String, _ type: ResourceType) -> [KubernetesObject] {
    (dependents[uid] ?? []).filter { $0.type == type }.sorted().compactMap { self[$0] }
      .filter { $0.metadata.controller?.uid == uid }
  }

  /// Everything within a namespace.
  func contents(ofNamespace namespace: String) -> [Reference] {
    objects.flatMap { type, byNamespace in
      (byNamespace[namespace] ?? [:]).keys.map { Reference(type: type, key: ObjectKey(namespace: namespace, name: $0)) }
    }.sorted()
  }
}

extension JSONValue {
  /// Whether these labels hold all of `selector`'s; an empty selector selects nothing here (Services).
  func hasLabels(of selector: JSONValue?) -> Bool {
    guard let wanted = selector?.objectValue, !wanted.isEmpty, let labels = objectValue else { return false }
    return wanted.allSatisfy { labels[$0.key] == $0.value }
  }
}
