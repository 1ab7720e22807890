import KubernetesAPI
import Testing

@testable import InferenceAPI

struct SchemaDefaultTests {
  private func defaulted(_ spec: JSONValue) -> JSONValue {
    InferenceService.schema.defaulted(Sample.object(spec))["spec"] ?? .null
  }

  private static let burst: JSONValue = ["maxReplicas": 1, "spareReplicas": 0, "sleepAfter": "10m"]

  @Test(
    "A missing, null or empty block gets its defaults",
    arguments: [[:], ["burst": .null], ["burst": [:]]] as [JSONValue])
  func fillsBlocks(_ spec: JSONValue) {
    #expect(defaulted(spec)["burst"] == Self.burst)
    #expect(defaulted(spec)["dedicated"] == ["replicas": 0])
    #expect(defaulted(spec)["routing"] == nil)
    #expect(defaulted(spec)["suspend"] == false)
  }

  @Test("Defaults are filled in beside what is given, in lists too")
  func fillsMembers() {
    let spec = defaulted([
      "burst": ["maxReplicas": 3, "sleepAfter": .null], "routing": ["rules": [["name": "r"]]],
      "overflow": [["name": "o", "provider": "HTTP", "url": "https://x", "model": .null]],
    ])
    #expect(spec["burst"] == ["maxReplicas": 3, "spareReplicas": 0, "sleepAfter": "10m"])
    #expect(spec["routing"]?["order"] == ["Dedicated", "Burst", "Overflow"])
    #expect(spec["routing"]?["rules"]?[0]?["urgency"] == 3)
    #expect(spec["overflow"]?[0]?["when"] == ["Waking", "Saturated", "Unavailable"])
    #expect(spec["overflow"]?[0]?["model"] == nil)
  }

  @Test("Every default of the schema is good by the schema")
  func defaultsAreValid() {
    #expect(Sample.complaints(Sample.object()).isEmpty)
  }

  @Test("Pruning keeps the template and drops what is unknown")
  func prunes() {
    let pruned = InferenceService.schema.pruned(
      Sample.object(["template": ["spec": ["containers": [["name": "a", "stdin": true]]], "x": 1], "y": 2]))
    #expect(pruned["spec"] == ["template": ["spec": ["containers": [["name": "a", "stdin": true]]]]])
  }
}
