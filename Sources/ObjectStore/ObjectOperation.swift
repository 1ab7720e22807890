import KubernetesAPI

/// A request from inside the process, without HTTP: built-in controllers and the kubelet of a sandbox.
public struct ObjectOperation: Sendable {
  public enum Action: Sendable {
    case get(ObjectKey)
    case create(KubernetesObject)
    /// Conditional when the object carries a resource version.
    case update(KubernetesObject)
    case mergePatch(ObjectKey, JSONValue)
    /// Server-side apply of an object of the same type.
    case apply(KubernetesObject, force: Bool)
    case delete(ObjectKey, DeleteOptions)
  }

  public var type: ResourceType
  public var action: Action
  /// `status`, `scale` or nil for the object itself.
  public var subresource: String?
  /// Named in managedFields.
  public var fieldManager: String

  public init(_ type: ResourceType, _ action: Action, subresource: String? = nil, fieldManager: String) {
    self.type = type
    self.action = action
    self.subresource = subresource
    self.fieldManager = fieldManager
  }
}

/// `meta/v1 DeleteOptions`.
public struct DeleteOptions: Hashable, Sendable {
  public enum Propagation: String, Sendable {
    case orphan = "Orphan"
    case background = "Background"
    case foreground = "Foreground"
  }
  /// Nil: the type's own.
  public var gracePeriodSeconds: Int?
  /// Nil: background, unless finalizers already say otherwise.
  public var propagation: Propagation?
  /// Preconditions.
  public var uid: String?
  public var resourceVersion: String?
  public var isDryRun: Bool

  public init(
    gracePeriodSeconds: Int? = nil, propagation: Propagation? = nil, uid: String? = nil,
    resourceVersion: String? = nil, isDryRun: Bool = false
  ) {
    self.gracePeriodSeconds = gracePeriodSeconds
    self.propagation = propagation
    self.uid = uid
    self.resourceVersion = resourceVersion
    self.isDryRun = isDryRun
  }
}
