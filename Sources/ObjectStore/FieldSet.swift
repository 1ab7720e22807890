import KubernetesAPI

/// One step of a path into an object, as managedFields name it (sigs.k8s.io/structured-merge-diff, fieldpath).
enum PathElement: Hashable, Sendable {
  case field(String)
  /// An element of a list-map by its key fields, an object.
  case key(JSONValue)
  /// An element of a list-set by its value.
  case value(JSONValue)
  case index(Int)

  /// `f:name`, `k:{"name":"c"}`, `v:"x"`, `i:0`.
  var text: String {
    switch self {
    case .field(let name): "f:\(name)"
    case .key(let key): "k:\(key.text)"
    case .value(let value): "v:\(value.text)"
    case .index(let index): "i:\(index)"
    }
  }

  init?(text: String) {
    let rest = String(text.dropFirst(2))
    switch text.prefix(2) {
    case "f:": self = .field(rest)
    case "k:":
      guard let key = try? JSONValue(parsing: rest) else { return nil }
      self = .key(key)
    case "v:":
      guard let value = try? JSONValue(parsing: rest) else { return nil }
      self = .value(value)
    case "i:":
      guard let index = Int(rest) else { return nil }
      self = .index(index)
    default: return nil
    }
  }

  /// As messages print it: `.spec`, `[name="c"]`, `[="x"]`, `[0]`.
  var pathText: String {
    switch self {
    case .field(let name): return ".\(name)"
    case .key(let key):
      let fields = (key.objectValue ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }
      return "[\(fields.joined(separator: ","))]"
    case .value(let value): return "[=\(value.text)]"
    case .index(let index): return "[\(index)]"
    }
  }
}

/// A set of paths, as a tree.
struct FieldSet: Hashable, Sendable {
  var members: Set<PathElement> = []
  var children: [PathElement: FieldSet] = [:]

  var isEmpty: Bool { members.isEmpty && children.isEmpty }

  mutating func attach(_ child: FieldSet, at element: PathElement) {
    if child.isEmpty { return }
    if let present = children[element] {
      children[element] = present.union(child)
    } else {
      children[element] = child
    }
  }

  func union(_ other: FieldSet) -> FieldSet {
    var result = self
    result.members.formUnion(other.members)
    for (element, child) in other.children { result.attach(child, at: element) }
    return result
  }

  func intersection(_ other: FieldSet) -> FieldSet {
    var result = FieldSet(members: members.intersection(other.members))
    for (element, child) in children {
      if let counterpart = other.children[element] { result.attach(child.intersection(counterpart), at: element) }
    }
    return result
  }

  func subtracting(_ other: FieldSet) -> FieldSet {
    var result = FieldSet(members: members.subtracting(other.members))
    for (element, child) in children {
      let rest = other.children[element].map { child.subtracting($0) } ?? child
      if !rest.isEmpty { result.children[element] = rest }
    }
    return result
  }

  /// Every path in it, sorted, as messages print them.
  var paths: [String] {
    var result = members.map(\.pathText)
    for (element, child) in children { result += child.paths.map { element.pathText + $0 } }
    return result.sorted()
  }
}

// MARK: - FieldsV1

extension FieldSet {
  init(fieldsV1 json: JSONValue) {
    for (name, child) in json.objectValue ?? [:] {
      guard name != ".", let element = PathElement(text: name) else { continue }
      let below = FieldSet(fieldsV1: child)
      if child["."] != nil || below.isEmpty { members.insert(element) }
      if !below.isEmpty { children[element] = below }
    }
  }

  var fieldsV1: JSONValue {
    var json: [String: JSONValue] = [:]
    for element in members { json[element.text] = .object([:]) }
    for (element, child) in children {
      var below = child.fieldsV1
      if members.contains(element) { below["."] = .object([:]) }
      json[element.text] = below
    }
    return .object(json)
  }
}
