/// A label selector, as `labelSelector=` spells it and as `matchLabels`/`matchExpressions` do.
public struct LabelSelector: Hashable, Sendable {
  /// All must hold; an empty list selects everything.
  public var requirements: [Requirement]

  /// One condition on one label.
  public struct Requirement: Hashable, Sendable {
    public enum Operator: String, Sendable {
      case `in` = "In"
      case notIn = "NotIn"
      case exists = "Exists"
      case doesNotExist = "DoesNotExist"
      case greaterThan = "Gt"
      case lessThan = "Lt"
    }
    public var key: String
    public var `operator`: Operator
    public var values: [String]

    public init(key: String, _ operator: Operator, _ values: [String] = []) {
      self.key = key
      self.operator = `operator`
      self.values = values
    }

    /// Whether an object with these labels satisfies the condition. An absent label satisfies `NotIn`.
    public func matches(_ labels: [String: String]) -> Bool {
      let value = labels[key]
      switch `operator` {
      case .in: return value.map(values.contains) ?? false
      case .notIn: return value.map { !values.contains($0) } ?? true
      case .exists: return value != nil
      case .doesNotExist: return value == nil
      case .greaterThan, .lessThan:
        guard let value, let number = Int64(value), let bound = values.first.flatMap({ Int64($0) }) else {
          return false
        }
        return `operator` == .greaterThan ? number > bound : number < bound
      }
    }
  }

  public init(_ requirements: [Requirement] = []) { self.requirements = requirements }

  /// Every label of `labels` with its value.
  public init(matchLabels labels: [String: String]) {
    requirements = labels.sorted { $0.key < $1.key }.map { Requirement(key: $0.key, .in, [$0.value]) }
  }

  /// Reads `{matchLabels, matchExpressions}`. Nil when an operator is unknown.
  /// An empty selector selects everything, as in the API; a caller that wants "absent selects nothing" checks before.
  public init?(json: JSONValue) {
    self.init(matchLabels: (json["matchLabels"]?.objectValue ?? [:]).compactMapValues(\.stringValue))
    for expression in json["matchExpressions"]?.arrayValue ?? [] {
      guard let key = expression["key"]?.stringValue, let name = expression["operator"]?.stringValue,
        let parsed = Requirement.Operator(rawValue: name)
      else { return nil }
      let values = (expression["values"]?.arrayValue ?? []).compactMap(\.stringValue)
      requirements.append(Requirement(key: key, parsed, values))
    }
  }

  public var isEmpty: Bool { requirements.isEmpty }

  public func matches(_ labels: [String: String]) -> Bool { requirements.allSatisfy { $0.matches(labels) } }

  /// The selector in the form of `labelSelector=`: `a=b,c in (d,e),!f`.
  public var text: String {
    requirements.map { requirement in
      let key = requirement.key
      switch requirement.operator {
      case .in where requirement.values.count == 1: return "\(key)=\(requirement.values[0])"
      case .in: return "\(key) in (\(requirement.values.sorted().joined(separator: ",")))"
      case .notIn where requirement.values.count == 1: return "\(key)!=\(requirement.values[0])"
      case .notIn: return "\(key) notin (\(requirement.values.sorted().joined(separator: ",")))"
      case .exists: return key
      case .doesNotExist: return "!\(key)"
      case .greaterThan: return "\(key)>\(requirement.values.first ?? "")"
      case .lessThan: return "\(key)<\(requirement.values.first ?? "")"
      }
    }.joined(separator: ",")
  }
}

/// Why a selector cannot be read, in the API server's words.
public struct SelectorError: Error, Hashable, Sendable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

extension LabelSelector {
  /// Parses the query form (k8s.io/apimachinery/pkg/labels): `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`,
  /// `a>1`, `a<1`, joined by commas.
  /// - Throws: ``SelectorError`` with the API server's text.
  public init(parsing text: String) throws(SelectorError) {
    var parser = LabelSelectorParser(tokens: LabelSelectorParser.tokens(of: text))
    requirements = try parser.parse()
  }
}

private struct LabelSelectorParser {
  enum Token: Equatable {
    case word(String)
    case symbol(String)
    case end

    var text: String {
      switch self {
      case .word(let text), .symbol(let text): text
      case .end: ""
      }
    }
  }

  let tokens: [Token]
  var index = 0

  init(tokens: [Token]) { self.tokens = tokens }

  static func tokens(of text: String) -> [Token] {
    var tokens: [Token] = []
    var rest = Substring(text)
    while let first = rest.first {
      if first == " " || first == "\t" || first == "\n" || first == "\r" {
        rest.removeFirst()
      } else if let symbol = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"].first(where: { rest.hasPrefix($0) }) {
        tokens.append(.symbol(symbol))
        rest.removeFirst(symbol.count)
      } else {
        let word = rest.prefix { !" \t\n\r=!(),<>".contains($0) }
        tokens.append(.word(String(word)))
        rest = rest[word.endIndex...]
      }
    }
    return tokens
  }

  private var current: Token { index < tokens.count ? tokens[index] : .end }

  private mutating func advance() -> Token {
    defer { index += 1 }
    return current
  }

  mutating func parse() throws(SelectorError) -> [LabelSelector.Requirement] {
    var requirements: [LabelSelector.Requirement] = []
    if current == .end { return requirements }
    while true {
      requirements.append(try parseRequirement())
      switch advance() {
      case .end: return requirements
      case .symbol(","):
        guard current != .end else { throw found("", "identifier after ','") }
      case let other: throw found(other.text, "',' or 'end of string'")
      }
    }
  }

  private mutating func parseRequirement() throws(SelectorError) -> LabelSelector.Requirement {
    if current == .symbol("!") {
      index += 1
      return .init(key: try parseKey(), .doesNotExist)
    }
    let key = try parseKey()
    switch current {
    case .end, .symbol(","): return .init(key: key, .exists)
    case .symbol("="), .symbol("=="):
      index += 1
      return .init(key: key, .in, [parseExactValue()])
    case .symbol("!="):
      index += 1
      return .init(key: key, .notIn, [parseExactValue()])
    case .symbol(">"), .symbol("<"):
      let isGreater = advance() == .symbol(">")
      let value = parseExactValue()
      guard Int64(value) != nil else {
        throw SelectorError(
          "values[0][\(key)]: Invalid value: \"\(value)\": for 'Gt', 'Lt' operators, the value must be an integer")
      }
      return .init(key: key, isGreater ? .greaterThan : .lessThan, [value])
    case .word("in"):
      index += 1
      return .init(key: key, .in, try parseValues())
    case .word("notin"):
      index += 1
      return .init(key: key, .notIn, try parseValues())
    case let other: throw found(other.text, "in, notin, =, ==, !=, gt, lt")
    }
  }

  private mutating func parseKey() throws(SelectorError) -> String {
    guard case .word(let key) = advance() else {
      index -= 1
      throw found(current.text, "identifier")
    }
    return key
  }

  /// `a=` selects the empty value.
  private mutating func parseExactValue() -> String {
    guard case .word(let value) = current else { return "" }
    index += 1
    return value
  }

  private mutating func parseValues() throws(SelectorError) -> [String] {
    guard advance() == .symbol("(") else {
      index -= 1
      throw found(current.text, "'('")
    }
    var values: [String] = []
    while true {
      values.append(parseExactValue())
      switch advance() {
      case .symbol(","): continue
      case .symbol(")"): return values
      case let other: throw found(other.text, "',', ')' or identifier")
      }
    }
  }

  private func found(_ text: String, _ expected: String) -> SelectorError {
    SelectorError("unable to parse requirement: found '\(text)', expected: \(expected)")
  }
}
