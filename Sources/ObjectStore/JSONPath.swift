import KubernetesAPI

/// The part of JSONPath that printer columns use: members, indices, `[*]`, `['name']` and filters `[?(@.a=="b")]`.
struct JSONPath: Sendable {
  enum Step: Equatable, Sendable {
    case member(String)
    case index(Int)
    case all
    case filter(path: [String], equals: JSONValue)
  }
  var steps: [Step]

  /// What cannot be read selects nothing.
  init(_ text: String) {
    var steps: [Step] = []
    var rest = text[...]
    while let first = rest.first {
      rest.removeFirst()
      switch first {
      case ".", "{", "}", "$":
        let name = rest.prefix { $0 != "." && $0 != "[" && $0 != "}" }
        if !name.isEmpty { steps.append(name == "*" ? .all : .member(String(name))) }
        rest = rest[name.endIndex...]
      case "[":
        guard let (body, after) = Self.bracket(rest), let step = Self.step(body) else {
          self.steps = []
          return
        }
        steps.append(step)
        rest = after
      default:
        let name = rest.prefix { $0 != "." && $0 != "[" }
        steps.append(.member(String(first) + name))
        rest = rest[name.endIndex...]
      }
    }
    self.steps = steps
  }

  func all(in value: JSONValue) -> [JSONValue] {
    guard !steps.isEmpty else { return [] }
    return steps.reduce([value]) { values, step in values.flatMap { Self.apply(step, to: $0) } }
  }

  func first(in value: JSONValue) -> JSONValue? { all(in: value).first { !$0.isNull } }

  private static func apply(_ step: Step, to value: JSONValue) -> [JSONValue] {
    switch step {
    case .member(let name): return value[name].map { [$0] } ?? []
    case .index(let index):
      guard let elements = value.arrayValue else { return [] }
      return value[index < 0 ? elements.count + index : index].map { [$0] } ?? []
    case .all:
      if let members = value.objectValue { return members.sorted { $0.key < $1.key }.map(\.value) }
      return value.arrayValue ?? []
    case .filter(let path, let wanted): return (value.arrayValue ?? []).filter { $0[path: path] == wanted }
    }
  }

  private static func bracket(_ text: Substring) -> (Substring, Substring)? {
    var quote: Character?
    for index in text.indices {
      let character = text[index]
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if character == "]" {
        return (text[..<index], text[text.index(after: index)...])
      }
    }
    return nil
  }

  private static func step(_ body: Substring) -> Step? {
    if body == "*" { return .all }
    if let index = Int(body) { return .index(index) }
    if let name = unquoted(body) { return .member(name) }
    guard body.hasPrefix("?("), body.hasSuffix(")") else { return nil }
    let condition = body.dropFirst(2).dropLast()
    guard let mark = condition.firstRange(of: "==") else { return nil }
    let left = condition[..<mark.lowerBound].filter { $0 != " " }
    let right = condition[mark.upperBound...].trimmed
    guard left.hasPrefix("@.") else { return nil }
    let path = left.dropFirst(2).split(separator: ".").map(String.init)
    if let text = unquoted(right) { return .filter(path: path, equals: .string(text)) }
    guard let value = try? JSONValue(parsing: String(right)) else { return nil }
    return .filter(path: path, equals: value)
  }

  private static func unquoted(_ text: Substring) -> String? {
    guard text.count >= 2, let first = text.first, first == "'" || first == "\"", text.last == first else { return nil }
    return String(text.dropFirst().dropLast())
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let start = drop { $0 == " " }
    return start.last == " " ? Substring(String(String(start.reversed()).drop { $0 == " " }.reversed())) : start
  }
}
