import FoundationEssentials
import KubernetesAPI
import Testing

@testable import InferenceAPI

struct CustomResourceDefinitionTests {
  @Test("The manifest in the repository is what the code prints, and fits an annotation of kubectl apply")
  func matchesManifest() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = try Data(contentsOf: root.appending(path: "Manifests/crd/inferenceservices.yaml"))
    #expect(
      Array(file) == Array(InferenceService.customResourceDefinitionManifest.utf8),
      "to update it: pilotlight crd > Manifests/crd/inferenceservices.yaml")
    #expect(file.count < 100_000)
    #expect(InferenceService.customResourceDefinition.bytes.count < 100_000)
  }

  @Test("Blocks with a default spell out the defaults of their members, which the API server needs")
  func spellsOutDefaults() {
    func check(_ node: SchemaNode, _ path: String) {
      if let value = node.defaultValue { #expect(node.defaulted(value) == value, "\(path)") }
      for (name, property) in node.properties { check(property, "\(path).\(name)") }
      if let items = node.items { check(items.node, path + "[]") }
    }
    check(InferenceService.schema, "")
  }

  @Test("Every string, list and map of the spec is bounded, without which CEL rules cost too much")
  func boundsEverything() {
    func check(_ node: SchemaNode, _ path: String) {
      switch node.kind {
      case .string: #expect(node.maxLength != nil || !node.allowedValues.isEmpty, "\(path)")
      case .array: #expect(node.maxItems != nil, "\(path)")
      case .object where node.additionalProperties != nil: #expect(node.maxProperties != nil, "\(path)")
      default: break
      }
      for (name, property) in node.properties { check(property, "\(path).\(name)") }
      if let items = node.items { check(items.node, path + "[]") }
      if let values = node.additionalProperties { check(values.node, path + "{}") }
    }
    if let spec = InferenceService.schema[property: "spec"] { check(spec, "spec") }
  }

  @Test(
    "YAML quotes what another reader could take for something else",
    arguments: [
      ("a", "k: a\n"), ("True", "k: 'True'\n"), ("it's", "k: it's\n"), ("'", "k: ''''\n"), ("a: b", "k: 'a: b'\n"),
      ("a #b", "k: 'a #b'\n"), ("", "k: ''\n"), ("10m", "k: '10m'\n"), ("a\nb", "k: \"a\\nb\"\n"), ("!x", "k: '!x'\n"),
    ])
  func quotesText(_ text: String, _ yaml: String) {
    #expect(BlockYAML.text(["k": .string(text)]) == yaml)
  }

  @Test("YAML nests lists and maps by two spaces")
  func nests() {
    let value: JSONValue = ["a": [["b": 1, "c": [true]], [[1, 2]], [:]], "d": ["e": [], "f": .null]]
    #expect(
      BlockYAML.text(value) == """
        a:
        - b: 1
          c:
          - true
        - - - 1
            - 2
        - {}
        d:
          e: []
          f: null

        """)
  }
}
