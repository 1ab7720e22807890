import KubernetesAPI

extension InferenceService {
  /// `docs/resource.md`: every field of the resource, as the schema has it, with examples.
  public static let referenceManual: String = {
    var page = MarkdownPage()
    page.add("<!-- Printed by `pilotlight crd --markdown`. The source is Sources/InferenceAPI. -->")
    page.add("# InferenceService")
    page.add(ReferenceText.introduction)
    page.add(yaml: ReferenceText.completeExample)
    page.add(ReferenceText.howToRead)
    for section in ReferenceSection.spec { page.add(section) }
    page.add("## status")
    page.add(ReferenceText.status)
    page.addTable(of: node(at: ["status"]), path: "status")
    page.add("### Conditions")
    page.add(ReferenceText.conditions)
    for type in ConditionReference.types { page.add(type) }
    page.add("## kubectl get")
    page.addColumns(printerColumns)
    page.add(
      "Short name: \(list(shortNames)); categories: \(list(categories)). A field selector may name \(list(selectableFields.map { String($0.dropFirst()) })): `kubectl get infsvc --field-selector=spec.suspend=true`."
    )
    page.add("## kubectl scale")
    page.add(ReferenceText.scale)
    page.addTable(
      ["Scale", "Field"],
      [
        ["`spec.replicas`", "`\(scalePaths.specReplicas.dropFirst())`"],
        ["`status.replicas`", "`\(scalePaths.statusReplicas.dropFirst())`"],
        ["`status.selector`", "`\(scalePaths.labelSelector.dropFirst())`"],
      ])
    return page.text
  }()

  /// The node of a member of members.
  static func node(at path: [String]) -> SchemaNode {
    path.reduce(schema) { node, name in node[property: name] ?? node }
  }

  private static func list(_ words: [String]) -> String { words.map { "`\($0)`" }.joined(separator: ", ") }
}

/// Markdown as it grows, block by block.
private struct MarkdownPage {
  private var blocks: [String] = []

  var text: String { blocks.joined(separator: "\n\n") + "\n" }

  mutating func add(_ block: String) { blocks.append(block) }

  mutating func add(yaml: String) { add("```yaml\n\(yaml)\n```") }

  mutating func addTable(_ head: [String], _ rows: [[String]]) {
    let line = { (cells: [String]) in
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    add(([line(head), line(head.map { _ in "---" })] + rows.map(line)).joined(separator: "\n"))
  }

  mutating func add(_ section: ReferenceSection) {
    add("## \(section.title)")
    add(section.text)
    add(yaml: section.example)
    let node = InferenceService.node(at: section.path)
    if section.path == ["spec"] {
      addTable(ofFields: ReferenceField.plain(below: node, at: "spec"))
      addRules(node.rules.map { (path: "spec" + ($0.fieldPath ?? ""), message: $0.message) })
    } else {
      addTable(of: node, path: section.path.joined(separator: "."))
    }
  }

  /// Every field below a node, and the rules about how they fit together.
  mutating func addTable(of node: SchemaNode, path: String) {
    if let refusal = UnsupportedFields.refusal(of: path) { add("**\(refusal)**") }
    let (block, path) = node.items.map { ($0.node, path + "[]") } ?? (node, path)
    addTable(ofFields: ReferenceField.all(below: block, at: path))
    addRules(ReferenceField.rules(within: block, at: path))
  }

  private mutating func addRules(_ rules: [(path: String, message: String)]) {
    guard !rules.isEmpty else { return }
    add("How they fit together:")
    add(rules.map { "- `\($0.path)`: \($0.message)" }.joined(separator: "\n"))
  }

  private mutating func addTable(ofFields fields: [ReferenceField]) {
    addTable(
      ["Field", "Type", "Default", "Allowed", "Meaning"],
      fields.map { ["`\($0.path)`", $0.type, $0.standard, $0.allowed, $0.meaning] })
  }

  mutating func add(_ type: ConditionReference) {
    add("**\(type.name)**: \(type.meaning)")
    addTable(["Status", "Reason", "When"], type.reasons.map { [$0.status, "`\($0.reason)`", $0.meaning] })
  }

  mutating func addColumns(_ columns: [PrinterColumn]) {
    addTable(
      ["Column", "Field", "Shown"],
      columns.map {
        [$0.name.uppercased(), "`\($0.jsonPath.dropFirst())`", $0.priority > 0 ? "with `-o wide`" : "always"]
      })
  }
}
