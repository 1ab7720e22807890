/// A field selector: `metadata.name=w1,involvedObject.kind!=Pod`. The order of terms has no meaning.
public struct FieldSelector: Hashable, Sendable {
  /// One term.
  public struct Term: Hashable, Sendable {
    /// Path such as `spec.nodeName`.
    public var field: String
    public var value: String
    public var isNegated: Bool
    public init(field: String, value: String, isNegated: Bool = false) {
      self.field = field
      self.value = value
      self.isNegated = isNegated
    }
  }

  /// All must hold.
  public var terms: [Term]
  public init(_ terms: [Term] = []) { self.terms = terms }
  public var isEmpty: Bool { terms.isEmpty }

  /// Parses `a=b`, `a==b` and `a!=b` joined by commas; `\,`, `\=` and `\\` stand for themselves in values.
  /// - Throws: ``SelectorError`` with the API server's text.
  public init(parsing text: String) throws(SelectorError) {
    terms = []
    for piece in Self.split(text) where !piece.isEmpty {
      guard let mark = piece.firstIndex(of: "=") else {
        throw SelectorError("invalid selector: '\(text)'; can't understand '\(piece)'")
      }
      var field = piece[..<mark]
      var value = piece[piece.index(after: mark)...]
      let isNegated = field.last == "!"
      if isNegated { field.removeLast() } else if value.first == "=" { value.removeFirst() }
      terms.append(Term(field: String(field), value: Self.unescaped(value), isNegated: isNegated))
    }
  }

  /// Whether an object, whose fields are read by `value`, satisfies all terms.
  public func matches(_ value: (String) -> String) -> Bool {
    terms.allSatisfy { (value($0.field) == $0.value) != $0.isNegated }
  }

  /// The value that `field` must equal; nil when no term demands one.
  public func required(_ field: String) -> String? { terms.first { $0.field == field && !$0.isNegated }?.value }

  private static func split(_ text: String) -> [String] {
    var pieces = [""]
    var isEscaped = false
    for character in text {
      if character == ",", !isEscaped {
        pieces.append("")
      } else {
        pieces[pieces.count - 1].append(character)
      }
      isEscaped = character == "\\" && !isEscaped
    }
    return pieces
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var isEscaped = false
    for character in text {
      if character == "\\", !isEscaped {
        isEscaped = true
      } else {
        result.append(character)
        isEscaped = false
      }
    }
    return result
  }
}
