import KubernetesAPI
import Testing

@testable import ControllerRuntime

private func object(_ key: String, version: Int, labels: [String: String] = [:]) -> KubernetesObject {
  let parts = key.split(separator: "/").map(String.init)
  return KubernetesObject([
    "kind": "Pod", "apiVersion": "v1",
    "metadata": [
      "namespace": .string(parts[0]), "name": .string(parts[1]), "resourceVersion": .string(String(version)),
      "labels": JSONValue(labels),
    ],
  ])
}

extension ObjectIndex {
  /// Takes an update over; returns what changed by it.
  @discardableResult func apply(_ update: IndexUpdate) -> [ObjectChange] {
    var changes: [ObjectChange] = []
    apply(update) { changes.append($0) }
    return changes
  }
}

extension IndexUpdate {
  fileprivate static func replace(_ objects: [KubernetesObject], as form: ObjectForm = .value) -> IndexUpdate {
    .replace(objects.map { StoredObject($0, as: form) })
  }
  fileprivate static func put(_ object: KubernetesObject) -> IndexUpdate { .put(StoredObject(object)) }
  fileprivate static func remove(_ object: KubernetesObject) -> IndexUpdate { .remove(StoredObject(object)) }
}

@Suite struct ObjectIndexTests {
  @Test("a new list ends what is not in it, changes what differs, and says nothing of what is the same")
  func replace() {
    let index = ObjectIndex()
    index.apply(.replace([object("n/a", version: 1), object("n/b", version: 1), object("n/c", version: 1)]))
    let changes = index.apply(
      .replace([object("n/d", version: 4), object("n/b", version: 3), object("n/c", version: 1)]))
    let told = changes.map { "\($0.key) \($0.old == nil ? "-" : "old") \($0.new == nil ? "-" : "new")" }
    #expect(told == ["n/a old -", "n/b old new", "n/d - new"])
    #expect(index.list().map(\.key.description) == ["n/b", "n/c", "n/d"])
    #expect(index.count == 3)
  }

  @Test(
    "objects are found by namespace and labels, with and without an index on the label",
    arguments: [[], ["app"], ["other", "app"]])
  func list(indexed: [String]) {
    let index = ObjectIndex(indexedLabels: indexed)
    index.apply(
      .replace([
        object("n/a", version: 1, labels: ["app": "x"]), object("n/b", version: 1, labels: ["app": "y"]),
        object("m/c", version: 1, labels: ["app": "x", "pool": "burst"]), object("m/d", version: 1),
      ]))
    func keys(_ namespace: String?, _ labels: [String: String]) -> [String] {
      index.list(namespace: namespace, labels: labels).map(\.key.description)
    }
    #expect(keys(nil, ["app": "x"]) == ["m/c", "n/a"])
    #expect(keys("n", ["app": "x"]) == ["n/a"])
    #expect(keys(nil, ["app": "x", "pool": "burst"]) == ["m/c"])
    #expect(keys(nil, ["pool": "burst"]) == ["m/c"])
    #expect(keys("m", [:]) == ["m/c", "m/d"])
    #expect(keys("gone", [:]).isEmpty)
    // A label that changes, and an object that goes, leave the index.
    index.apply(.put(object("n/a", version: 2, labels: ["app": "y"])))
    index.apply(.remove(object("m/c", version: 3)))
    #expect(keys(nil, ["app": "x"]).isEmpty)
    #expect(keys(nil, ["app": "y"]) == ["n/a", "n/b"])
    #expect(index.list(selector: LabelSelector(matchLabels: ["app": "y"])).count == 2)
    #expect(index[ObjectKey(namespace: "m", name: "c")] == nil)
  }

  @Test("the end of an object nobody knew is no news; a known one ends with its last state")
  func remove() {
    let index = ObjectIndex()
    #expect(index.apply(.remove(object("n/a", version: 1))).isEmpty)
    index.apply(.put(object("n/a", version: 1)))
    let changes = index.apply(.remove(object("n/a", version: 9)))
    #expect(changes.map { $0.old?.metadata.resourceVersion } == ["9"])
    #expect(changes.first?.new == nil)
  }

  @Test("objects that are kept as text read like values, the newest state of each, however often")
  func text() {
    let index = ObjectIndex(indexedLabels: ["app"])
    let first = (0..<1500).map { object("n/o\($0)", version: 1, labels: ["app": "x"]) }
    index.apply(.replace(first, as: .text))
    #expect(index.list(labels: ["app": "x"]) == first.sorted { $0.key < $1.key })
    for object in first { #expect(index[object.key] == object) }
    let changed = object("n/o7", version: 2, labels: ["app": "y"])
    #expect(index[changed.key]?.metadata.resourceVersion == "1")
    let told = index.apply(.put(StoredObject(changed, as: .text)))
    #expect(told.map(\.new) == [changed])
    #expect(told.map { $0.old?.metadata.resourceVersion } == ["1"])
    #expect(index[changed.key] == changed)
    #expect(index.list(labels: ["app": "y"]) == [changed])
    index.apply(.remove(changed))
    #expect(index[changed.key] == nil)
    #expect(index.keys.count == 1499)
  }
}

@Suite struct RecentCacheTests {
  @Test("the last half of the capacity in use is remembered, never more than the capacity is kept")
  func remembers() {
    var cache = RecentCache<Int, String>(capacity: 8)
    for key in 0..<100 {
      cache.set(key, "\(key)")
      #expect(cache.count <= 8)
      for recent in max(0, key - 3)...key { #expect(cache.value(recent) == "\(recent)") }
    }
    #expect(cache.value(10) == nil)
    cache.remove(99)
    #expect(cache.value(99) == nil)
  }

  @Test("what is used again and again stays while others come and go")
  func keepsWhatIsUsed() {
    var cache = RecentCache<String, Int>(capacity: 4)
    cache.set("hot", 1)
    for key in 0..<50 {
      cache.set("\(key)", key)
      #expect(cache.value("hot") == 1)
    }
  }
}
