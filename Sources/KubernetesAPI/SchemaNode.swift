/// A node of a structural schema (`openAPIV3Schema` of a CustomResourceDefinition), as a value.
///
/// One tree says everything about a resource: what the CRD prints, what is pruned, defaulted and refused, how
/// server-side apply merges lists, and what `kubectl explain` tells.
public struct SchemaNode: Sendable {
  public enum Kind: String, Sendable { case object, array, string, integer, number, boolean }
  /// How server-side apply and strategic merge treat a list (`x-kubernetes-list-type`).
  public enum ListType: String, Sendable { case atomic, set, map }

  /// What a node says. Behind a reference, because nodes are handed on at every step of every walk.
  private var content: Content

  public init(_ kind: Kind?, _ description: String? = nil) {
    content = Content(Fields(kind: kind, description: description))
  }

  private struct Fields: Sendable {
    var kind: Kind?
    var description: String?
    var format: String?
    var properties: [(name: String, node: SchemaNode)] = []
    var required: [String] = []
    var additionalProperties: Box?
    var items: Box?
    var listType: ListType?
    var listMapKeys: [String] = []
    var isAtomicMap = false
    var isIntOrString = false
    var preservesUnknownFields = false
    var isNullable = false
    var allowedValues: [JSONValue] = []
    var defaultValue: JSONValue?
    var minimum: Int64?
    var maximum: Int64?
    var minLength: Int?
    var maxLength: Int?
    var minItems: Int?
    var maxItems: Int?
    var minProperties: Int?
    var maxProperties: Int?
    var rules: [SchemaRule] = []
  }

  private final class Content: Sendable {
    let fields: Fields
    let declared: [String: SchemaNode]
    let hasRules: Bool
    let hasUniqueElements: Bool

    init(_ fields: Fields) {
      self.fields = fields
      declared = Dictionary(fields.properties.map { ($0.name, $0.node) }, uniquingKeysWith: { first, _ in first })
      let below = fields.properties.map(\.node) + [fields.items, fields.additionalProperties].compactMap { $0?.node }
      hasRules = !fields.rules.isEmpty || below.contains(where: \.hasRules)
      hasUniqueElements =
        fields.listType == .set || fields.listType == .map || below.contains(where: \.hasUniqueElements)
    }
  }

  /// Copies: schemas are made once, and walked ever after.
  private mutating func change(_ body: (inout Fields) -> Void) {
    var fields = content.fields
    body(&fields)
    content = Content(fields)
  }

  /// A node below another one.
  public final class Box: Sendable {
    public let node: SchemaNode
    public init(_ node: SchemaNode) { self.node = node }
  }

  /// The schema of a member by name; nil where none is declared. Of a name that is declared twice the first holds.
  public subscript(property name: String) -> SchemaNode? { content.declared[name] }

  /// ``properties`` by name.
  var declared: [String: SchemaNode] { content.declared }
  /// The node has rules, or one below it.
  var hasRules: Bool { content.hasRules }
  /// The node is a list whose elements must differ, or one below it is.
  var hasUniqueElements: Bool { content.hasUniqueElements }
}

// MARK: - What a node says

extension SchemaNode {
  /// Nil with ``isIntOrString``, or where any value is taken.
  public var kind: Kind? {
    get { content.fields.kind }
    set { change { $0.kind = newValue } }
  }
  public var description: String? {
    get { content.fields.description }
    set { change { $0.description = newValue } }
  }
  public var format: String? {
    get { content.fields.format }
    set { change { $0.format = newValue } }
  }
  /// In order of declaration, which is the order of the printed schema and of error messages.
  public var properties: [(name: String, node: SchemaNode)] {
    get { content.fields.properties }
    set { change { $0.properties = newValue } }
  }
  public var required: [String] {
    get { content.fields.required }
    set { change { $0.required = newValue } }
  }
  /// Schema of the values of a free-form map.
  public var additionalProperties: Box? {
    get { content.fields.additionalProperties }
    set { change { $0.additionalProperties = newValue } }
  }
  /// Schema of the elements of a list.
  public var items: Box? {
    get { content.fields.items }
    set { change { $0.items = newValue } }
  }
  public var listType: ListType? {
    get { content.fields.listType }
    set { change { $0.listType = newValue } }
  }
  public var listMapKeys: [String] {
    get { content.fields.listMapKeys }
    set { change { $0.listMapKeys = newValue } }
  }
  /// `x-kubernetes-map-type: atomic`.
  public var isAtomicMap: Bool {
    get { content.fields.isAtomicMap }
    set { change { $0.isAtomicMap = newValue } }
  }
  public var isIntOrString: Bool {
    get { content.fields.isIntOrString }
    set { change { $0.isIntOrString = newValue } }
  }
  public var preservesUnknownFields: Bool {
    get { content.fields.preservesUnknownFields }
    set { change { $0.preservesUnknownFields = newValue } }
  }
  public var isNullable: Bool {
    get { content.fields.isNullable }
    set { change { $0.isNullable = newValue } }
  }
  public var allowedValues: [JSONValue] {
    get { content.fields.allowedValues }
    set { change { $0.allowedValues = newValue } }
  }
  public var defaultValue: JSONValue? {
    get { content.fields.defaultValue }
    set { change { $0.defaultValue = newValue } }
  }
  public var minimum: Int64? {
    get { content.fields.minimum }
    set { change { $0.minimum = newValue } }
  }
  public var maximum: Int64? {
    get { content.fields.maximum }
    set { change { $0.maximum = newValue } }
  }
  public var minLength: Int? {
    get { content.fields.minLength }
    set { change { $0.minLength = newValue } }
  }
  public var maxLength: Int? {
    get { content.fields.maxLength }
    set { change { $0.maxLength = newValue } }
  }
  public var minItems: Int? {
    get { content.fields.minItems }
    set { change { $0.minItems = newValue } }
  }
  public var maxItems: Int? {
    get { content.fields.maxItems }
    set { change { $0.maxItems = newValue } }
  }
  public var minProperties: Int? {
    get { content.fields.minProperties }
    set { change { $0.minProperties = newValue } }
  }
  public var maxProperties: Int? {
    get { content.fields.maxProperties }
    set { change { $0.maxProperties = newValue } }
  }
  public var rules: [SchemaRule] {
    get { content.fields.rules }
    set { change { $0.rules = newValue } }
  }
}

/// One rule of `x-kubernetes-validations`, in both its forms: CEL for the API server, Swift for everywhere else.
public struct SchemaRule: Sendable {
  /// CEL expression; `self` is the value at the node.
  public var cel: String
  public var message: String
  /// Below the node: `.maxUnavailable`; nil: the node itself.
  public var fieldPath: String?
  /// The same rule in Swift; true: the value is good. Only called with values that passed type checks, after defaulting.
  public var holds: @Sendable (JSONValue) -> Bool

  public init(
    cel: String, message: String, fieldPath: String? = nil, holds: @escaping @Sendable (JSONValue) -> Bool
  ) {
    self.cel = cel
    self.message = message
    self.fieldPath = fieldPath
    self.holds = holds
  }
}
