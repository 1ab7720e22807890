import FoundationEssentials
import KubernetesAPI
import ObjectStore
import Telemetry

extension ControlPlane {
  static let replicaSetController = "replicaset-controller"

  /// Keeps as many pods of a ReplicaSet as it asks for (kube-controller-manager, `pkg/controller/replicaset`).
  mutating func reconcileReplicaSet(_ key: ObjectKey, now: Now) {
    guard let object = view[.replicaSets, key], let selector = ReplicaSet(object).selector else { return }
    let set = ReplicaSet(object)
    adoptPods(of: object, selector: selector, now: now)
    let pods = view.controlled(by: object.metadata.uid, .pods)
    let active = pods.filter { !Pod($0).isFinished && !$0.metadata.isBeingDeleted }
    var failure: KubernetesStatus?
    if !object.metadata.isBeingDeleted, !isTerminating(namespace: key.namespace) {
      if active.count < set.replicas {
        failure = createPods(set.replicas - active.count, for: object, now: now)
      } else if active.count > set.replicas {
        deletePods(PodRanking.victims(active, count: active.count - set.replicas), of: object, now: now)
      }
    }
    writeReplicaSetStatus(object, failure: failure, now: now)
    if failure == nil { succeeded(.replicaSet(key)) } else { retry(.replicaSet(key), now: now) }
  }

  private mutating func adoptPods(of set: KubernetesObject, selector: LabelSelector, now: Now) {
    guard !set.metadata.isBeingDeleted, !selector.isEmpty else { return }
    for pod in view.list(.pods, namespace: set.metadata.namespace)
    where pod.metadata.controller == nil && !pod.metadata.isBeingDeleted && selector.matches(pod.metadata.labels) {
      let references = pod.metadata.ownerReferences + [OwnerReference(controlledBy: set)]
      let patch: JSONValue = ["metadata": ["ownerReferences": .array(references.map(\.json))]]
      perform(.pods, .mergePatch(pod.key, patch), as: Self.replicaSetController, now: now)
    }
  }

  private mutating func createPods(_ count: Int, for set: KubernetesObject, now: Now) -> KubernetesStatus? {
    let template = ReplicaSet(set).template
    for _ in 0..<count {
      var metadata = template["metadata"] ?? [:]
      metadata["generateName"] = .string("\(set.metadata.name)-")
      metadata["name"] = nil
      metadata["namespace"] = .string(set.metadata.namespace)
      metadata["ownerReferences"] = [OwnerReference(controlledBy: set).json]
      let pod: JSONValue = [
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] ?? [:],
      ]
      switch perform(.pods, .create(KubernetesObject(pod)), as: Self.replicaSetController, now: now) {
      case .success(let created):
        record(
          on: set, reason: "SuccessfulCreate", message: "Created pod: \(created.metadata.name)",
          component: Self.replicaSetController, now: now)
      case .failure(let status):
        record(
          on: set, .warning, reason: "FailedCreate", message: "Error creating: \(status.message)",
          component: Self.replicaSetController, now: now)
        return status
      }
    }
    return nil
  }

  private mutating func deletePods(_ pods: [KubernetesObject], of set: KubernetesObject, now: Now) {
    for pod in pods {
      perform(
        .pods, .delete(pod.key, DeleteOptions(uid: pod.metadata.uid)), as: Self.replicaSetController, now: now)
      record(
        on: set, reason: "SuccessfulDelete", message: "Deleted pod: \(pod.metadata.name)",
        component: Self.replicaSetController, now: now)
    }
  }

  private mutating func writeReplicaSetStatus(_ object: KubernetesObject, failure: KubernetesStatus?, now: Now) {
    var object = object
    let set = ReplicaSet(object)
    let active = view.controlled(by: object.metadata.uid, .pods)
      .filter { !Pod($0).isFinished && !$0.metadata.isBeingDeleted }
    let templateLabels = set.template["metadata"]?["labels"]
    let minReady = object.spec["minReadySeconds"]?.intValue ?? 0
    var available = 0
    for pod in active where Pod(pod).isReady {
      let left = PodRanking.timeToAvailability(pod, minReadySeconds: minReady, now: now.wall)
      if left <= .zero { available += 1 } else { enqueue(.replicaSet(object.key), after: left, now: now) }
    }
    var status = object.status
    status["replicas"] = JSONValue(active.count)
    status["fullyLabeledReplicas"] = Self.count(
      active.filter { ($0.metadata.json["labels"] ?? [:]).hasLabels(of: templateLabels) }.count)
    status["readyReplicas"] = Self.count(active.filter { Pod($0).isReady }.count)
    status["availableReplicas"] = Self.count(available)
    status["observedGeneration"] = JSONValue(object.metadata.generation)
    object.status = status
    if let failure {
      object.setCondition(
        Condition(
          type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: failure.message,
          transitionTime: Timestamp.seconds(now.wall)))
    } else if object.condition("ReplicaFailure") != nil {
      let rest = object.conditions.filter { $0.type != "ReplicaFailure" }
      object.status["conditions"] = rest.isEmpty ? nil : .array(rest.map(\.json))
    }
    writeStatus(.replicaSets, object, as: Self.replicaSetController, now: now)
  }

  /// Counters that are zero are left out, as the API does (`omitempty`).
  static func count(_ number: Int) -> JSONValue? { number == 0 ? nil : JSONValue(number) }
}

/// Which of a ReplicaSet's pods go first (`controller.ActivePodsWithRanks`).
enum PodRanking {
  /// The `count` pods to delete, first first.
  static func victims(_ pods: [KubernetesObject], count: Int) -> [KubernetesObject] {
    Array(pods.sorted(by: goesBefore).prefix(count))
  }

  /// `controller.kubernetes.io/pod-deletion-cost`; 0 when absent or malformed.
  static func deletionCost(_ pod: KubernetesObject) -> Int {
    pod.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"].flatMap { Int($0) } ?? 0
  }

  /// How long a ready pod still has to stay ready to count as available.
  static func timeToAvailability(_ pod: KubernetesObject, minReadySeconds: Int, now: Date) -> Duration {
    guard minReadySeconds > 0, let since = readySince(pod) else { return .zero }
    return .seconds(Double(minReadySeconds) - now.timeIntervalSince(since))
  }

  private static func readySince(_ pod: KubernetesObject) -> Date? {
    pod.condition("Ready").flatMap { $0.isTrue ? Timestamp.parse($0.lastTransitionTime) : nil }
  }

  private static func goesBefore(_ left: KubernetesObject, _ right: KubernetesObject) -> Bool {
    let (a, b) = (Pod(left), Pod(right))
    if a.nodeName.isEmpty != b.nodeName.isEmpty { return a.nodeName.isEmpty }
    let phases = ["Pending": 0, "Unknown": 1, "Running": 2]
    let (phaseA, phaseB) = (phases[a.phase] ?? 0, phases[b.phase] ?? 0)
    if phaseA != phaseB { return phaseA < phaseB }
    if a.isReady != b.isReady { return !a.isReady }
    let (costA, costB) = (deletionCost(left), deletionCost(right))
    if costA != costB { return costA < costB }
    if a.isReady, let sinceA = readySince(left), let sinceB = readySince(right), sinceA != sinceB {
      return sinceA > sinceB
    }
    if a.restartCount != b.restartCount { return a.restartCount > b.restartCount }
    let (createdA, createdB) = (left.metadata.creationTimestamp, right.metadata.creationTimestamp)
    if createdA != createdB { return createdA > createdB }
    return left.metadata.name < right.metadata.name
  }
}
