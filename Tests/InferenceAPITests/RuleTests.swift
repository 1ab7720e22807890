import KubernetesAPI
import Testing

@testable import InferenceAPI

struct RuleTests {
  @Test("Each rule takes its good values and refuses its bad ones, in Swift")
  func judgesItsCases() {
    for ruleCase in InferenceService.ruleCases where ruleCase.holds != ruleCase.expected {
      Issue.record("\(ruleCase.path): \(ruleCase.cel) of \(ruleCase.value.text) is \(ruleCase.holds)")
    }
  }

  @Test("Each rule of the schema is tried with a good and a bad value")
  func coversEveryRule() {
    var tried: [String: Set<Bool>] = [:]
    for ruleCase in InferenceService.ruleCases {
      tried["\(ruleCase.path) \(ruleCase.cel)", default: []].insert(ruleCase.expected)
    }
    let rules = Self.rules(of: InferenceService.schema, at: "")
    #expect(rules.count > 60)
    for rule in rules { #expect(tried[rule] == [true, false], "\(rule)") }
  }

  private static func rules(of node: SchemaNode, at path: String) -> [String] {
    var found = node.rules.map { "\(path) \($0.cel)" }
    for (name, property) in node.properties {
      found += rules(of: property, at: path.isEmpty ? name : "\(path).\(name)")
    }
    if let items = node.items { found += rules(of: items.node, at: path + "[]") }
    if let values = node.additionalProperties { found += rules(of: values.node, at: path + "{}") }
    return found
  }
}
