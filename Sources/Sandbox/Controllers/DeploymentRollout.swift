import KubernetesAPI

/// A Deployment and its ReplicaSets at one moment, and the sizes that the rollout rules give them
/// (kube-controller-manager, `pkg/controller/deployment`: `rolling.go`, `sync.go`, `util/deployment_util.go`).
struct DeploymentRollout {
  static let revisionAnnotation = "deployment.kubernetes.io/revision"
  static let desiredAnnotation = "deployment.kubernetes.io/desired-replicas"
  static let maximumAnnotation = "deployment.kubernetes.io/max-replicas"
  static let hashLabel = "pod-template-hash"

  let deployment: Deployment
  /// The ReplicaSet of the present template.
  let newSet: ReplicaSet?
  /// All others, oldest first.
  let oldSets: [ReplicaSet]
  let maxSurge: Int
  let maxUnavailable: Int

  init(deployment: Deployment, sets: [ReplicaSet]) {
    self.deployment = deployment
    let ordered = sets.sorted {
      ($0.object.metadata.creationTimestamp, Self.revision($0), $0.object.key)
        < ($1.object.metadata.creationTimestamp, Self.revision($1), $1.object.key)
    }
    let template = Self.withoutHash(deployment.template)
    let new = ordered.first { Self.withoutHash($0.template) == template }
    newSet = new
    oldSets = ordered.filter { $0.object.metadata.uid != new?.object.metadata.uid }
    let strategy = deployment.object.spec["strategy"]?["rollingUpdate"]
    let surge = Self.resolve(strategy?["maxSurge"], of: deployment.replicas, roundingUp: true)
    let unavailable = Self.resolve(strategy?["maxUnavailable"], of: deployment.replicas, roundingUp: false)
    let isRecreate = deployment.object.spec[path: ["strategy", "type"]]?.stringValue == "Recreate"
    maxSurge = isRecreate ? 0 : surge
    // With neither a rollout could never begin.
    maxUnavailable = surge == 0 && unavailable == 0 ? 1 : min(unavailable, max(deployment.replicas, 1))
  }

  var isRecreate: Bool { deployment.object.spec[path: ["strategy", "type"]]?.stringValue == "Recreate" }
  var allSets: [ReplicaSet] { oldSets + (newSet.map { [$0] } ?? []) }
  var oldRevision: Int { oldSets.map(Self.revision).max() ?? 0 }

  var scaleAnnotations: [String: String] {
    let replicas = deployment.replicas
    return [
      Self.desiredAnnotation: String(replicas),
      Self.maximumAnnotation: String(replicas == 0 ? 0 : replicas + maxSurge),
    ]
  }

  static func revision(_ set: ReplicaSet) -> Int {
    set.object.metadata.annotations[revisionAnnotation].flatMap { Int($0) } ?? 0
  }

  /// Whether a Deployment's annotation is carried over to its ReplicaSets.
  static func isCopied(annotation name: String) -> Bool {
    !name.hasPrefix("deployment.kubernetes.io/") && name != "kubectl.kubernetes.io/last-applied-configuration"
      && name != "deprecated.deployment.rollback.to"
  }

  private static func resolve(_ value: JSONValue?, of total: Int, roundingUp: Bool) -> Int {
    if let number = value?.intValue { return max(0, number) }
    let text = value?.stringValue ?? "25%"
    let percent = Int(text.hasSuffix("%") ? text.dropLast() : text[...]) ?? 25
    return (total * max(0, percent) + (roundingUp ? 99 : 0)) / 100
  }

  private static func withoutHash(_ template: JSONValue) -> JSONValue {
    guard template[path: ["metadata", "labels", hashLabel]] != nil else { return template }
    var template = template
    template[path: ["metadata", "labels", hashLabel]] = nil
    return template
  }
}

// MARK: - The new ReplicaSet

extension DeploymentRollout {
  /// The ReplicaSet of the present template, in its first size.
  func newReplicaSet(annotations: [String: String]) -> KubernetesObject {
    let collisions = deployment.object.status["collisionCount"]?.intValue ?? 0
    let hash = PodTemplateHash.text(of: Self.withoutHash(deployment.template), collisions: collisions)
    let metadata = deployment.object.metadata
    var set = KubernetesObject(
      .replicaSets, ObjectKey(namespace: metadata.namespace, name: "\(metadata.name)-\(hash)"))
    var template = deployment.template
    template[path: ["metadata", "labels", Self.hashLabel]] = .string(hash)
    var selector = deployment.object.spec["selector"] ?? [:]
    selector[path: ["matchLabels", Self.hashLabel]] = .string(hash)
    set.metadata.labels = (template[path: ["metadata", "labels"]]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    set.metadata.annotations = annotations
    set.metadata.ownerReferences = [OwnerReference(controlledBy: deployment.object)]
    var spec: JSONValue = [
      "replicas": JSONValue(firstSize), "selector": selector, "template": template,
    ]
    spec["minReadySeconds"] = deployment.object.spec["minReadySeconds"]
    set.spec = spec
    return set
  }

  /// A change of replicas that came with the template goes to the ReplicaSets that have pods before this one gets its share.
  private var firstSize: Int {
    if isScalingEvent || (isRecreate && oldSets.contains { $0.replicas > 0 }) { return 0 }
    return size(from: 0)
  }

  /// What the new ReplicaSet should have now: as many more as the surge leaves room for.
  var newSetSize: Int { size(from: newSet?.replicas ?? 0) }

  private func size(from present: Int) -> Int {
    let wanted = deployment.replicas
    if present >= wanted { return wanted }
    if isRecreate { return wanted }
    let room = wanted + maxSurge - allSets.reduce(0) { $0 + $1.replicas }
    return room <= 0 ? present : present + min(room, wanted - present)
  }
}

// MARK: - The old ReplicaSets

extension DeploymentRollout {
  /// Which old ReplicaSets shrink, and to what: pods that are not available first, then as many as availability allows.
  func oldSetSizes() -> [(ReplicaSet, Int)] {
    let oldPods = oldSets.reduce(0) { $0 + $1.replicas }
    guard oldPods > 0, let newSet else { return [] }
    let least = deployment.replicas - maxUnavailable
    let unavailableNew = newSet.replicas - newSet.availableReplicas
    let removable = oldPods + newSet.replicas - least - unavailableNew
    guard removable > 0 else { return [] }
    var sizes = oldSets.map(\.replicas)
    var left = removable
    for (index, set) in oldSets.enumerated() where left > 0 {
      let unhealthy = min(left, max(0, sizes[index] - set.availableReplicas))
      sizes[index] -= unhealthy
      left -= unhealthy
    }
    var spare = allSets.reduce(0) { $0 + $1.availableReplicas } - least
    for index in sizes.indices where spare > 0 && left > 0 {
      let count = min(sizes[index], spare, left)
      sizes[index] -= count
      spare -= count
      left -= count
    }
    return zip(oldSets, sizes).filter { $0.0.replicas != $0.1 }.map { ($0.0, $0.1) }
  }
}

// MARK: - A change of the number of replicas

extension DeploymentRollout {
  /// Whether `spec.replicas` changed since the ReplicaSets were last sized.
  var isScalingEvent: Bool {
    allSets.contains { set in
      guard set.replicas > 0, let desired = set.object.metadata.annotations[Self.desiredAnnotation] else {
        return false
      }
      return Int(desired) != deployment.replicas
    }
  }

  /// New sizes by present ones, so that a rollout that is paused or under way keeps its proportions.
  func proportionalSizes() -> [(ReplicaSet, Int)] {
    let replicas = deployment.replicas
    let active = allSets.filter { $0.replicas > 0 }
    if active.count <= 1 {
      guard let only = active.first ?? newSet ?? oldSets.last else { return [] }
      return only.replicas == replicas && !isScalingEvent ? [] : [(only, replicas)]
    }
    if let newSet, newSet.replicas == replicas, newSet.availableReplicas == replicas {
      return oldSets.filter { $0.replicas > 0 }.map { ($0, 0) } + [(newSet, replicas)]
    }
    guard !isRecreate else { return [] }
    let allowed = replicas > 0 ? replicas + maxSurge : 0
    let change = allowed - active.reduce(0) { $0 + $1.replicas }
    // The larger first; of equals the newer gains and the older loses.
    let ordered = active.enumerated().sorted { left, right in
      if left.element.replicas != right.element.replicas { return left.element.replicas > right.element.replicas }
      return change > 0 ? left.offset > right.offset : left.offset < right.offset
    }.map(\.element)
    var added = 0
    var sizes = ordered.map { set in
      let share = proportion(of: set, change: change, added: added, allowed: allowed)
      added += share
      return set.replicas + share
    }
    if !sizes.isEmpty { sizes[0] = max(0, sizes[0] + change - added) }
    return zip(ordered, sizes).map { ($0, $1) }
  }

  private func proportion(of set: ReplicaSet, change: Int, added: Int, allowed: Int) -> Int {
    guard set.replicas > 0, change != 0, change != added else { return 0 }
    if deployment.replicas == 0 { return -set.replicas }
    let annotated = set.object.metadata.annotations[Self.maximumAnnotation].flatMap { Int($0) } ?? 0
    let former = annotated > 0 ? annotated : max(1, deployment.currentReplicas)
    let share = Int((Double(set.replicas * allowed) / Double(former)).rounded()) - set.replicas
    return change > 0 ? min(share, change - added) : max(share, change - added)
  }
}
