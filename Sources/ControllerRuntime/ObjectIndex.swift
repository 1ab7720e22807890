import KubernetesAPI
import Synchronization

/// What is known of the objects of one type, readable from any thread. Only its informer writes to it.
public final class ObjectIndex: Sendable {
  private struct State {
    /// By namespace and name.
    var objects: [String: [String: KubernetesObject]] = [:]
    /// By label and value, for the labels that are indexed.
    var keysByLabel: [String: [String: Set<ObjectKey>]] = [:]
    var count = 0
  }

  private let indexedLabels: [String]
  private let state = Mutex(State())

  /// - Parameter indexedLabels: labels whose values are looked up often: listing by them costs what is found, not what is
  ///   there.
  public init(indexedLabels: [String] = []) { self.indexedLabels = indexedLabels }

  public var count: Int { state.withLock { $0.count } }

  /// The object with that key.
  public subscript(key: ObjectKey) -> KubernetesObject? { state.withLock { $0.objects[key.namespace]?[key.name] } }

  /// Sorted by key.
  /// - Parameters:
  ///   - namespace: nil: all.
  ///   - labels: what the objects' labels must be.
  public func list(namespace: String? = nil, labels: [String: String] = [:]) -> [KubernetesObject] {
    let candidates: [KubernetesObject] = state.withLock { state in
      if let label = indexedLabels.first(where: { labels[$0] != nil }), let value = labels[label] {
        return (state.keysByLabel[label]?[value] ?? [])
          .filter { namespace == nil || $0.namespace == namespace }
          .compactMap { state.objects[$0.namespace]?[$0.name] }
      }
      if let namespace { return state.objects[namespace].map { Array($0.values) } ?? [] }
      return state.objects.values.flatMap(\.values)
    }
    return
      candidates
      .filter { object in
        labels.allSatisfy { object.json[path: ["metadata", "labels", $0.key]]?.stringValue == $0.value }
      }
      .map { (key: $0.key, object: $0) }.sorted { $0.key < $1.key }.map(\.object)
  }

  /// Sorted by key.
  public func list(namespace: String? = nil, selector: LabelSelector) -> [KubernetesObject] {
    list(namespace: namespace).filter { selector.matches($0.metadata.labels) }
  }

  /// Takes an update over at once, and tells what changed by it: ends first, then in order of keys. An object that is the
  /// same as before (by resource version) is no change.
  public func apply(_ update: IndexUpdate) -> [ObjectChange] {
    state.withLock { state in
      switch update {
      case .put(let object): return put(object, in: &state).map { [$0] } ?? []
      case .remove(let object): return remove(object.key, last: object, in: &state).map { [$0] } ?? []
      case .replace(let objects):
        let listed = Dictionary(objects.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        let gone = state.objects.values.flatMap { $0.values.map(\.key) }.filter { listed[$0] == nil }.sorted()
        let ends = gone.compactMap { remove($0, last: nil, in: &state) }
        let changes = listed.keys.sorted().compactMap { key in listed[key].flatMap { put($0, in: &state) } }
        return ends + changes
      }
    }
  }

  private func put(_ object: KubernetesObject, in state: inout State) -> ObjectChange? {
    let key = object.key
    let old = state.objects[key.namespace, default: [:]].updateValue(object, forKey: key.name)
    if let old, !old.metadata.resourceVersion.isEmpty,
      old.metadata.resourceVersion == object.metadata.resourceVersion
    {
      return nil
    }
    if let old { unindex(old, key, in: &state) } else { state.count += 1 }
    for (label, value) in indexed(object) { state.keysByLabel[label, default: [:]][value, default: []].insert(key) }
    return ObjectChange(key: key, old: old, new: object)
  }

  private func remove(_ key: ObjectKey, last: KubernetesObject?, in state: inout State) -> ObjectChange? {
    guard let old = state.objects[key.namespace]?.removeValue(forKey: key.name) else { return nil }
    if state.objects[key.namespace]?.isEmpty == true { state.objects[key.namespace] = nil }
    state.count -= 1
    unindex(old, key, in: &state)
    return ObjectChange(key: key, old: last ?? old, new: nil)
  }

  private func unindex(_ object: KubernetesObject, _ key: ObjectKey, in state: inout State) {
    for (label, value) in indexed(object) {
      state.keysByLabel[label]?[value]?.remove(key)
      if state.keysByLabel[label]?[value]?.isEmpty == true { state.keysByLabel[label]?[value] = nil }
    }
  }

  private func indexed(_ object: KubernetesObject) -> [(String, String)] {
    indexedLabels.compactMap { label in
      object.json[path: ["metadata", "labels", label]]?.stringValue.map { (label, $0) }
    }
  }
}
