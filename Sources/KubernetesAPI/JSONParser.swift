extension JSONValue {
  /// Parses one JSON text; anything but white space after it is an error.
  /// - Throws: ``JSONError`` with the offset of the first byte that is not JSON, or that nests deeper than 512 levels.
  public init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
    var reader = JSONReader(Array(bytes))
    self = try reader.value()
    try reader.end()
  }

  /// Parses JSON text. - Throws: ``JSONError``.
  public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

extension JSONReader {
  /// Reads a value of any kind. Of members with one name the last one counts.
  public mutating func value() throws(JSONError) -> JSONValue {
    switch try peek() {
    case UInt8(ascii: "{"):
      var members: [String: JSONValue] = [:]
      try enterObject()
      while let name = try nextMember() { members[try text(of: name)] = try value() }
      return .object(members)
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      try enterArray()
      while try nextElement() { elements.append(try value()) }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    default: return try scalar()
    }
  }
}
