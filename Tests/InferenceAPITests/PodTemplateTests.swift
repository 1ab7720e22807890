import KubernetesAPI
import Testing

@testable import InferenceAPI

struct PodTemplateTests {
  private static let template: JSONValue = [
    "metadata": ["labels": ["app": "x", "tier": "a"]],
    "spec": [
      "nodeSelector": ["disk": "ssd"], "tolerations": [["key": "gpu", "operator": "Exists"]],
      "priorityClassName": "high", "volumes": [["name": "v"]],
      "containers": [
        [
          "name": "server", "image": "x:1", "args": ["--a"], "stdin": true,
          "env": [["name": "A", "value": "1"], ["name": "B", "value": "$(A)"]],
          "resources": ["limits": ["nvidia.com/gpu": 1], "requests": ["cpu": 4]],
        ], ["name": "sidecar", "image": "s:1"],
      ],
    ],
  ]

  @Test("Nothing to override leaves the template as it is", arguments: [nil, [:]] as [JSONValue?])
  func leavesTemplate(_ overrides: JSONValue?) {
    #expect(PodTemplate.merged(Self.template, overrides) == Self.template)
  }

  @Test(
    "Maps and env merge, tolerations are added, the rest replaces",
    arguments: [
      (["labels": ["tier": "b", "z": "1"]], ["metadata", "labels"], ["app": "x", "tier": "b", "z": "1"]),
      (["annotations": ["n": "1"]], ["metadata", "annotations"], ["n": "1"]),
      (["nodeSelector": ["pool": "cpu"]], ["spec", "nodeSelector"], ["disk": "ssd", "pool": "cpu"]),
      (
        ["tolerations": [["key": "spot"], ["key": "gpu", "operator": "Exists"]]], ["spec", "tolerations"],
        [["key": "gpu", "operator": "Exists"], ["key": "spot"]]
      ),
      (["priorityClassName": "low"], ["spec", "priorityClassName"], "low"),
      (["runtimeClassName": "nvidia"], ["spec", "runtimeClassName"], "nvidia"),
      (["affinity": ["nodeAffinity": [:]]], ["spec", "affinity"], ["nodeAffinity": [:]]),
      (["topologySpreadConstraints": [["maxSkew": 1]]], ["spec", "topologySpreadConstraints"], [["maxSkew": 1]]),
      (["image": "y"], ["spec", "volumes"], [["name": "v"]]),
    ] as [(JSONValue, [String], JSONValue)])
  func mergesPod(_ overrides: JSONValue, _ path: [String], _ expected: JSONValue) {
    #expect(PodTemplate.merged(Self.template, overrides)[path: path] == expected)
  }

  @Test(
    "The first container serves: it alone is changed",
    arguments: [
      (["image": "y:2"], "image", "y:2"), (["command": ["run"]], "command", ["run"]), (["args": []], "args", []),
      (["resources": ["limits": ["cpu": 8]]], "resources", ["limits": ["cpu": 8]]),
      (
        ["env": [["name": "C", "value": "3"], ["name": "A", "value": "2"]]], "env",
        [["name": "A", "value": "2"], ["name": "B", "value": "$(A)"], ["name": "C", "value": "3"]]
      ),
      (["labels": ["a": "b"]], "stdin", true),
    ] as [(JSONValue, String, JSONValue)])
  func mergesContainer(_ overrides: JSONValue, _ member: String, _ expected: JSONValue) {
    let containers = PodTemplate.merged(Self.template, overrides)[path: ["spec", "containers"]]
    #expect(containers?[0]?[member] == expected)
    #expect(containers?[1] == ["name": "sidecar", "image": "s:1"])
  }
}
