/// One operation of a JSON patch (RFC 6902).
public struct JSONPatchOperation: Hashable, Sendable {
  public enum Name: String, Sendable { case add, remove, replace, move, copy, test }
  public var name: Name
  /// JSON pointer (RFC 6901).
  public var path: String
  public var from: String?
  public var value: JSONValue?

  public init(_ name: Name, path: String, from: String? = nil, value: JSONValue? = nil) {
    self.name = name
    self.path = path
    self.from = from
    self.value = value
  }

  public var json: JSONValue {
    var json: JSONValue = ["op": .string(name.rawValue), "path": .string(path)]
    json["from"] = from.map { .string($0) }
    json["value"] = value
    return json
  }
}

/// Why a JSON patch cannot be read or applied.
public struct JSONPatchError: Error, Hashable, Sendable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

extension JSONPatchOperation {
  /// Reads the array form. - Throws: ``JSONPatchError`` that names the operation that is wrong.
  public static func parse(_ json: JSONValue) throws(JSONPatchError) -> [JSONPatchOperation] {
    guard let elements = json.arrayValue else { throw JSONPatchError("a JSON patch is an array of operations") }
    var operations: [JSONPatchOperation] = []
    for (index, element) in elements.enumerated() {
      guard let name = element["op"]?.stringValue, let known = Name(rawValue: name) else {
        throw JSONPatchError("operation \(index): op must be add, remove, replace, move, copy or test")
      }
      guard let path = element["path"]?.stringValue else { throw JSONPatchError("operation \(index): path is missing") }
      let operation = JSONPatchOperation(known, path: path, from: element["from"]?.stringValue, value: element["value"])
      switch known {
      case .add, .replace, .test:
        guard operation.value != nil else { throw JSONPatchError("operation \(index): value is missing") }
      case .move, .copy:
        guard operation.from != nil else { throw JSONPatchError("operation \(index): from is missing") }
      case .remove: break
      }
      operations.append(operation)
    }
    return operations
  }
}

extension JSONValue {
  /// Applies a JSON patch, all of it or nothing. - Throws: ``JSONPatchError`` with the path that does not fit.
  public func patched(with operations: [JSONPatchOperation]) throws(JSONPatchError) -> JSONValue {
    var result = self
    for operation in operations { try result.apply(operation) }
    return result
  }

  private mutating func apply(_ operation: JSONPatchOperation) throws(JSONPatchError) {
    let path = try JSONPointer.tokens(operation.path)
    let value = operation.value ?? .null
    switch operation.name {
    case .add: try add(value, at: path[...], operation.path)
    case .remove: _ = try remove(at: path[...], operation.path)
    case .replace:
      if path.isEmpty {
        self = value
      } else {
        _ = try remove(at: path[...], operation.path)
        try add(value, at: path[...], operation.path)
      }
    case .test:
      guard try self.value(at: path[...], operation.path).isEqualNumber(value) else {
        throw JSONPatchError("testing value \(operation.path) failed")
      }
    case .copy, .move:
      let source = operation.from ?? ""
      let from = try JSONPointer.tokens(source)
      if operation.name == .copy {
        try add(try self.value(at: from[...], source), at: path[...], operation.path)
      } else if from != path {
        guard !path.starts(with: from) else { throw JSONPatchError("\(source) cannot be moved into itself") }
        try add(try remove(at: from[...], source), at: path[...], operation.path)
      }
    }
  }

  private func value(at path: ArraySlice<String>, _ whole: String) throws(JSONPatchError) -> JSONValue {
    guard let token = path.first else { return self }
    switch self {
    case .object(let members):
      guard let member = members[token] else { throw JSONPatchError.absent(whole) }
      return try member.value(at: path.dropFirst(), whole)
    case .array(let elements):
      let index = try JSONPointer.index(token, below: elements.count, whole)
      return try elements[index].value(at: path.dropFirst(), whole)
    default: throw JSONPatchError.absent(whole)
    }
  }

  private mutating func add(
    _ value: JSONValue, at path: ArraySlice<String>, _ whole: String
  ) throws(JSONPatchError) {
    guard let token = path.first else {
      self = value
      return
    }
    let isLast = path.count == 1
    switch self {
    case .object(var members):
      if isLast {
        members[token] = value
      } else {
        guard var child = members[token] else { throw JSONPatchError.absent(whole) }
        try child.add(value, at: path.dropFirst(), whole)
        members[token] = child
      }
      self = .object(members)
    case .array(var elements):
      if isLast {
        let index =
          token == "-" ? elements.count : try JSONPointer.index(token, below: elements.count + 1, whole)
        elements.insert(value, at: index)
      } else {
        let index = try JSONPointer.index(token, below: elements.count, whole)
        try elements[index].add(value, at: path.dropFirst(), whole)
      }
      self = .array(elements)
    default: throw JSONPatchError.absent(whole)
    }
  }

  private mutating func remove(at path: ArraySlice<String>, _ whole: String) throws(JSONPatchError) -> JSONValue {
    guard let token = path.first else { throw JSONPatchError("the whole document cannot be removed") }
    let isLast = path.count == 1
    switch self {
    case .object(var members):
      guard var child = members[token] else { throw JSONPatchError.absent(whole) }
      let removed = isLast ? child : try child.remove(at: path.dropFirst(), whole)
      members[token] = isLast ? nil : child
      self = .object(members)
      return removed
    case .array(var elements):
      let index = try JSONPointer.index(token, below: elements.count, whole)
      let removed = isLast ? elements.remove(at: index) : try elements[index].remove(at: path.dropFirst(), whole)
      self = .array(elements)
      return removed
    default: throw JSONPatchError.absent(whole)
    }
  }

  /// Equality in which 1 and 1.0 are one number, as RFC 6902 section 4.6 asks.
  private func isEqualNumber(_ other: JSONValue) -> Bool {
    if let left = doubleValue, let right = other.doubleValue { return left == right }
    return self == other
  }
}

extension JSONPatchError {
  fileprivate static func absent(_ path: String) -> JSONPatchError {
    JSONPatchError("path \(path) does not exist in the document")
  }
}

/// JSON pointers (RFC 6901).
private enum JSONPointer {
  static func tokens(_ pointer: String) throws(JSONPatchError) -> [String] {
    if pointer.isEmpty { return [] }
    guard pointer.first == "/" else { throw JSONPatchError("path \"\(pointer)\" must start with /") }
    return pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
      unescaped($0)
    }
  }

  private static func unescaped(_ token: Substring) -> String {
    var result = ""
    var isEscaped = false
    for character in token {
      if isEscaped {
        result.append(character == "1" ? "/" : character == "0" ? "~" : character)
        isEscaped = false
      } else if character == "~" {
        isEscaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }

  static func index(_ token: String, below count: Int, _ whole: String) throws(JSONPatchError) -> Int {
    guard let index = Int(token), index >= 0, index < count, token == String(index) else {
      throw JSONPatchError.absent(whole)
    }
    return index
  }
}
