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

  /// The objects of one type in one namespace. Kept in order, because lists are read far more often than they change.
  private struct Bucket {
    var byName: [String: KubernetesObject] = [:]
    var names: [String] = []

    /// Sets or removes an object.
    subscript(name: String) -> KubernetesObject? {
      get { byName[name] }
      set {
        let isNew = byName[name] == nil
        byName[name] = newValue
        if isNew == (newValue == nil) { return }
        let index = names.partitioningIndex { $0 >= name }
        if newValue == nil { names.remove(at: index) } else { names.insert(name, at: index) }
      }
    }

    var objects: [KubernetesObject] { names.compactMap { byName[$0] } }
  }

  private var objects: [ResourceType: [String: Bucket]] = [:]
  /// Objects that name an owner, by its uid.
  private var dependents: [String: Set<Reference>] = [:]
  private var places: [String: Reference] = [:]
  /// Objects without a controller, by name: whoever adopts asks for them, and there are few.
  private var orphans: [ResourceType: [String: Set<String>]] = [:]
  /// EndpointSlices by the Service that their label names.
  private var slices: [ObjectKey: Set<String>] = [:]

  /// Takes an event in; the object as it was before, nil for a new one.
  mutating func observe(_ event: WatchEvent, of type: ResourceType) -> KubernetesObject? {
    let object = event.object
    let reference = Reference(type: type, key: object.key)
    let previous = self[type, object.key]
    for owner in previous?.metadata.ownerReferences ?? [] { dependents[owner.uid]?.remove(reference) }
    index(previous, event.kind == .deleted ? nil : object, as: reference)
    if event.kind == .deleted {
      objects[type]?[object.metadata.namespace]?[object.metadata.name] = nil
      places[object.metadata.uid] = nil
      for owner in object.metadata.ownerReferences where dependents[owner.uid]?.isEmpty == true {
        dependents[owner.uid] = nil
      }
    } else {
      objects[type, default: [:]][object.metadata.namespace, default: Bucket()][object.metadata.name] = object
      places[object.metadata.uid] = reference
      for owner in object.metadata.ownerReferences { dependents[owner.uid, default: []].insert(reference) }
    }
    return previous
  }

  private mutating func index(_ old: KubernetesObject?, _ new: KubernetesObject?, as reference: Reference) {
    let (type, namespace, name) = (reference.type, reference.key.namespace, reference.key.name)
    if let new, new.metadata.controller == nil {
      orphans[type, default: [:]][namespace, default: []].insert(name)
    } else {
      orphans[type]?[namespace]?.remove(name)
    }
    guard type == .endpointSlices else { return }
    let (before, after) = (old.flatMap(Self.service(ofSlice:)), new.flatMap(Self.service(ofSlice:)))
    guard before != after else { return }
    if let before {
      slices[before]?.remove(name)
      if slices[before]?.isEmpty == true { slices[before] = nil }
    }
    if let after { slices[after, default: []].insert(name) }
  }

  /// The Service that a slice's label names.
  static func service(ofSlice slice: KubernetesObject) -> ObjectKey? {
    slice.metadata.labels["kubernetes.io/service-name"].map {
      ObjectKey(namespace: slice.metadata.namespace, name: $0)
    }
  }

  subscript(type: ResourceType, key: ObjectKey) -> KubernetesObject? { objects[type]?[key.namespace]?[key.name] }

  subscript(reference: Reference) -> KubernetesObject? { self[reference.type, reference.key] }

  /// Where the object with this uid is.
  func place(ofUID uid: String) -> Reference? { places[uid] }

  /// Objects of a type, of one namespace or of all, by name.
  func list(_ type: ResourceType, namespace: String? = nil) -> [KubernetesObject] {
    guard let buckets = objects[type] else { return [] }
    if let namespace { return buckets[namespace]?.objects ?? [] }
    return buckets.keys.sorted().flatMap { buckets[$0]?.objects ?? [] }
  }

  /// Objects of a type and namespace that have no controller, by name.
  func orphans(_ type: ResourceType, namespace: String) -> [KubernetesObject] {
    (orphans[type]?[namespace] ?? []).sorted().compactMap { objects[type]?[namespace]?[$0] }
  }

  /// EndpointSlices whose label names a Service, by name.
  func slices(ofService key: ObjectKey) -> [KubernetesObject] {
    (slices[key] ?? []).sorted().compactMap { objects[.endpointSlices]?[key.namespace]?[$0] }
  }

  /// Objects that name `uid` as an owner.
  func dependents(ofUID uid: String) -> [Reference] { (dependents[uid] ?? []).sorted() }

  /// Objects of a type whose controller is `uid`, by name.
  func controlled(by uid: String, _ type: ResourceType) -> [KubernetesObject] {
    (dependents[uid] ?? []).filter { $0.type == type }.sorted().compactMap { self[$0] }
      .filter { $0.metadata.controller?.uid == uid }
  }
}

extension [String] {
  /// The first index whose element satisfies `isAtOrAfter`, which must hold for all later ones too.
  fileprivate func partitioningIndex(where isAtOrAfter: (String) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isAtOrAfter(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension JSONValue {
  /// Whether these labels hold all of `selector`'s; an empty selector selects nothing here (Services).
  func hasLabels(of selector: JSONValue?) -> Bool {
    guard let wanted = selector?.objectValue, !wanted.isEmpty, let labels = objectValue else { return false }
    return wanted.allSatisfy { labels[$0.key] == $0.value }
  }

  /// Whether a `LabelSelector` selects these labels; without expressions, the usual case, no selector is built.
  func isSelected(by selector: JSONValue?) -> Bool {
    guard let selector else { return false }
    if let wanted = selector["matchLabels"], selector["matchExpressions"] == nil { return hasLabels(of: wanted) }
    let labels = (objectValue ?? [:]).compactMapValues(\.stringValue)
    return LabelSelector(json: selector)?.matches(labels) ?? false
  }
}
