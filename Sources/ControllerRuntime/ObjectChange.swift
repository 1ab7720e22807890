import KubernetesAPI

/// How one object of an index changed. Both sides are there for a change, one for a beginning or an end.
public struct ObjectChange: Hashable, Sendable {
  public var key: ObjectKey
  private let before: StoredObject?
  /// Nil: the object is gone. `old` is then what was last seen of it.
  public let new: KubernetesObject?

  init(key: ObjectKey, old: StoredObject?, new: KubernetesObject?) {
    self.key = key
    before = old
    self.new = new
  }

  public var isNew: Bool { before == nil }

  /// Nil: the object is new. Where the index keeps text, asking for it costs a parse.
  public var old: KubernetesObject? { before?.object }
}

/// A change to what is known of the cluster.
public enum IndexUpdate: Hashable, Sendable {
  /// A whole list: what is not in it is gone.
  case replace([StoredObject])
  case put(StoredObject)
  /// With its last state.
  case remove(StoredObject)
}
