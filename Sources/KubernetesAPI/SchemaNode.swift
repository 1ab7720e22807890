/// A node of a structural schema (`openAPIV3Schema` of a CustomResourceDefinition), as a value.
///
/// One tree says everything about a resource: what the CRD prints, what is pruned, defaulted and refused, how
/// server-side apply merges lists, and what `kubectl explain` tells.
public struct SchemaNode: Sendable {
  public enum Kind: String, Sendable { case object, array, string, integer, number, boolean }
  /// How server-side apply and strategic merge treat a list (`x-kubernetes-list-type`).
  public enum ListType: String, Sendable { case atomic, set, map }

  /// Nil with ``isIntOrString``, or where any value is taken.
  public var kind: Kind?
  public var description: String?
  public var format: String?
  /// In order of declaration, which is the order of the printed schema and of error messages.
  public var properties: [(name: String, node: SchemaNode)] = []
  public var required: [String] = []
  /// Schema of the values of a free-form map.
  public var additionalProperties: Box?
  /// Schema of the elements of a list.
  public var items: Box?
  public var listType: ListType?
  public var listMapKeys: [String] = []
  /// `x-kubernetes-map-type: atomic`.
  public var isAtomicMap = false
  public var isIntOrString = false
  public var preservesUnknownFields = false
  public var isNullable = false
  public var allowedValues: [JSONValue] = []
  public var defaultValue: JSONValue?
  public var minimum: Int64?
  public var maximum: Int64?
  public var minLength: Int?
  public var maxLength: Int?
  public var minItems: Int?
  public var maxItems: Int?
  public var minProperties: Int?
  public var maxProperties: Int?
  public var rules: [SchemaRule] = []

  public init(_ kind: Kind?, _ description: String? = nil) {
    self.kind = kind
    self.description = description
  }

  /// Keeps the recursive value small; immutable.
  public final class Box: Sendable {
    public let node: SchemaNode
    public init(_ node: SchemaNode) { self.node = node }
  }

  /// The schema of a member by name; nil where none is declared.
  public subscript(property name: String) -> SchemaNode? { properties.first { $0.name == name }?.node }
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
