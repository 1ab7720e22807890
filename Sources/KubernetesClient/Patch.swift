import KubernetesAPI

/// A change to an object, in one of the API server's patch formats.
public enum Patch: Hashable, Sendable {
  /// RFC 7396; also sets `fieldManager` of what it changes.
  case merge(JSONValue)
  /// RFC 6902: an array of operations. A `test` of `/metadata/resourceVersion` makes it conditional.
  case json(JSONValue)
  /// Server-side apply: the fields that `fieldManager` wants, whole; `force` takes fields over from others.
  case apply(JSONValue, fieldManager: String, force: Bool)

  /// A patch of a JSON document, as HTTP names it.
  var contentType: String {
    switch self {
    case .merge: "application/merge-patch+json"
    case .json: "application/json-patch+json"
    case .apply: "application/apply-patch+yaml"
    }
  }

  var body: [UInt8] {
    switch self {
    case .merge(let value), .json(let value), .apply(let value, _, _): value.bytes
    }
  }

  var query: [KubernetesRequest.QueryItem] {
    guard case .apply(_, let fieldManager, let force) = self else { return [] }
    return [.init("fieldManager", fieldManager), .init("force", force ? "true" : "false")]
  }
}

/// What happens to the objects that a deleted one owns.
public enum DeletionPropagation: String, Sendable {
  case background = "Background"
  case foreground = "Foreground"
  case orphan = "Orphan"
}

/// What must still hold for a deletion to happen; otherwise it fails with a conflict.
public struct DeletionPreconditions: Hashable, Sendable {
  public var uid: String?
  public var resourceVersion: String?
  public init(uid: String? = nil, resourceVersion: String? = nil) {
    self.uid = uid
    self.resourceVersion = resourceVersion
  }

  var json: JSONValue {
    var value: JSONValue = [:]
    value["uid"] = uid.map { .string($0) }
    value["resourceVersion"] = resourceVersion.map { .string($0) }
    return value
  }
}

/// `autoscaling/v1 Scale`: the `/scale` subresource.
public struct Scale: Hashable, Sendable {
  public var object: KubernetesObject
  public init(_ object: KubernetesObject) { self.object = object }

  /// Wanted replicas.
  public var replicas: Int {
    get { object.spec["replicas"]?.intValue ?? 0 }
    set { object.spec["replicas"] = JSONValue(newValue) }
  }
  /// Replicas that exist.
  public var observedReplicas: Int { object.status["replicas"]?.intValue ?? 0 }
  /// Label selector of the replicas' pods, in query form.
  public var selector: String { object.status["selector"]?.stringValue ?? "" }
}
