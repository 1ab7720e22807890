import FoundationEssentials
import InferenceAPI
import KubernetesAPI
import ObjectStore
import Telemetry

/// What makes pods of Deployments, as far as a controller of Deployments meets it: replicas, rolling updates, victims of
/// scale-downs, and the garbage collector. ReplicaSets are left out: pods belong to Deployments.
final class Workloads: @unchecked Sendable {
  static let manager = "workloads"
  private unowned let world: World
  private var dice: Dice
  private var isDue = false
  private let kubelet: Kubelet

  init(_ world: World, dice: Dice) {
    self.world = world
    self.dice = dice
    kubelet = Kubelet(world, dice: Dice(seed: self.dice.next()))
  }

  /// Pods of a service, by name.
  func pods(of service: ObjectKey) -> [Pod] {
    world.api.store.objects(.pods, namespace: service.namespace)
      .filter { $0.metadata.labels[Labels.service] == service.name }.map(Pod.init)
  }

  func pods(of deployment: KubernetesObject) -> [Pod] {
    world.api.store.objects(.pods, namespace: deployment.metadata.namespace)
      .filter { $0.metadata.controller?.uid == deployment.metadata.uid }.map(Pod.init)
  }

  /// A replica of any burst pool takes requests.
  var hasReadyBurst: Bool {
    world.api.store.objects(.pods).contains {
      $0.metadata.labels[Labels.pool] == "burst" && isReachable($0.metadata.uid)
    }
  }

  /// `kubectl scale` of a Deployment that is the controller's.
  func scaleUpByHand(_ key: ObjectKey) {
    guard world.faultsAreOn, let present = world.api.store.object(.deployments, key).map(Deployment.init),
      present.replicas < 4
    else { return }
    world.record.note("somebody scales \(key) to \(present.replicas + 1)")
    let change: JSONValue = ["spec": ["replicas": JSONValue(present.replicas + 1)]]
    world.api.apply(.deployments, .mergePatch(key, change), as: "kubectl")
    world.judge.scaledByHand(key)
  }

  /// A connection to the pod would be accepted.
  func isReachable(_ uid: String) -> Bool { kubelet.isServing(uid) }

  /// Something changed: act on it in a moment.
  func changed() {
    guard !isDue else { return }
    isDue = true
    world.time.after(dice.duration(0.002...0.05)) { [self] in
      isDue = false
      world.api.collectGarbage()
      for deployment in world.api.store.objects(.deployments) where !deployment.metadata.isBeingDeleted {
        reconcile(Deployment(deployment))
      }
      kubelet.look(at: world.api.store.objects(.pods).map(Pod.init))
    }
  }

  // MARK: - Deployments

  private func reconcile(_ deployment: Deployment) {
    let wanted = deployment.replicas
    let active = pods(of: deployment.object).filter { !$0.isTerminating && !$0.isFinished }
    let template = Self.hash(deployment.template)
    let old = active.filter { Self.hash($0.object.json) != template }
    if active.count > wanted + (old.isEmpty || wanted == 0 ? 0 : 1) {
      for pod in active.sorted(by: Self.goesBefore).prefix(active.count - wanted) { delete(pod) }
    } else if old.isEmpty {
      for _ in active.count..<max(active.count, wanted) { create(deployment) }
    } else {
      roll(active, old: old, wanted: wanted, deployment)
    }
    writeStatus(deployment.object.key)
  }

  private static func hash(_ pod: JSONValue) -> JSONValue? {
    pod[path: ["metadata", "annotations", "serving.pilotlight.dev/template-hash"]]
  }

  /// One more than is wanted, and never fewer ready ones.
  private func roll(_ active: [Pod], old: [Pod], wanted: Int, _ deployment: Deployment) {
    if active.count < wanted + 1, active.count - old.count < wanted { create(deployment) }
    var spare = active.count { $0.isReady } - wanted
    for pod in old where !pod.isReady || spare > 0 {
      if pod.isReady { spare -= 1 }
      delete(pod)
    }
  }

  /// Pods that a Deployment has too many of, in the order in which they go; none while a rollout says otherwise.
  func victims(of deployment: Deployment) -> [Pod] {
    let active = pods(of: deployment.object).filter { !$0.isTerminating && !$0.isFinished }
    let template = Self.hash(deployment.template)
    guard active.allSatisfy({ Self.hash($0.object.json) == template }) else { return [] }
    return Array(active.sorted(by: Self.goesBefore).prefix(max(0, active.count - deployment.replicas)))
  }

  /// Order of `controller.ActivePodsWithRanks`, as far as it matters here.
  private static func goesBefore(_ left: Pod, _ right: Pod) -> Bool {
    func rank(_ pod: Pod) -> (Int, Int, Int, String) {
      let cost = pod.object.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"].flatMap { Int($0) } ?? 0
      return (pod.nodeName.isEmpty ? 0 : 1, pod.isReady ? 1 : 0, cost, pod.object.metadata.name)
    }
    return rank(left) < rank(right)
  }

  private func create(_ deployment: Deployment) {
    var metadata = deployment.template["metadata"] ?? [:]
    metadata["generateName"] = .string("\(deployment.object.metadata.name)-")
    metadata["namespace"] = .string(deployment.object.metadata.namespace)
    metadata["ownerReferences"] = [OwnerReference(controlledBy: deployment.object).json]
    let pod: JSONValue = [
      "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": deployment.template["spec"] ?? [:],
    ]
    world.api.apply(.pods, .create(KubernetesObject(pod)), as: Self.manager)
  }

  private func delete(_ pod: Pod) {
    world.record.note("workloads delete pod \(pod.object.metadata.name) \(pod.uid)")
    world.api.apply(.pods, .delete(pod.object.key, DeleteOptions(uid: pod.uid)), as: Self.manager)
  }

  private func writeStatus(_ key: ObjectKey) {
    guard let object = world.api.store.object(.deployments, key) else { return }
    let active = pods(of: object).filter { !$0.isTerminating && !$0.isFinished }
    let template = Self.hash(Deployment(object).template)
    let status: JSONValue = [
      "observedGeneration": JSONValue(object.metadata.generation), "replicas": JSONValue(active.count),
      "readyReplicas": JSONValue(active.count { $0.isReady }),
      "updatedReplicas": JSONValue(active.count { Self.hash($0.object.json) == template }),
    ]
    world.api.setStatus(.deployments, key, status, as: Self.manager)
  }
}
