/// Any JSON value, without loss: what the project does not know it still carries (a typed round trip drops fields).
///
/// Objects have no order; the writer sorts keys, so equal values have equal bytes.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

// MARK: - Reading

extension JSONValue {
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var intValue: Int? {
    switch self {
    case .integer(let value): Int(value)
    case .double(let value): Int(exactly: value)
    default: nil
    }
  }
  public var doubleValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  public var objectValue: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
  public var isNull: Bool { self == .null }

  /// A member of an object; nil when this is no object or has no such member. Setting nil removes the member,
  /// setting a value in anything but an object makes it one.
  public subscript(key: String) -> JSONValue? {
    get { if case .object(let members) = self { members[key] } else { nil } }
    set {
      var members: [String: JSONValue] = [:]
      if case .object(let present) = self {
        members = present
        self = .null  // so that `members` is the only owner and is changed in place
      }
      members[key] = newValue
      self = .object(members)
    }
  }

  /// An element of an array; nil when this is no array or the index is out of range.
  public subscript(index: Int) -> JSONValue? {
    if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
  }

  /// The value at a path of member names; nil as soon as one is missing.
  public subscript(path path: [String]) -> JSONValue? {
    get {
      var value = self
      for key in path {
        guard let next = value[key] else { return nil }
        value = next
      }
      return value
    }
    set {
      guard let first = path.first else {
        if let newValue { self = newValue }
        return
      }
      if path.count == 1 {
        self[first] = newValue
      } else {
        var child = self[first] ?? .object([:])
        if newValue == nil, self[first] == nil { return }
        child[path: Array(path.dropFirst())] = newValue
        self[first] = child
      }
    }
  }
}

// MARK: - Literals

// Deliberately no nil literal: `json["labels"] = isEmpty ? nil : JSONValue(labels)` would then write null instead of removing
// the member.
extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
  public init(_ value: Int) { self = .integer(Int64(value)) }
  public init(_ value: [String]) { self = .array(value.map { .string($0) }) }
  public init(_ value: [String: String]) { self = .object(value.mapValues { .string($0) }) }
}
