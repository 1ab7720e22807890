import FoundationEssentials

/// A JSON value for the static configuration, which must tell unknown fields and wrong types by their path.
enum JSONNode: Decodable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONNode])
  case object([String: JSONNode])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([JSONNode].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSONNode].self))
    }
  }

  /// What it is, for an error message.
  /// A number or text as it stands, anything else by its kind.
  var shown: String {
    switch self {
    case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
    case .string(let text): "'\(text.prefix(40))'"
    default: kind
    }
  }

  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// Takes the fields of one JSON object by name and refuses what is left.
struct JSONFields {
  private let path: String
  private var members: [String: JSONNode]
  private let known: [String]

  /// - Parameter known: All field names, for the message about an unknown one.
  init(_ node: JSONNode, path: String, known: [String]) throws(ConfigurationError) {
    guard case .object(let members) = node else {
      throw ConfigurationError("\(path.isEmpty ? "the file" : path): must be an object, is \(node.kind)")
    }
    self.path = path
    self.members = members
    self.known = known
    if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
      throw ConfigurationError("\(child(unknown)): unknown field; known are \(known.joined(separator: ", "))")
    }
  }

  func child(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  func node(_ name: String) -> JSONNode? { members[name].flatMap { $0 == .null ? nil : $0 } }

  func text(_ name: String) throws(ConfigurationError) -> String? {
    guard let node = node(name) else { return nil }
    guard case .string(let text) = node, !text.isEmpty else {
      throw ConfigurationError("\(child(name)): must be a string that is not empty, is \(node.kind)")
    }
    return text
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
    guard let node = node(name) else { return nil }
    guard case .number(let number) = node, let integer = Int(exactly: number), range.contains(integer) else {
      throw ConfigurationError(
        "\(child(name)): must be a whole number from \(range.lowerBound) to \(range.upperBound), is \(node.shown)")
    }
    return integer
  }

  func flag(_ name: String) throws(ConfigurationError) -> Bool? {
    guard let node = node(name) else { return nil }
    guard case .bool(let flag) = node else {
      throw ConfigurationError("\(child(name)): must be true or false, is \(node.kind)")
    }
    return flag
  }

  func list(_ name: String) throws(ConfigurationError) -> [JSONNode] {
    guard let node = node(name) else { return [] }
    guard case .array(let elements) = node else {
      throw ConfigurationError("\(child(name)): must be a list, is \(node.kind)")
    }
    return elements
  }

  func texts(_ name: String) throws(ConfigurationError) -> [String] {
    var texts: [String] = []
    for (index, node) in try list(name).enumerated() {
      guard case .string(let text) = node, !text.isEmpty else {
        throw ConfigurationError("\(child(name))[\(index)]: must be a string that is not empty, is \(node.kind)")
      }
      texts.append(text)
    }
    return texts
  }

  /// A duration as in the resource: `90s`, `10m`, `1h30m`, `250ms`.
  func duration(_ name: String) throws(ConfigurationError) -> Duration? {
    guard let text = try text(name) else { return nil }
    guard let duration = Duration(resourceText: text) else {
      throw ConfigurationError("\(child(name)): '\(text)' is not a duration such as 250ms, 90s, 10m or 1h30m")
    }
    return duration
  }

  /// One word out of several.
  func word<Word: RawRepresentable & CaseIterable>(
    _ name: String, as type: Word.Type
  ) throws(ConfigurationError) -> Word? where Word.RawValue == String {
    guard let text = try text(name) else { return nil }
    guard let word = Word.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
      let accepted = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigurationError("\(child(name)): '\(text)' is none of \(accepted)")
    }
    return word
  }
}

/// What is wrong with a configuration, in one line that names the field and what is accepted.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}

extension Duration {
  /// Gateway API's duration text (GEP-2257): one to four groups of up to five digits and h, m, s or ms; nil for others.
  init?(resourceText text: String) {
    var total = Duration.zero
    var rest = Substring(text)
    var groups = 0
    while !rest.isEmpty, groups < 4 {
      let digits = rest.prefix(while: { ("0"..."9").contains($0) })
      guard (1...5).contains(digits.count), let number = Int(digits) else { return nil }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix(while: \.isLetter)
      switch unit {
      case "h": total += .seconds(3600 * number)
      case "m": total += .seconds(60 * number)
      case "s": total += .seconds(number)
      case "ms": total += .milliseconds(number)
      default: return nil
      }
      rest = rest.dropFirst(unit.count)
      groups += 1
    }
    guard groups > 0, rest.isEmpty else { return nil }
    self = total
  }
}
