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
    var scanner = JSONScanner(bytes)
    var item = ItemScan(type: type, label: label.map { Array($0.utf8) })
    try scanner.enterObject()
    while let name = try scanner.nextMember() {
      switch scanner.bytes[name] {
      case "metadata":
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
          switch scanner.bytes[name] {
          case "resourceVersion": resourceVersion = try scanner.string()
          case "continue":
            let token = try scanner.string()
            continueToken = token.isEmpty ? nil : token
          default: try scanner.skipValue()
          }
        }
      // An empty list may be null.
      case "items" where try !scanner.isNull():
        try scanner.enterArray()
        while try scanner.nextElement() { items.append(try item.scan(&scanner)) }
      default: try scanner.skipValue()
      }
    }
    try scanner.end()
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

  mutating func scan(_ scanner: inout JSONScanner) throws(JSONError) -> ObjectText {
    (namespace, name, resourceVersion, labelValue) = ("", "", "", nil)
    text.removeAll(keepingCapacity: true)
    try copyItem(&scanner)
    return ObjectText(
      key: ObjectKey(namespace: namespace, name: name), resourceVersion: resourceVersion, label: labelValue,
      // Of exactly its size: it is kept for long.
      text: text.withUnsafeBufferPointer { Array($0) })
  }

  private mutating func copyItem(_ scanner: inout JSONScanner) throws(JSONError) {
    var hasKind = false
    text.append(UInt8(ascii: "{"))
    try scanner.enterObject()
    while let member = try scanner.nextMember() {
      switch scanner.bytes[member] {
      case "metadata":
        begin(member, scanner.bytes)
        try scanMetadata(&scanner)
      case "kind":
        hasKind = true
        try copy(member, &scanner)
      default: try copy(member, &scanner)
      }
    }
    if !hasKind {
      separate()
      text.append(contentsOf: Array("\"apiVersion\":\"\(type.apiVersion)\",\"kind\":\"\(type.kind)\"".utf8))
    }
    text.append(UInt8(ascii: "}"))
  }

  private mutating func scanMetadata(_ scanner: inout JSONScanner) throws(JSONError) {
    text.append(UInt8(ascii: "{"))
    try scanner.enterObject()
    while let member = try scanner.nextMember() {
      switch scanner.bytes[member] {
      case "managedFields": try scanner.skipValue()
      case "namespace": namespace = try copyString(member, &scanner)
      case "name": name = try copyString(member, &scanner)
      case "resourceVersion": resourceVersion = try copyString(member, &scanner)
      case "labels" where try !scanner.isNull():
        begin(member, scanner.bytes)
        try scanLabels(&scanner)
      default: try copy(member, &scanner)
      }
    }
    text.append(UInt8(ascii: "}"))
  }

  private mutating func scanLabels(_ scanner: inout JSONScanner) throws(JSONError) {
    text.append(UInt8(ascii: "{"))
    try scanner.enterObject()
    while let member = try scanner.nextMember() {
      if let label, scanner.bytes[member].elementsEqual(label) {
        labelValue = try copyString(member, &scanner)
      } else {
        try copy(member, &scanner)
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

  private mutating func copy(_ member: Range<Int>, _ scanner: inout JSONScanner) throws(JSONError) {
    begin(member, scanner.bytes)
    let start = scanner.index
    try scanner.skipValue()
    text.append(contentsOf: scanner.bytes[start..<scanner.index])
  }

  private mutating func copyString(_ member: Range<Int>, _ scanner: inout JSONScanner) throws(JSONError) -> String {
    begin(member, scanner.bytes)
    let start = scanner.index
    let value = try scanner.string()
    text.append(contentsOf: scanner.bytes[start..<scanner.index])
    return value
  }
}

/// Member names are compared as they are written.
private func ~= (name: StaticString, bytes: ArraySlice<UInt8>) -> Bool {
  bytes.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
}
