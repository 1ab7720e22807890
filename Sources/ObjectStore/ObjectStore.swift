import FoundationEssentials
import KubernetesAPI

/// A Kubernetes API server's semantics as a value: requests in, answers and watch events out, no I/O and no clock.
///
/// Copies are cheap (copy on write) and independent, so a simulation may keep the state of any moment.
public struct ObjectStore: Sendable {
  /// Of the last write; a new store starts at 1.
  public private(set) var resourceVersion = 1
  private(set) var definitions: [ResourceDefinition] = []
  private var definitionIndex: [RouteKey: Int] = [:]
  private var collections: [ResourceType: ObjectCollection] = [:]
  private let historyLimit: Int
  var ownership = OwnershipIndex()
  var identities: IdentitySource
  var tokens = BearerTokens()
  var serviceAddresses = ServiceAddresses()

  /// - Parameters:
  ///   - historyLimit: at least so many changes per resource are kept for watchers.
  ///   - seed: of uids and generated names; equal seeds and requests give equal stores.
  public init(resources: [ResourceDefinition], historyLimit: Int = 10_000, seed: UInt64 = 0) {
    self.historyLimit = historyLimit
    identities = IdentitySource(seed: seed)
    for resource in resources { register(resource) }
  }

  /// Adds a resource, or replaces what is known about it; its objects stay.
  public mutating func register(_ definition: ResourceDefinition) {
    let key = RouteKey(definition.type)
    if let index = definitionIndex[key] {
      definitions[index] = definition
    } else {
      definitionIndex[key] = definitions.count
      definitions.append(definition)
    }
    if collections[definition.type] == nil {
      collections[definition.type] = ObjectCollection(historyLimit: historyLimit)
    }
  }

  /// One object; nil when it is absent.
  public func object(_ type: ResourceType, _ key: ObjectKey) -> KubernetesObject? { collections[type]?[key] }

  /// Objects in order of namespace and name.
  public func objects(
    _ type: ResourceType, namespace: String? = nil, labels: LabelSelector = LabelSelector()
  ) -> [KubernetesObject] {
    objects(WatchSelection(type: type, namespace: namespace, labels: labels))
  }

  /// What a watch tells after a resource version; a shell calls it again whenever ``resourceVersion`` has moved.
  public func events(after version: Int, matching selection: WatchSelection) -> WatchBatch {
    guard let history = collections[selection.type]?.history else { return .events([], through: resourceVersion) }
    guard let changes = history.changes(after: version) else {
      return .expired(.expired(version: version, oldest: history.compactedThrough))
    }
    return .events(changes.compactMap { $0.event(for: selection) }, through: resourceVersion)
  }

  /// Forgets all but the latest `count` changes of each resource, as etcd's compaction does: older watches expire.
  public mutating func compact(keeping count: Int = 0) {
    for type in definitions.map(\.type) { collections[type]?.history.compact(keeping: count) }
  }
}

// MARK: - For the parts of the store

extension ObjectStore {
  /// How URLs name a resource.
  private struct RouteKey: Hashable {
    var group: String
    var version: String
    var resource: String
    init(group: String, version: String, resource: String) {
      self.group = group
      self.version = version
      self.resource = resource
    }
    init(_ type: ResourceType) { self.init(group: type.group, version: type.version, resource: type.resource) }
  }

  func definition(group: String, version: String, resource: String) -> ResourceDefinition? {
    definitionIndex[RouteKey(group: group, version: version, resource: resource)].map { definitions[$0] }
  }

  func definition(_ type: ResourceType) -> ResourceDefinition? {
    definition(group: type.group, version: type.version, resource: type.resource)
  }

  func collection(_ type: ResourceType) -> ObjectCollection {
    collections[type] ?? ObjectCollection(historyLimit: historyLimit)
  }

  func objects(_ selection: WatchSelection) -> [KubernetesObject] {
    guard let collection = collections[selection.type] else { return [] }
    if let name = selection.fields.required("metadata.name"), let namespace = selection.namespace {
      let object = collection[ObjectKey(namespace: namespace, name: name)]
      return object.map { selection.matches($0) ? [$0] : [] } ?? []
    }
    return collection.keys(in: selection.namespace).compactMap { key in
      collection[key].flatMap { selection.matches($0) ? $0 : nil }
    }
  }

  /// Stores a new state of an object under the next resource version, and tells watchers.
  mutating func commit(_ object: KubernetesObject, replacing previous: KubernetesObject?, type: ResourceType)
    -> KubernetesObject
  {
    resourceVersion += 1
    var object = object
    object.setResourceVersion(resourceVersion)
    let key = object.key
    collections[type]?.put(object, at: key)
    collections[type]?.history.append(
      .init(
        kind: previous == nil ? .added : .modified, resourceVersion: resourceVersion, object: object,
        previous: previous))
    ownership.record(object, replacing: previous, as: ObjectReference(type: type, key: key))
    return object
  }

  /// Takes an object out under the next resource version; `last` is its last state, which watchers see.
  mutating func remove(_ last: KubernetesObject, type: ResourceType) -> KubernetesObject {
    resourceVersion += 1
    var last = last
    let key = last.key
    let previous = collections[type]?[key]
    last.setResourceVersion(resourceVersion)
    collections[type]?.remove(key)
    collections[type]?.history.append(
      .init(kind: .deleted, resourceVersion: resourceVersion, object: last, previous: previous))
    ownership.forget(previous ?? last, as: ObjectReference(type: type, key: key))
    return last
  }
}
