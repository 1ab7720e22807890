import KubernetesAPI

/// One object of a list as JSON text, with what is asked of it most. Of large clusters far more objects are kept than looked at:
/// a value takes three to five times the memory of its text, and most of the time of a list is spent on making it.
public struct ObjectText: Hashable, Sendable {
  public var key: ObjectKey
  public var resourceVersion: String
  /// The value of the label that was asked for.
  public var label: String?
  /// The object, without `managedFields`.
  public var text: [UInt8]

  public init(key: ObjectKey, resourceVersion: String, label: String? = nil, text: [UInt8]) {
    self.key = key
    self.resourceVersion = resourceVersion
    self.label = label
    self.text = text
  }
}

/// One page of a list, its objects as text.
public struct ObjectTextPage: Hashable, Sendable {
  public var items: [ObjectText]
  /// Of the whole list: where a watch starts.
  public var resourceVersion: String
  /// Where the next page starts; nil on the last.
  public var continueToken: String?

  public init(items: [ObjectText], resourceVersion: String, continueToken: String? = nil) {
    self.items = items
    self.resourceVersion = resourceVersion
    self.continueToken = continueToken
  }

  /// Reads a `…List`; its items get the `apiVersion` and `kind` that lists of built-in types leave out.
  /// - Parameter label: the name of the label to be kept with each.
  /// - Throws: `JSONError` for what is no JSON or no list of objects.
  init(parsing bytes: [UInt8], type: ResourceType, label: String?) throws(JSONError) {
    items = []
    resourceVersion = ""
    var reader = JSONReader(bytes)
    var item = ItemScan(type: type, label: label.map { Array($0.utf8) })
    try reader.enterObject()
    while let name = try reader.nextMember() {
      switch reader.bytes[name] {
      case "metadata":
        try reader.enterObject()
        while let name = try reader.nextMember() {
          switch reader.bytes[name] {
          case "resourceVersion": resourceVersion = try reader.string()
          case "continue":
            let token = try reader.string()
            continueToken = token.isEmpty ? nil : token
          default: try reader.skipValue()
          }
        }
      // An empty list may be null.
      case "items" where try !reader.isNull():
        try reader.enterArray()
        while try reader.nextElement() { items.append(try item.scan(&reader)) }
      default: try reader.skipValue()
      }
    }
    try reader.end()
  }
}

/// Copies items of a list, member by member, but for its `managedFields`: nobody reads them from a copy, and they are often
/// the larger half of an object.
private struct ItemScan {
  let type: ResourceType
  let label: [UInt8]?
  private var namespace = ""
  private var name = ""
  private var resourceVersion = ""
  private var labelValue: String?
  /// The copy; its room is used again for the next item.
  private var text: [UInt8] = []

  init(type: ResourceType, label: [UInt8]?) {
    self.type = type
    self.label = label
  }

  mutating func scan(_ reader: inout JSONReader) throws(JSONError) -> ObjectText {
    (namespace, name, resourceVersion, labelValue) = ("", "", "", nil)
    text.removeAll(keepingCapacity: true)
    try copyItem(&reader)
    return ObjectText(
      key: ObjectKey(namespace: namespace, name: name), resourceVersion: resourceVersion, label: labelValue,
      // Of exactly its size: it is kept for long.
      text: text.withUnsafeBufferPointer { Array($0) })
  }

  private mutating func copyItem(_ reader: inout JSONReader) throws(JSONError) {
    var hasKind = false
    text.append(UInt8(ascii: "{"))
    try reader.enterObject()
    while let member = try reader.nextMember() {
      switch reader.bytes[member] {
      case "metadata":
        begin(member, reader.bytes)
        try scanMetadata(&reader)
      case "kind":
        hasKind = true
        try copy(member, &reader)
      default: try copy(member, &reader)
      }
    }
    if !hasKind {
      separate()
      text.append(contentsOf: Array("\"apiVersion\":\"\(type.apiVersion)\",\"kind\":\"\(type.kind)\"".utf8))
    }
    text.append(UInt8(ascii: "}"))
  }

  private mutating func scanMetadata(_ reader: inout JSONReader) throws(JSONError) {
    text.append(UInt8(ascii: "{"))
    try reader.enterObject()
    while let member = try reader.nextMember() {
      switch reader.bytes[member] {
      case "managedFields": try reader.skipValue()
      case "namespace": namespace = try copyString(member, &reader)
      case "name": name = try copyString(member, &reader)
      case "resourceVersion": resourceVersion = try copyString(member, &reader)
      case "labels" where try !reader.isNull():
        begin(member, reader.bytes)
        try scanLabels(&reader)
      default: try copy(member, &reader)
      }
    }
    text.append(UInt8(ascii: "}"))
  }

  private mutating func scanLabels(_ reader: inout JSONReader) throws(JSONError) {
    text.append(UInt8(ascii: "{"))
    try reader.enterObject()
    while let member = try reader.nextMember() {
      if let label, reader.bytes[member].elementsEqual(label) {
        labelValue = try copyString(member, &reader)
      } else {
        try copy(member, &reader)
      }
    }
    text.append(UInt8(ascii: "}"))
  }

  private mutating func separate() {
    if text.last != UInt8(ascii: "{") { text.append(UInt8(ascii: ",")) }
  }

  /// Writes a member's name; what its value is follows.
  private mutating func begin(_ member: Range<Int>, _ bytes: [UInt8]) {
    separate()
    text.append(contentsOf: bytes[member.lowerBound - 1...member.upperBound])
    text.append(UInt8(ascii: ":"))
  }

  private mutating func copy(_ member: Range<Int>, _ reader: inout JSONReader) throws(JSONError) {
    begin(member, reader.bytes)
    let start = reader.index
    try reader.skipValue()
    text.append(contentsOf: reader.bytes[start..<reader.index])
  }

  /// Empty where it is no string: one odd item must not hide all others.
  private mutating func copyString(_ member: Range<Int>, _ reader: inout JSONReader) throws(JSONError) -> String {
    guard try reader.isString() else {
      try copy(member, &reader)
      return ""
    }
    begin(member, reader.bytes)
    let start = reader.index
    let value = try reader.string()
    text.append(contentsOf: reader.bytes[start..<reader.index])
    return value
  }
}

/// Member names are compared as they are written.
private func ~= (name: StaticString, bytes: ArraySlice<UInt8>) -> Bool {
  bytes.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
}
