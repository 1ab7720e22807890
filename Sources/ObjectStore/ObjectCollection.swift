import KubernetesAPI

/// All objects of one resource, found by key and walked in order, with what happened to them.
struct ObjectCollection: Sendable {
  private(set) var objects: [ObjectKey: KubernetesObject] = [:]
  /// By namespace, then name: the order of lists.
  private(set) var keys: [ObjectKey] = []
  var history: ChangeHistory

  init(historyLimit: Int) { history = ChangeHistory(limit: historyLimit) }

  subscript(key: ObjectKey) -> KubernetesObject? { objects[key] }

  mutating func put(_ object: KubernetesObject, at key: ObjectKey) {
    if objects.updateValue(object, forKey: key) == nil { keys.insert(key, at: keys.firstIndex(from: key)) }
  }

  mutating func remove(_ key: ObjectKey) {
    guard objects.removeValue(forKey: key) != nil else { return }
    keys.remove(at: keys.firstIndex(from: key))
  }

  /// Keys of one namespace, or of all, in order, those after `start` when given.
  func keys(in namespace: String?, after start: ObjectKey? = nil) -> ArraySlice<ObjectKey> {
    var lower = 0
    var upper = keys.count
    if let namespace {
      lower = keys.firstIndex(from: ObjectKey(namespace: namespace, name: ""))
      // No namespace sorts between one and itself followed by NUL.
      upper = keys.firstIndex(from: ObjectKey(namespace: namespace + "\0", name: ""))
    }
    if let start {
      let next = keys.firstIndex(from: start)
      lower = max(lower, next < keys.count && keys[next] == start ? next + 1 : next)
    }
    return lower < upper ? keys[lower..<upper] : []
  }
}

extension [ObjectKey] {
  /// Index of the first key that is not less than `key`: binary search.
  fileprivate func firstIndex(from key: ObjectKey) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
