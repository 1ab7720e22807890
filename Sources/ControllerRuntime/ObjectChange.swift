import KubernetesAPI

/// How one object of an index changed. Both sides are there for a change, one for a beginning or an end.
public struct ObjectChange: Hashable, Sendable {
  public var key: ObjectKey
  /// Nil: the object is new.
  public var old: KubernetesObject?
  /// Nil: the object is gone. `old` is then what was last seen of it.
  public var new: KubernetesObject?

  public init(key: ObjectKey, old: KubernetesObject?, new: KubernetesObject?) {
    self.key = key
    self.old = old
    self.new = new
  }
}

/// A change to what is known of the cluster.
public enum IndexUpdate: Hashable, Sendable {
  /// A whole list: what is not in it is gone.
  case replace([KubernetesObject])
  case put(KubernetesObject)
  /// With its last state.
  case remove(KubernetesObject)
}
