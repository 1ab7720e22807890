import KubernetesAPI

/// The latest changes of one resource, oldest first; older ones are compacted away.
struct ChangeHistory: Sendable {
  struct Change: Sendable {
    var kind: WatchEvent.Kind
    var resourceVersion: Int
    /// As of the change; of a deletion the last state, with the resource version of the deletion.
    var object: KubernetesObject
    var previous: KubernetesObject?
  }

  private let limit: Int
  private(set) var changes: [Change] = []
  /// Changes up to this resource version may be missing.
  private(set) var compactedThrough = 0

  init(limit: Int) { self.limit = max(1, limit) }

  mutating func append(_ change: Change) {
    changes.append(change)
    // Trimmed in halves, so that an append costs the same however long the history is.
    if changes.count >= limit * 2 { compact(keeping: limit) }
  }

  mutating func compact(keeping count: Int) {
    guard changes.count > count else { return }
    let dropped = changes.count - count
    compactedThrough = changes[dropped - 1].resourceVersion
    changes.removeFirst(dropped)
  }

  /// Changes after a resource version; nil when some of them are compacted.
  func changes(after resourceVersion: Int) -> ArraySlice<Change>? {
    if resourceVersion < compactedThrough { return nil }
    var low = 0
    var high = changes.count
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].resourceVersion <= resourceVersion { low = middle + 1 } else { high = middle }
    }
    return changes[low...]
  }
}

extension ChangeHistory.Change {
  /// The change as a watcher of `selection` sees it: an object that leaves the selection is deleted for it.
  func event(for selection: WatchSelection) -> WatchEvent? {
    let isIn = kind != .deleted && selection.matches(object)
    let wasIn = previous.map(selection.matches) ?? false
    switch (wasIn, isIn) {
    case (false, false): return nil
    case (false, true): return WatchEvent(.added, object)
    case (true, true): return WatchEvent(.modified, object)
    case (true, false):
      guard kind != .deleted, var last = previous else { return WatchEvent(.deleted, object) }
      last.setResourceVersion(resourceVersion)
      return WatchEvent(.deleted, last)
    }
  }
}

extension KubernetesObject {
  mutating func setResourceVersion(_ version: Int) {
    json[path: ["metadata", "resourceVersion"]] = .string(String(version))
  }
}
