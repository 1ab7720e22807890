import KubernetesAPI
import ObjectStore
import Telemetry

/// Takes pods through their lives: scheduled or not, loading, ready, crashing, ending.
final class Kubelet: @unchecked Sendable {
  private enum Stage {
    case pending
    case loading
    case ready
    case crashed
  }

  private static let manager = "kubelet"
  private unowned let world: World
  private var dice: Dice
  private var stages: [String: Stage] = [:]
  private var ending: Set<String> = []
  private var restarts: [String: Int] = [:]

  init(_ world: World, dice: Dice) {
    self.world = world
    self.dice = dice
  }

  func isServing(_ uid: String) -> Bool { stages[uid] == .ready }

  func look(at pods: [Pod]) {
    for pod in pods {
      if stages[pod.uid] == nil { begin(pod) }
      if pod.isTerminating, ending.insert(pod.uid).inserted { end(pod) }
    }
  }

  // MARK: - Beginning

  private func begin(_ pod: Pod) {
    stages[pod.uid] = .pending
    schedule(pod)
  }

  private func schedule(_ pod: Pod) {
    let fits = !(world.faultsAreOn && dice.chance(0.08))
    world.time.after(dice.duration(0.02...0.5)) { [self] in
      guard isThere(pod) else { return }
      guard fits else {
        setStatus(
          pod,
          [
            "phase": "Pending",
            "conditions": [
              ["type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes available"]
            ],
          ])
        world.time.after(dice.duration(3...25)) { [self] in schedule(pod) }
        return
      }
      world.api.apply(.pods, .mergePatch(pod.object.key, ["spec": ["nodeName": "node"]]), as: Self.manager)
      load(pod)
    }
  }

  private func load(_ pod: Pod) {
    stages[pod.uid] = .loading
    setStatus(pod, ["phase": "Pending", "conditions": [["type": "PodScheduled", "status": "True"]]])
    let crashes = world.faultsAreOn && dice.chance(0.08)
    world.time.after(dice.duration(1...8)) { [self] in
      guard isThere(pod) else { return }
      if crashes { crash(pod) } else { becomeReady(pod) }
    }
  }

  private func becomeReady(_ pod: Pod) {
    stages[pod.uid] = .ready
    setStatus(
      pod,
      [
        "phase": "Running",
        "conditions": [["type": "PodScheduled", "status": "True"], ["type": "Ready", "status": "True"]],
        "containerStatuses": [],
      ])
    guard world.faultsAreOn, dice.chance(0.15) else { return }
    world.time.after(dice.duration(2...40)) { [self] in
      if world.faultsAreOn, isThere(pod) { crash(pod) }
    }
  }

  private func crash(_ pod: Pod) {
    stages[pod.uid] = .crashed
    let count = restarts[pod.uid, default: 0] + 1
    restarts[pod.uid] = count
    world.record.note("pod \(pod.object.metadata.name) crashes")
    for gateway in world.gateways { gateway.lose(pod.uid) }
    setStatus(
      pod,
      [
        "phase": "Running", "conditions": [["type": "Ready", "status": "False"]],
        "containerStatuses": [
          [
            "name": "model", "restartCount": JSONValue(count), "ready": false, "image": "", "imageID": "",
            "state": ["waiting": ["reason": "CrashLoopBackOff", "message": "back-off"]],
            "lastState": ["terminated": ["exitCode": 3, "reason": "Error"]],
          ]
        ],
      ])
    world.time.after(dice.duration(5...20)) { [self] in
      if isThere(pod) { load(pod) }
    }
  }

  // MARK: - Ending

  /// A pod that ends takes no new request, and has its grace for those that it has.
  private func end(_ pod: Pod) {
    let grace = pod.object.json[path: ["metadata", "deletionGracePeriodSeconds"]]?.intValue ?? 30
    let deadline = world.time.elapsed + .seconds(grace)
    func look() {
      let isIdle = world.gateways.allSatisfy { $0.load.inFlight(at: pod.uid) == 0 }
      guard isIdle || world.time.elapsed >= deadline else {
        world.time.after(.seconds(1), look)
        return
      }
      for gateway in world.gateways { gateway.lose(pod.uid) }
      stages[pod.uid] = nil
      ending.remove(pod.uid)
      restarts[pod.uid] = nil
      world.api.apply(
        .pods, .delete(pod.object.key, DeleteOptions(gracePeriodSeconds: 0, uid: pod.uid)), as: Self.manager)
    }
    world.time.after(dice.duration(0.1...2), look)
  }

  private func isThere(_ pod: Pod) -> Bool {
    stages[pod.uid] != nil && !ending.contains(pod.uid)
      && world.api.store.object(.pods, pod.object.key)?.metadata.uid == pod.uid
  }

  private func setStatus(_ pod: Pod, _ status: JSONValue) {
    guard world.api.store.object(.pods, pod.object.key)?.metadata.uid == pod.uid else { return }
    world.api.setStatus(.pods, pod.object.key, status, as: Self.manager)
  }
}
