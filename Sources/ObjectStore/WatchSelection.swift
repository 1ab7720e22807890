import KubernetesAPI

/// Which objects of one resource a list or a watch is about.
public struct WatchSelection: Sendable {
  public var type: ResourceType
  /// Nil: of all namespaces.
  public var namespace: String?
  public var labels: LabelSelector
  public var fields: FieldSelector
  var fieldValues: [String: @Sendable (KubernetesObject) -> String] = [:]

  public init(
    type: ResourceType, namespace: String? = nil, labels: LabelSelector = LabelSelector(),
    fields: FieldSelector = FieldSelector()
  ) {
    self.type = type
    self.namespace = namespace
    self.labels = labels
    self.fields = fields
  }

  public func matches(_ object: KubernetesObject) -> Bool {
    if let namespace, object.metadata.namespace != namespace { return false }
    if !labels.isEmpty, !labels.matches(object.metadata.labels) { return false }
    return fields.isEmpty
      || fields.matches { field in
        switch field {
        case "metadata.name": object.metadata.name
        case "metadata.namespace": object.metadata.namespace
        default: fieldValues[field]?(object) ?? ""
        }
      }
  }
}

/// One event of a watch.
public struct WatchEvent: Sendable {
  public enum Kind: String, Sendable {
    case added = "ADDED"
    case modified = "MODIFIED"
    case deleted = "DELETED"
    case bookmark = "BOOKMARK"
    case error = "ERROR"
  }
  public var kind: Kind
  /// The object; a Status for `error`; type and resourceVersion alone for `bookmark`.
  public var object: KubernetesObject

  public init(_ kind: Kind, _ object: KubernetesObject) {
    self.kind = kind
    self.object = object
  }
}

/// What happened after a resource version.
public enum WatchBatch: Sendable {
  /// In order; nothing up to `through` is missing.
  case events([WatchEvent], through: Int)
  /// Compacted: the watcher must list again. Carries the 410 `Expired` status.
  case expired(KubernetesStatus)
}
