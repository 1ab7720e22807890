import FoundationEssentials
import KubernetesAPI

/// Everything the store knows about one resource: names, schema, subresources, table, and what a built-in type does besides.
public struct ResourceDefinition: Sendable {
  public var type: ResourceType
  public var singular: String
  public var shortNames: [String]
  public var categories: [String]
  /// Whether `/status` exists, and with it the rule that the main endpoint does not write the status.
  public var hasStatus: Bool
  public var scale: ScaleMapping?
  /// After the name column.
  public var columns: [TableColumn]
  /// Of the whole object; `apiVersion`, `kind` and `metadata` are added where it does not declare them.
  public var schema: SchemaNode
  /// Custom resources answer some requests unlike built-in ones: no strategic merge, `resourceVersion` required for PUT.
  public var isCustom: Bool
  public var behaviour = Behaviour()

  public init(
    type: ResourceType, singular: String? = nil, shortNames: [String] = [], categories: [String] = [],
    hasStatus: Bool = false, scale: ScaleMapping? = nil, columns: [TableColumn], schema: SchemaNode?,
    isCustom: Bool = true
  ) {
    self.type = type
    self.singular = singular ?? type.kind.lowercased()
    self.shortNames = shortNames
    self.categories = categories
    self.hasStatus = hasStatus
    self.scale = scale
    self.columns = columns
    self.schema = ObjectSchema.completed(schema, description: type.kind)
    self.isCustom = isCustom
  }

  public var listKind: String { "\(type.kind)List" }

  /// What built-in types do that no schema says.
  public struct Behaviour: Sendable {
    /// Whether `metadata.generation` counts changes of the spec.
    public var tracksGeneration = true
    /// Whether a status that a creator sends is kept.
    public var keepsStatusOnCreate = false
    /// Where a status written at creation starts.
    public var initialStatus: JSONValue?
    /// Defaults and normal forms that no schema expresses; runs after the schema's defaults, on every write.
    public var normalize: @Sendable (inout JSONValue) -> Void = { _ in }
    /// What is wrong with a new object (old nil) or with a change.
    public var validate: @Sendable (_ new: JSONValue, _ old: JSONValue?) -> [KubernetesStatus.Cause] = { _, _ in [] }
    /// Seconds between the deletion of an object and its end; 0 ends it at once.
    public var gracePeriod: @Sendable (KubernetesObject) -> Int = { _ in 0 }
    /// Whether DELETE answers with the object instead of a Status.
    public var returnsDeletedObject = false
    /// Fields a field selector may name besides metadata.name and metadata.namespace, with their values.
    public var selectableFields: [String: @Sendable (KubernetesObject) -> String] = [:]
    public init() {}
  }
}

/// Where the scale subresource finds its numbers (`subresources.scale` of a CustomResourceDefinition).
public struct ScaleMapping: Hashable, Sendable {
  /// Paths from the object's root: `["spec", "replicas"]`.
  public var specReplicas: [String]
  public var statusReplicas: [String]
  /// Of a string such as `app=x`; of a whole label selector for built-in types.
  public var selector: [String]?

  public init(specReplicas: [String], statusReplicas: [String], selector: [String]? = nil) {
    self.specReplicas = specReplicas
    self.statusReplicas = statusReplicas
    self.selector = selector
  }

  /// From JSON paths such as `.spec.replicas`.
  public init(specReplicasPath: String, statusReplicasPath: String, labelSelectorPath: String? = nil) {
    func path(_ text: String) -> [String] { text.split(separator: ".").map(String.init) }
    self.init(
      specReplicas: path(specReplicasPath), statusReplicas: path(statusReplicasPath),
      selector: labelSelectorPath.map(path))
  }
}
