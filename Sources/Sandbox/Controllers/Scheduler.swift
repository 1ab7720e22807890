import KubernetesAPI
import ObjectStore
import Telemetry

/// What pods ask of a node (scheduler, `NodeResourcesFit`): requests, limits where no request is given.
enum PodResources {
  static func requests(of pod: KubernetesObject) -> [String: Quantity] {
    var total = (pod.spec["containers"]?.arrayValue ?? []).reduce(into: [String: Quantity]()) { total, container in
      for (name, quantity) in requests(ofContainer: container) {
        total[name] = total[name].map { $0 + quantity } ?? quantity
      }
    }
    for container in pod.spec["initContainers"]?.arrayValue ?? [] {
      for (name, quantity) in requests(ofContainer: container) { total[name] = max(total[name] ?? quantity, quantity) }
    }
    return total
  }

  private static func requests(ofContainer container: JSONValue) -> [String: Quantity] {
    let limits = container[path: ["resources", "limits"]]?.objectValue ?? [:]
    let requests = container[path: ["resources", "requests"]]?.objectValue ?? [:]
    return limits.merging(requests) { _, request in request }.compactMapValues(Quantity.init(json:))
  }
}

extension ControlPlane {
  static let scheduler = "default-scheduler"

  /// Binds a pod to the node, or says why it cannot run there.
  mutating func schedulePod(_ key: ObjectKey, now: Now) {
    guard let pod = view[.pods, key], Pod(pod).nodeName.isEmpty, !pod.metadata.isBeingDeleted, !Pod(pod).isFinished
    else { return }
    if let reason = obstacle(to: pod) {
      let message = "0/1 nodes are available: \(reason)."
      if let present = Pod(pod).unschedulable, present.message == message { return }
      var pod = pod
      pod.setCondition(
        Condition(
          type: "PodScheduled", status: "False", reason: "Unschedulable", message: message,
          transitionTime: Timestamp.seconds(now.wall)))
      writeStatus(.pods, pod, as: Self.scheduler, now: now)
      record(on: pod, .warning, reason: "FailedScheduling", message: message, component: Self.scheduler, now: now)
      return
    }
    let patch: JSONValue = ["spec": ["nodeName": .string(SandboxNode.name)]]
    switch perform(.pods, .mergePatch(key, patch), as: Self.scheduler, now: now) {
    case .success(let bound):
      record(
        on: bound, reason: "Scheduled", message: "Successfully assigned \(key) to \(SandboxNode.name)",
        component: Self.scheduler, now: now)
    case .failure(let status):
      record(
        on: pod, .warning, reason: "FailedScheduling", message: status.message, component: Self.scheduler, now: now)
    }
  }

  /// Why the pod does not fit, in the scheduler's words; nil when it does.
  private func obstacle(to pod: KubernetesObject) -> String? {
    let wanted = (pod.spec["nodeSelector"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    if wanted.contains(where: { node.labels[$0.key] != $0.value }) {
      return "1 node(s) didn't match Pod's node affinity/selector"
    }
    let requests = PodResources.requests(of: pod)
    let others = view.list(.pods).filter { !Pod($0).nodeName.isEmpty && !Pod($0).isFinished }
    if let limit = node.allocatable["pods"], others.count * 1000 + 1000 > limit.thousandths { return "1 Too many pods" }
    guard !requests.isEmpty else { return nil }
    let used = others.reduce(into: [String: Quantity]()) { used, other in
      for (name, quantity) in PodResources.requests(of: other) {
        used[name] = used[name].map { $0 + quantity } ?? quantity
      }
    }
    let lacking = requests.filter { name, quantity in
      guard quantity.thousandths > 0 else { return false }
      let total = quantity + (used[name] ?? Quantity(thousandths: 0))
      return total > (node.allocatable[name] ?? Quantity(thousandths: 0))
    }
    return lacking.isEmpty ? nil : lacking.keys.sorted().map { "1 Insufficient \($0)" }.joined(separator: ", ")
  }
}
