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

@Suite struct ObjectIndexTests {
  @Test("a new list ends what is not in it, changes what differs, and says nothing of what is the same")
  func replace() {
    let index = ObjectIndex()
    _ = index.apply(.replace([object("n/a", version: 1), object("n/b", version: 1), object("n/c", version: 1)]))
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
    _ = index.apply(
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
    _ = index.apply(.put(object("n/a", version: 2, labels: ["app": "y"])))
    _ = index.apply(.remove(object("m/c", version: 3)))
    #expect(keys(nil, ["app": "x"]).isEmpty)
    #expect(keys(nil, ["app": "y"]) == ["n/a", "n/b"])
    #expect(index.list(selector: LabelSelector(matchLabels: ["app": "y"])).count == 2)
    #expect(index[ObjectKey(namespace: "m", name: "c")] == nil)
  }

  @Test("the end of an object nobody knew is no news; a known one ends with its last state")
  func remove() {
    let index = ObjectIndex()
    #expect(index.apply(.remove(object("n/a", version: 1))).isEmpty)
    _ = index.apply(.put(object("n/a", version: 1)))
    let changes = index.apply(.remove(object("n/a", version: 9)))
    #expect(changes.map { $0.old?.metadata.resourceVersion } == ["9"])
    #expect(changes.first?.new == nil)
  }
}
