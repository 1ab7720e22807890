import FoundationEssentials
import KubernetesAPI
import Telemetry

extension DeploymentRollout {
  /// Whether every replica is of the new template and available.
  var isComplete: Bool {
    let wanted = deployment.replicas
    guard let newSet, newSet.replicas == wanted, newSet.availableReplicas == wanted else { return false }
    return newSet.currentReplicas == wanted && oldSets.allSatisfy { $0.currentReplicas == 0 && $0.replicas == 0 }
  }

  /// Counts, as `kubectl get deployment` and `kubectl rollout status` read them.
  struct Counts: Equatable {
    var replicas: Int
    var updated: Int
    var ready: Int
    var available: Int
  }

  var counts: Counts {
    Counts(
      replicas: allSets.reduce(0) { $0 + $1.currentReplicas }, updated: newSet?.currentReplicas ?? 0,
      ready: allSets.reduce(0) { $0 + $1.readyReplicas }, available: allSets.reduce(0) { $0 + $1.availableReplicas })
  }

  /// The new status; `deadline` is when it has to be looked at again because progress may have stopped.
  func status(now: Date) -> (status: JSONValue, deadline: Duration?) {
    var object = deployment.object
    let counts = counts
    var status = object.status
    status["observedGeneration"] = JSONValue(object.metadata.generation)
    status["replicas"] = ControlPlane.count(counts.replicas)
    status["updatedReplicas"] = ControlPlane.count(counts.updated)
    status["readyReplicas"] = ControlPlane.count(counts.ready)
    status["availableReplicas"] = ControlPlane.count(counts.available)
    status["unavailableReplicas"] = ControlPlane.count(
      max(0, max(counts.replicas, deployment.replicas) - counts.available))
    object.status = status
    let isAvailable = counts.available >= deployment.replicas - maxUnavailable
    set(
      "Available", isAvailable, isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
      "Deployment \(isAvailable ? "has" : "does not have") minimum availability.", on: &object, now: now)
    let deadline = setProgress(on: &object, counts: counts, now: now)
    return (object.status, deadline)
  }

  private func setProgress(on object: inout KubernetesObject, counts: Counts, now: Date) -> Duration? {
    let name = newSet?.object.metadata.name ?? deployment.object.metadata.name
    let present = deployment.object.condition("Progressing")
    if isComplete {
      set(
        "Progressing", true, "NewReplicaSetAvailable", "ReplicaSet \"\(name)\" has successfully progressed.",
        on: &object,
        now: now)
      return nil
    }
    // A finished rollout is not begun again by a change of replicas: a slow start after a wake is no failed rollout.
    if present?.reason == "NewReplicaSetAvailable", counts.replicas == counts.updated { return nil }
    let former = Counts(
      replicas: deployment.currentReplicas, updated: deployment.updatedReplicas, ready: deployment.readyReplicas,
      available: deployment.availableReplicas)
    let isNewGeneration = deployment.observedGeneration != deployment.object.metadata.generation
    let hasProgressed =
      counts.updated > former.updated || counts.ready > former.ready || counts.available > former.available
      || counts.replicas - counts.updated < former.replicas - former.updated
    if present == nil || isNewGeneration || hasProgressed || present?.reason == "ReplicaSetCreateError" {
      let reason = present == nil ? "NewReplicaSetCreated" : "ReplicaSetUpdated"
      let message =
        present == nil ? "Created new replica set \"\(name)\"" : "ReplicaSet \"\(name)\" is progressing."
      set("Progressing", true, reason, message, on: &object, now: now, touches: true)
    }
    // Minutes may pass between two steps once a rollout is complete: only an unfinished one can be late.
    guard let limit = deployment.object.spec["progressDeadlineSeconds"]?.intValue,
      let condition = object.condition("Progressing"), condition.reason != "NewReplicaSetAvailable",
      condition.reason != "ProgressDeadlineExceeded", object.spec["paused"]?.boolValue != true
    else { return nil }
    let last = Timestamp.parse(condition.json["lastUpdateTime"]?.stringValue ?? "") ?? now
    let left = Double(limit) - now.timeIntervalSince(last)
    if left > 0 { return .seconds(left) }
    set(
      "Progressing", false, "ProgressDeadlineExceeded", "ReplicaSet \"\(name)\" has timed out progressing.",
      on: &object, now: now)
    return nil
  }

  /// `lastUpdateTime` moves when the condition changes, or when it is touched: progress was seen.
  private func set(
    _ type: String, _ isTrue: Bool, _ reason: String, _ message: String, on object: inout KubernetesObject, now: Date,
    touches: Bool = false
  ) {
    let time = Timestamp.seconds(now)
    var condition = Condition(
      type: type, status: isTrue ? "True" : "False", reason: reason, message: message, transitionTime: time)
    let present = object.condition(type)
    let isSame = present?.status == condition.status && present?.reason == reason && present?.message == message
    condition.json["lastUpdateTime"] = isSame && !touches ? present?.json["lastUpdateTime"] : .string(time)
    object.setCondition(condition)
  }
}

extension ControlPlane {
  mutating func writeDeploymentStatus(_ deployment: KubernetesObject, rollout: DeploymentRollout, now: Now) {
    let (status, deadline) = rollout.status(now: now.wall)
    var object = deployment
    object.status = status
    writeStatus(.deployments, object, as: Self.deploymentController, now: now)
    if let deadline { enqueue(.deployment(deployment.key), after: deadline + .milliseconds(10), now: now) }
  }
}
