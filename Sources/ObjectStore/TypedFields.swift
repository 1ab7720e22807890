import KubernetesAPI

// Field sets of values and their differences, by the rules of structured-merge-diff (typed/tofieldset.go, compare.go).

extension FieldSet {
  /// The fields that `value` says something about: what an applier owns.
  init(of value: JSONValue, schema: SchemaNode?) {
    switch FieldStructure(value, schema) {
    case .leaf: break
    case .members(let members):
      for (name, child) in members {
        let isNamed = schema?.declares(name) ?? false
        insert(child, at: .field(name), schema: schema?.member(name), alwaysMember: !isNamed)
      }
    case .elements(let elements):
      for (element, child) in elements {
        insert(child, at: element, schema: schema?.items?.node, alwaysMember: true)
      }
    }
  }

  private mutating func insert(
    _ value: JSONValue, at element: PathElement, schema: SchemaNode?, alwaysMember: Bool
  ) {
    switch FieldStructure(value, schema) {
    case .leaf: members.insert(element)
    case .members(let below):
      if alwaysMember || below.isEmpty { members.insert(element) }
      attach(FieldSet(of: value, schema: schema), at: element)
    case .elements:
      if alwaysMember { members.insert(element) }
      attach(FieldSet(of: value, schema: schema), at: element)
    }
  }

  /// With every declared field that has something below it as a member itself, so that it can go as a whole.
  func withNamedFieldsAsMembers(_ schema: SchemaNode?) -> FieldSet {
    var result = self
    for (element, child) in children {
      if case .field(let name) = element, schema?.declares(name) == true { result.members.insert(element) }
      result.children[element] = child.withNamedFieldsAsMembers(schema?.child(element))
    }
    return result
  }
}

/// What differs between two values, by field.
struct FieldComparison: Sendable {
  var added = FieldSet()
  var modified = FieldSet()
  var removed = FieldSet()

  var isEmpty: Bool { added.isEmpty && modified.isEmpty && removed.isEmpty }

  init() {}

  /// - Parameters old, new: values of one schema; nil where there is none.
  init(old: JSONValue?, new: JSONValue?, schema: SchemaNode?) {
    let before = old.map { FieldStructure($0, schema) }
    let after = new.map { FieldStructure($0, schema) }
    switch (before, after) {
    case (.members(let left)?, .members(let right)?): compareMembers(left, right, schema)
    case (.members(let left)?, nil): compareMembers(left, [:], schema)
    case (nil, .members(let right)?): compareMembers([:], right, schema)
    case (.elements(let left)?, .elements(let right)?): compareElements(left, right, schema)
    case (.elements(let left)?, nil): compareElements(left, [], schema)
    case (nil, .elements(let right)?): compareElements([], right, schema)
    default: break
    }
  }

  private mutating func compareMembers(
    _ old: [String: JSONValue], _ new: [String: JSONValue], _ schema: SchemaNode?
  ) {
    for (name, value) in old { compare(value, new[name], at: .field(name), schema?.member(name)) }
    for (name, value) in new where old[name] == nil { compare(nil, value, at: .field(name), schema?.member(name)) }
  }

  private mutating func compareElements(
    _ old: [(element: PathElement, value: JSONValue)], _ new: [(element: PathElement, value: JSONValue)],
    _ schema: SchemaNode?
  ) {
    let items = schema?.items?.node
    let left = Dictionary(old.map { ($0.element, $0.value) }, uniquingKeysWith: { first, _ in first })
    let right = Dictionary(new.map { ($0.element, $0.value) }, uniquingKeysWith: { first, _ in first })
    for (element, value) in left { compare(value, right[element], at: element, items) }
    for (element, value) in right where left[element] == nil { compare(nil, value, at: element, items) }
  }

  private mutating func compare(_ old: JSONValue?, _ new: JSONValue?, at element: PathElement, _ schema: SchemaNode?) {
    guard let old else {
      added.members.insert(element)
      added.attach(FieldComparison(old: nil, new: new, schema: schema).added, at: element)
      return
    }
    guard let new else {
      removed.members.insert(element)
      removed.attach(FieldComparison(old: old, new: nil, schema: schema).removed, at: element)
      return
    }
    switch (FieldStructure(old, schema), FieldStructure(new, schema)) {
    case (.members(let left), .members(let right)) where !(left.isEmpty && right.isEmpty): break
    case (.elements(let left), .elements(let right)) where !(left.isEmpty && right.isEmpty): break
    default:
      if old != new { modified.members.insert(element) }
      return
    }
    let below = FieldComparison(old: old, new: new, schema: schema)
    added.attach(below.added, at: element)
    modified.attach(below.modified, at: element)
    removed.attach(below.removed, at: element)
  }
}
