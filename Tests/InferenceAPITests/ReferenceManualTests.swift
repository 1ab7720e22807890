import FoundationEssentials
import KubernetesAPI
import Testing

@testable import InferenceAPI

struct ReferenceManualTests {
  @Test("docs/resource.md is what the code prints")
  func matchesDocument() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = try Data(contentsOf: root.appending(path: "docs/resource.md"))
    let isSame = Array(file) == Array(InferenceService.referenceManual.utf8)
    #expect(isSame, "to update it: pilotlight crd --markdown > docs/resource.md")
  }

  /// Paths of all fields below a node, as the manual writes them.
  private static func paths(_ node: SchemaNode, _ path: String) -> [(path: String, node: SchemaNode)] {
    node.properties.flatMap { name, member in
      [("\(path).\(name)", member)] + paths(member, "\(path).\(name)")
        + (member.items.map { paths($0.node, "\(path).\(name)[]") } ?? [])
    }
  }

  @Test("Every field has a description, for the manual and for kubectl explain", arguments: ["spec", "status"])
  func describesEverything(block: String) throws {
    let fields = Self.paths(try #require(InferenceService.schema[property: block]), block)
    #expect(fields.count > 40)
    for (path, node) in fields {
      #expect(
        node.description?.hasSuffix(".") ?? false || node.description?.contains("kubectl explain") ?? false, "\(path)")
    }
  }

  @Test("Every field has its row, but for the overrides of one pool, which are those of the other")
  func hasEveryField() {
    let manual = InferenceService.referenceManual
    for block in ["spec", "status"] {
      guard let node = InferenceService.schema[property: block] else { continue }
      for (path, _) in Self.paths(node, block) where !path.hasPrefix("spec.dedicated.overrides.") {
        let isBlock = node.properties.contains {
          "spec.\($0.name)" == path && !$0.node.properties.isEmpty || path == "spec.overflow"
        }
        let isThere = manual.contains(isBlock ? "## \(path)\n" : "\n| `\(path)` |")
        #expect(isThere, "\(path)")
      }
    }
  }

  @Test("Every rule is told with its message")
  func tellsEveryRule() {
    let manual = InferenceService.referenceManual.replacing("\\|", with: "|")
    for rule in Set(InferenceService.ruleCases.filter { $0.path != "" }.map(\.cel)) {
      let message = CheckedRule.all.first { $0.rule.cel == rule }.map { ReferenceField.words(of: $0.rule) } ?? rule
      let isTold = manual.contains(message)
      #expect(isTold, "\(message)")
    }
  }

  @Test("What this version refuses is marked where the field stands")
  func marksRefusals() {
    let refused = [
      "spec.scaling.mode":
        "`Predictive without burst.sleepAfter: Auto` is not acted on by this version; set sleepAfter to Auto, or use Reactive."
    ]
    for (path, words) in refused where UnsupportedFields.refusal(of: path) != nil {
      #expect(UnsupportedFields.refusal(of: path) == words)
      let row = InferenceService.referenceManual.split(separator: "\n").first { $0.hasPrefix("| `\(path)` |") }
      #expect(row?.contains(words) ?? false, "\(path)")
    }
    #expect(UnsupportedFields.refusal(of: "spec.burst.maxReplicas") == nil)
  }
}
