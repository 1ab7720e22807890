/// A thin view of `apps/v1 Deployment`; everything else stays in ``object``.
public struct Deployment: Hashable, Sendable {
  public var object: KubernetesObject
  public init(_ object: KubernetesObject) { self.object = object }

  /// `spec.replicas`; 1 when absent, as the API server defaults it.
  public var replicas: Int {
    get { object.spec["replicas"]?.intValue ?? 1 }
    set { object.spec["replicas"] = JSONValue(newValue) }
  }
  public var selector: LabelSelector? { object.spec["selector"].flatMap { LabelSelector(json: $0) } }
  /// Pod template, opaque.
  public var template: JSONValue {
    get { object.spec["template"] ?? .object([:]) }
    set { object.spec["template"] = newValue }
  }
  public var observedGeneration: Int { object.status["observedGeneration"]?.intValue ?? 0 }
  public var currentReplicas: Int { object.status["replicas"]?.intValue ?? 0 }
  public var readyReplicas: Int { object.status["readyReplicas"]?.intValue ?? 0 }
  public var availableReplicas: Int { object.status["availableReplicas"]?.intValue ?? 0 }
  public var updatedReplicas: Int { object.status["updatedReplicas"]?.intValue ?? 0 }
}

/// A thin view of `apps/v1 ReplicaSet`.
public struct ReplicaSet: Hashable, Sendable {
  public var object: KubernetesObject
  public init(_ object: KubernetesObject) { self.object = object }

  /// `spec.replicas`; 1 when absent.
  public var replicas: Int {
    get { object.spec["replicas"]?.intValue ?? 1 }
    set { object.spec["replicas"] = JSONValue(newValue) }
  }
  public var selector: LabelSelector? { object.spec["selector"].flatMap { LabelSelector(json: $0) } }
  public var template: JSONValue { object.spec["template"] ?? .object([:]) }
  public var currentReplicas: Int { object.status["replicas"]?.intValue ?? 0 }
  public var readyReplicas: Int { object.status["readyReplicas"]?.intValue ?? 0 }
  public var availableReplicas: Int { object.status["availableReplicas"]?.intValue ?? 0 }
}

/// A thin view of `v1 Pod`.
public struct Pod: Hashable, Sendable {
  public var object: KubernetesObject
  public init(_ object: KubernetesObject) { self.object = object }

  public var uid: String { object.metadata.uid }
  public var nodeName: String { object.spec["nodeName"]?.stringValue ?? "" }
  public var containers: [JSONValue] { object.spec["containers"]?.arrayValue ?? [] }
  /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
  public var phase: String { object.status["phase"]?.stringValue ?? "Pending" }
  public var podIP: String { object.status["podIP"]?.stringValue ?? "" }
  public var isReady: Bool { object.condition("Ready")?.isTrue ?? false }
  public var isTerminating: Bool { object.metadata.isBeingDeleted }
  public var isFinished: Bool { phase == "Succeeded" || phase == "Failed" }
  /// Nil while the scheduler has not refused it; the reason and text of `PodScheduled=False`.
  public var unschedulable: Condition? {
    object.condition("PodScheduled").flatMap { !$0.isTrue && $0.reason == "Unschedulable" ? $0 : nil }
  }
  public var containerStatuses: [JSONValue] { object.status["containerStatuses"]?.arrayValue ?? [] }
  public var restartCount: Int { containerStatuses.reduce(0) { $0 + ($1["restartCount"]?.intValue ?? 0) } }
}
