import KubernetesAPI

/// How one object of an index changed. Both sides are there for a change, one for a beginning or an end.
public struct ObjectChange: Hashable, Sendable {
  public var key: ObjectKey
  private let before: StoredObject?
  private let after: StoredObject?

  init(key: ObjectKey, old: StoredObject?, new: StoredObject?) {
    self.key = key
    before = old
    after = new
  }

  public var isNew: Bool { before == nil }
  public var isEnd: Bool { after == nil }

  /// Nil: the object is new. Where the index keeps text, asking for it costs a parse.
  public var old: KubernetesObject? { before?.object }

  /// Nil: the object is gone. `old` is then what was last seen of it. Where the index keeps text, asking for it costs a parse.
  public var new: KubernetesObject? { after?.object }

  /// The value of the label that the informer keeps apart (``InformerMachine/Configuration/label``), without a parse.
  public var label: String? { (after ?? before)?.label }
}

/// A change to what is known of the cluster.
public enum IndexUpdate: Hashable, Sendable {
  /// A whole list: what is not in it is gone.
  case replace([StoredObject])
  case put(StoredObject)
  /// With its last state.
  case remove(StoredObject)
}
