import KubernetesAPI
import Synchronization

/// What is known of the objects of one type, readable from any thread. Only its informer writes to it.
public final class ObjectIndex: Sendable {
  private struct State {
    /// By namespace and name.
    var objects: [String: [String: StoredObject]] = [:]
    /// By label and value, for the labels that are indexed.
    var keysByLabel: [String: [String: Set<ObjectKey>]] = [:]
    var count = 0
    /// Of objects kept as text: those that were read of late, as values.
    var parsed = RecentCache<ObjectKey, KubernetesObject>(capacity: parsedCapacity)
  }

  private static let parsedCapacity = 512

  private let indexedLabels: [String]
  private let state = Mutex(State())

  /// - Parameter indexedLabels: labels whose values are looked up often: listing by them costs what is found, not what is
  ///   there.
  public init(indexedLabels: [String] = []) { self.indexedLabels = indexedLabels }

  public var count: Int { state.withLock { $0.count } }

  /// All keys, sorted.
  public var keys: [ObjectKey] {
    state.withLock { state in state.objects.values.flatMap { $0.values.map(\.key) } }.sorted()
  }

  /// The object with that key.
  public subscript(key: ObjectKey) -> KubernetesObject? {
    let (known, stored) = state.withLock { state -> (KubernetesObject?, StoredObject?) in
      guard let stored = state.objects[key.namespace]?[key.name] else { return (nil, nil) }
      return (stored.form == .text ? state.parsed.value(key) : nil, stored)
    }
    guard known == nil, let stored else { return known }
    // Parsed outside of the lock.
    let object = stored.object
    if stored.form == .text {
      state.withLock { state in
        if state.objects[key.namespace]?[key.name]?.resourceVersion == stored.resourceVersion {
          state.parsed.set(key, object)
        }
      }
    }
    return object
  }

  /// Sorted by key.
  /// - Parameters:
  ///   - namespace: nil: all.
  ///   - labels: what the objects' labels must be.
  public func list(namespace: String? = nil, labels: [String: String] = [:]) -> [KubernetesObject] {
    let candidates: [StoredObject] = state.withLock { state in
      if let label = indexedLabels.first(where: { labels[$0] != nil }), let value = labels[label] {
        return (state.keysByLabel[label]?[value] ?? [])
          .filter { namespace == nil || $0.namespace == namespace }
          .compactMap { state.objects[$0.namespace]?[$0.name] }
      }
      if let namespace { return state.objects[namespace].map { Array($0.values) } ?? [] }
      return state.objects.values.flatMap(\.values)
    }
    return
      candidates.sorted { $0.key < $1.key }.map(\.object)
      .filter { object in
        labels.allSatisfy { object.json[path: ["metadata", "labels", $0.key]]?.stringValue == $0.value }
      }
  }

  /// Sorted by key.
  public func list(namespace: String? = nil, selector: LabelSelector) -> [KubernetesObject] {
    list(namespace: namespace).filter { selector.matches($0.metadata.labels) }
  }

  /// Takes an update over at once, and tells what changed by it, one by one: ends first, then in order of keys. An object that
  /// is the same as before (by resource version) is no change.
  public func apply(_ update: IndexUpdate, tell: (ObjectChange) -> Void) {
    let changes = state.withLock { state -> [(key: ObjectKey, old: StoredObject?, new: StoredObject?)] in
      switch update {
      case .put(let object): return put(object, in: &state).map { [$0] } ?? []
      case .remove(let object): return remove(object.key, last: object, in: &state).map { [$0] } ?? []
      case .replace(let objects):
        let listed = Dictionary(objects.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        let gone = state.objects.values.flatMap { $0.values.map(\.key) }.filter { listed[$0] == nil }.sorted()
        let ends = gone.compactMap { remove($0, last: nil, in: &state) }
        return ends + listed.keys.sorted().compactMap { key in listed[key].flatMap { put($0, in: &state) } }
      }
    }
    for (key, old, new) in changes { tell(ObjectChange(key: key, old: old, new: new)) }
  }

  private func put(
    _ object: StoredObject, in state: inout State
  ) -> (key: ObjectKey, old: StoredObject?, new: StoredObject?)? {
    let key = object.key
    let old = state.objects[key.namespace, default: [:]].updateValue(object, forKey: key.name)
    if let old, !old.resourceVersion.isEmpty, old.resourceVersion == object.resourceVersion { return nil }
    state.parsed.remove(key)
    if let old { unindex(old, in: &state) } else { state.count += 1 }
    for (label, value) in indexed(object) { state.keysByLabel[label, default: [:]][value, default: []].insert(key) }
    return (key, old, object)
  }

  private func remove(
    _ key: ObjectKey, last: StoredObject?, in state: inout State
  ) -> (key: ObjectKey, old: StoredObject?, new: StoredObject?)? {
    guard let old = state.objects[key.namespace]?.removeValue(forKey: key.name) else { return nil }
    if state.objects[key.namespace]?.isEmpty == true { state.objects[key.namespace] = nil }
    state.count -= 1
    state.parsed.remove(key)
    unindex(old, in: &state)
    return (key, last ?? old, nil)
  }

  private func unindex(_ object: StoredObject, in state: inout State) {
    for (label, value) in indexed(object) {
      state.keysByLabel[label]?[value]?.remove(object.key)
      if state.keysByLabel[label]?[value]?.isEmpty == true { state.keysByLabel[label]?[value] = nil }
    }
  }

  private func indexed(_ stored: StoredObject) -> [(String, String)] {
    guard !indexedLabels.isEmpty else { return [] }
    let object = stored.object
    return indexedLabels.compactMap { label in
      object.json[path: ["metadata", "labels", label]]?.stringValue.map { (label, $0) }
    }
  }
}
