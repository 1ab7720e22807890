import KubernetesAPI
import ObjectStore
import Telemetry

extension ControlPlane {
  static let deploymentController = "deployment-controller"

  /// Brings a Deployment's ReplicaSets a step towards its template and its number of replicas
  /// (kube-controller-manager, `pkg/controller/deployment`). Each change of a ReplicaSet calls for the next step.
  mutating func reconcileDeployment(_ key: ObjectKey, now: Now) {
    guard let object = view[.deployments, key], Deployment(object).selector != nil else { return }
    adoptReplicaSets(of: object, now: now)
    if object.metadata.isBeingDeleted || isTerminating(namespace: key.namespace) {
      writeDeploymentStatus(object, rollout: rollout(of: object), now: now)
      return
    }
    if object.spec["paused"]?.boolValue == true {
      scaleInProportion(rollout(of: object), now: now)
    } else {
      guard ensureNewReplicaSet(for: object, now: now) else { return retry(.deployment(key), now: now) }
      let current = rollout(of: view[.deployments, key] ?? object)
      if current.isScalingEvent {
        scaleInProportion(current, now: now)
      } else if current.isRecreate {
        recreate(current, now: now)
      } else {
        roll(current, now: now)
      }
      cleanUpHistory(of: key, now: now)
    }
    succeeded(.deployment(key))
    let latest = view[.deployments, key] ?? object
    writeDeploymentStatus(latest, rollout: rollout(of: latest), now: now)
  }

  func rollout(of deployment: KubernetesObject) -> DeploymentRollout {
    DeploymentRollout(
      deployment: Deployment(deployment),
      sets: view.controlled(by: deployment.metadata.uid, .replicaSets).map(ReplicaSet.init))
  }

  private mutating func adoptReplicaSets(of deployment: KubernetesObject, now: Now) {
    guard let selector = Deployment(deployment).selector, !selector.isEmpty, !deployment.metadata.isBeingDeleted else {
      return
    }
    for set in view.orphans(.replicaSets, namespace: deployment.metadata.namespace)
    where !set.metadata.isBeingDeleted && selector.matches(set.metadata.labels) {
      let references = set.metadata.ownerReferences + [OwnerReference(controlledBy: deployment)]
      perform(
        .replicaSets, .mergePatch(set.key, ["metadata": ["ownerReferences": .array(references.map(\.json))]]),
        as: Self.deploymentController, now: now)
    }
  }

  /// Creates the ReplicaSet of the present template, or brings its annotations up to date. False: it cannot be created.
  private mutating func ensureNewReplicaSet(for object: KubernetesObject, now: Now) -> Bool {
    let present = rollout(of: object)
    let revision = String(max(present.oldRevision + 1, present.newSet.map(DeploymentRollout.revision) ?? 0))
    if let set = present.newSet {
      annotate(.replicaSets, set.object, with: [DeploymentRollout.revisionAnnotation: revision], now: now)
    } else {
      var annotations = present.scaleAnnotations
      annotations[DeploymentRollout.revisionAnnotation] = revision
      for (name, value) in object.metadata.annotations where DeploymentRollout.isCopied(annotation: name) {
        annotations[name] = value
      }
      let set = present.newReplicaSet(annotations: annotations)
      switch perform(.replicaSets, .create(set), as: Self.deploymentController, now: now) {
      case .success(let created):
        let replicas = ReplicaSet(created).replicas
        if replicas > 0 { recordScaling(present.deployment.object, created, from: 0, to: replicas, now: now) }
      case .failure(let status) where status.reason == "AlreadyExists":
        // Another template with the same hash, or an object of somebody else: the next hash takes the count in.
        var object = object
        object.status["collisionCount"] = JSONValue((object.status["collisionCount"]?.intValue ?? 0) + 1)
        writeStatus(.deployments, object, as: Self.deploymentController, now: now)
        return false
      case .failure(let status):
        var object = object
        object.setCondition(
          Condition(
            type: "Progressing", status: "False", reason: "ReplicaSetCreateError", message: status.message,
            transitionTime: Timestamp.seconds(now.wall)))
        writeStatus(.deployments, object, as: Self.deploymentController, now: now)
        return false
      }
    }
    annotate(.deployments, object, with: [DeploymentRollout.revisionAnnotation: revision], now: now)
    return true
  }

  private mutating func annotate(
    _ type: ResourceType, _ object: KubernetesObject, with annotations: [String: String], now: Now
  ) {
    let present = object.metadata.annotations
    let changed = annotations.filter { present[$0.key] != $0.value }
    if changed.isEmpty { return }
    perform(
      type, .mergePatch(object.key, ["metadata": ["annotations": JSONValue(changed)]]), as: Self.deploymentController,
      now: now)
  }

  private mutating func scale(_ set: ReplicaSet, to replicas: Int, in rollout: DeploymentRollout, now: Now) {
    var patch: JSONValue = ["metadata": ["annotations": JSONValue(rollout.scaleAnnotations)]]
    let changes = set.replicas != replicas
    if changes { patch["spec"] = ["replicas": JSONValue(replicas)] }
    perform(.replicaSets, .mergePatch(set.object.key, patch), as: Self.deploymentController, now: now)
    if changes {
      recordScaling(rollout.deployment.object, set.object, from: set.replicas, to: replicas, now: now)
    }
  }

  private mutating func recordScaling(
    _ deployment: KubernetesObject, _ set: KubernetesObject, from: Int, to: Int, now: Now
  ) {
    let direction = to > from ? "up" : "down"
    record(
      on: deployment, reason: "ScalingReplicaSet",
      message: "Scaled \(direction) replica set \(set.metadata.name) from \(from) to \(to)",
      component: Self.deploymentController, now: now)
  }

  private mutating func scaleInProportion(_ rollout: DeploymentRollout, now: Now) {
    for (set, replicas) in rollout.proportionalSizes() { scale(set, to: replicas, in: rollout, now: now) }
  }

  private mutating func roll(_ rollout: DeploymentRollout, now: Now) {
    if let new = rollout.newSet {
      let size = rollout.newSetSize
      if size != new.replicas { return scale(new, to: size, in: rollout, now: now) }
    }
    for (set, replicas) in rollout.oldSetSizes() { scale(set, to: replicas, in: rollout, now: now) }
  }

  private mutating func recreate(_ rollout: DeploymentRollout, now: Now) {
    let running = rollout.oldSets.filter { $0.replicas > 0 }
    for set in running { scale(set, to: 0, in: rollout, now: now) }
    // The new pods wait until the last old one is gone.
    let hasOldPods = rollout.oldSets.contains { set in
      view.controlled(by: set.object.metadata.uid, .pods).contains { !Pod($0).isFinished }
    }
    guard running.isEmpty, !hasOldPods, let new = rollout.newSet else { return }
    if new.replicas != rollout.deployment.replicas {
      scale(new, to: rollout.deployment.replicas, in: rollout, now: now)
    }
  }

  private mutating func cleanUpHistory(of key: ObjectKey, now: Now) {
    guard let object = view[.deployments, key] else { return }
    let rollout = rollout(of: object)
    guard rollout.isComplete else { return }
    let limit = object.spec["revisionHistoryLimit"]?.intValue ?? 10
    let removable = rollout.oldSets.filter {
      $0.replicas == 0 && $0.currentReplicas == 0 && !$0.object.metadata.isBeingDeleted
    }
    for set in removable.dropLast(min(limit, removable.count)) {
      perform(
        .replicaSets, .delete(set.object.key, DeleteOptions(uid: set.object.metadata.uid)),
        as: Self.deploymentController, now: now)
    }
  }
}
