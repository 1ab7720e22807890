/// A thin view of `coordination.k8s.io/v1 Lease`.
public struct Lease: Hashable, Sendable {
  public var object: KubernetesObject
  public init(_ object: KubernetesObject) { self.object = object }

  /// "" while nobody holds it.
  public var holderIdentity: String {
    get { object.spec["holderIdentity"]?.stringValue ?? "" }
    set { object.spec["holderIdentity"] = .string(newValue) }
  }
  /// RFC 3339 with microseconds.
  public var renewTime: String? {
    get { object.spec["renewTime"]?.stringValue }
    set { object.spec["renewTime"] = newValue.map { .string($0) } }
  }
  /// RFC 3339 with microseconds.
  public var acquireTime: String? {
    get { object.spec["acquireTime"]?.stringValue }
    set { object.spec["acquireTime"] = newValue.map { .string($0) } }
  }
  public var leaseDurationSeconds: Int? {
    get { object.spec["leaseDurationSeconds"]?.intValue }
    set { object.spec["leaseDurationSeconds"] = newValue.map { JSONValue($0) } }
  }
  /// How often the holder changed.
  public var leaseTransitions: Int {
    get { object.spec["leaseTransitions"]?.intValue ?? 0 }
    set { object.spec["leaseTransitions"] = JSONValue(newValue) }
  }
}
