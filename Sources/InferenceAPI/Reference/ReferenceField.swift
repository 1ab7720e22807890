import KubernetesAPI

/// One field as the reference manual tells it.
struct ReferenceField {
  /// `spec.dedicated.schedules[].start`
  var path: String
  var type: String
  /// Its default, or that it must be given.
  var standard: String
  var allowed: String
  var meaning: String

  private init(_ name: String, _ node: SchemaNode, below parent: SchemaNode, at path: String) {
    self.path = path
    type = Self.type(of: node)
    standard = parent.required.contains(name) ? "required" : Self.standard(of: node)
    allowed = Self.allowed(node).joined(separator: "; ")
    meaning = [node.description ?? "", UnsupportedFields.refusal(of: path).map { "**\($0)**" } ?? ""]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Every field below a node, parents before their members. Overrides have a section of their own.
  static func all(below node: SchemaNode, at path: String) -> [ReferenceField] {
    node.properties.flatMap { name, member -> [ReferenceField] in
      let own = "\(path).\(name)"
      let field = ReferenceField(name, member, below: node, at: own)
      if name == "overrides" { return [field] }
      return [field] + all(below: member, at: own) + (member.items.map { all(below: $0.node, at: own + "[]") } ?? [])
    }
  }

  /// The members of a node that are no blocks.
  static func plain(below node: SchemaNode, at path: String) -> [ReferenceField] {
    node.properties.filter { $0.node.properties.isEmpty && $0.node.items == nil }.map { name, member in
      ReferenceField(name, member, below: node, at: "\(path).\(name)")
    }
  }

  /// Rules of the blocks at and below a node: how fields fit together. Those of one value are told with the value.
  static func rules(within node: SchemaNode, at path: String) -> [(path: String, message: String)] {
    var found: [(path: String, message: String)] = []
    if !node.properties.isEmpty {
      found += node.rules.map { (path: path + ($0.fieldPath ?? ""), message: $0.message) }
    }
    for (name, member) in node.properties where name != "overrides" {
      let own = "\(path).\(name)"
      found += rules(within: member, at: own)
      if let items = member.items { found += rules(within: items.node, at: own + "[]") }
    }
    return found
  }

  // MARK: - Columns

  private static func type(of node: SchemaNode) -> String {
    if let items = node.items { return "list of \(plural(type(of: items.node)))" }
    if let values = node.additionalProperties { return "map of \(plural(type(of: values.node)))" }
    if node.isIntOrString { return "integer or string" }
    if node.format == "date-time" { return "time" }
    if node.rules.contains(where: { $0.cel.contains("duration(self)") }) { return "duration" }
    if node.rules.contains(where: { $0.cel == CheckedRule.decimal.rule.cel }) { return "decimal in quotes" }
    return node.kind?.rawValue ?? "any"
  }

  private static func plural(_ type: String) -> String {
    type == "integer or string" ? "integers or strings" : type + "s"
  }

  private static func standard(of node: SchemaNode) -> String {
    // The default of a block is made of its members', which have rows of their own.
    guard let value = node.defaultValue, node.properties.isEmpty else { return "" }
    return "`\(value.stringValue ?? value.text)`"
  }

  private static func allowed(_ node: SchemaNode) -> [String] {
    var parts: [String] = []
    let words = (node.items?.node ?? node).allowedValues.map { "`\($0.stringValue ?? $0.text)`" }
    if !words.isEmpty { parts.append(words.joined(separator: ", ")) }
    if let least = node.minimum, let most = node.maximum { parts.append("\(least) to \(most)") }
    if let most = node.maxItems {
      let least = node.minItems ?? 0
      parts.append(least > 0 ? "\(least) to \(most) entries" : "at most \(most) entries")
    }
    if let most = node.maxProperties { parts.append("at most \(most) entries") }
    // The bound on a text is told where the text is a person's own, not where its form bounds it.
    if let most = node.maxLength, node.rules.isEmpty { parts.append("at most \(most) characters") }
    if node.properties.isEmpty { parts += node.rules.map { Self.words(of: $0) } }
    if let items = node.items?.node, items.properties.isEmpty {
      parts += items.rules.map { "each: \(Self.words(of: $0))" }
    }
    return parts
  }

  /// A rule's message without the words that a table repeats in every row.
  static func words(of rule: SchemaRule) -> String {
    let opening = "must be "
    return rule.message.hasPrefix(opening) ? String(rule.message.dropFirst(opening.count)) : rule.message
  }
}
