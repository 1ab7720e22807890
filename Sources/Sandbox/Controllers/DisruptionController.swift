import KubernetesAPI
import Telemetry

extension ControlPlane {
  /// Tells in a PodDisruptionBudget's status how many of its pods may go (kube-controller-manager, `pkg/controller/disruption`).
  mutating func reconcileDisruptionBudget(_ key: ObjectKey, now: Now) {
    guard var budget = view[.podDisruptionBudgets, key] else { return }
    let selector = budget.spec["selector"]
    let pods = view.list(.pods, namespace: key.namespace).filter {
      !Pod($0).isFinished && ($0.metadata.json["labels"] ?? [:]).isSelected(by: selector)
    }
    let expected = expectedPods(behind: pods)
    let healthy = pods.filter { Pod($0).isReady && !$0.metadata.isBeingDeleted }.count
    let desired: Int
    if let least = budget.spec["minAvailable"] {
      desired = Self.share(least, of: expected)
    } else {
      desired = max(0, expected - Self.share(budget.spec["maxUnavailable"] ?? 0, of: expected))
    }
    let allowed = expected > 0 ? max(0, healthy - desired) : 0
    var status = budget.status
    status["observedGeneration"] = JSONValue(budget.metadata.generation)
    status["expectedPods"] = JSONValue(expected)
    status["currentHealthy"] = JSONValue(healthy)
    status["desiredHealthy"] = JSONValue(desired)
    status["disruptionsAllowed"] = JSONValue(allowed)
    budget.status = status
    budget.setCondition(
      Condition(
        type: "DisruptionAllowed", status: allowed > 0 ? "True" : "False",
        reason: allowed > 0 ? "SufficientPods" : "InsufficientPods", message: "",
        transitionTime: Timestamp.seconds(now.wall), observedGeneration: budget.metadata.generation))
    writeStatus(.podDisruptionBudgets, budget, as: "disruption-controller", now: now)
  }

  /// The scale of the pods' controllers, and every pod without one.
  private func expectedPods(behind pods: [KubernetesObject]) -> Int {
    var controllers: Set<String> = []
    var expected = 0
    for pod in pods {
      guard let owner = pod.metadata.controller, let place = view.place(ofUID: owner.uid), let set = view[place] else {
        expected += 1
        continue
      }
      if controllers.insert(owner.uid).inserted { expected += ReplicaSet(set).replicas }
    }
    return expected
  }

  /// A number or a percentage, rounded up.
  private static func share(_ value: JSONValue, of total: Int) -> Int {
    if let number = value.intValue { return number }
    guard let text = value.stringValue, text.hasSuffix("%"), let percent = Int(text.dropLast()) else { return 0 }
    return (total * percent + 99) / 100
  }
}
