import KubernetesAPI

import struct FoundationEssentials.Date

extension PodLifecycle {
  /// The node's address in pod statuses.
  static let hostAddress = "127.0.0.1"

  /// `status` of the pod; conditions keep the transition times of `previous` while they do not change.
  func status(previous: KubernetesObject, now: Date) -> JSONValue {
    var pod = previous
    var status = pod.status
    status["phase"] = .string(phase)
    status["hostIP"] = .string(Self.hostAddress)
    status["hostIPs"] = [["ip": .string(Self.hostAddress)]]
    status["podIP"] = .string(address)
    status["podIPs"] = [["ip": .string(address)]]
    status["startTime"] = .string(Timestamp.seconds(startTime))
    status["qosClass"] = status["qosClass"] ?? .string(Self.qualityOfService(of: pod))
    status["containerStatuses"] = [containerStatus]
    pod.status = status
    let time = Timestamp.seconds(now)
    let unready = "containers with unready status: [\(container.name)]"
    let isDone = phase == "Succeeded"
    for type in ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"] {
      var isTrue = true
      switch type {
      case "Ready", "ContainersReady": isTrue = isReady
      case "PodReadyToStartContainers": isTrue = !isOver
      default: break
      }
      let isUnready = !isTrue && type != "PodReadyToStartContainers"
      pod.setCondition(
        Condition(
          type: type, status: isTrue ? "True" : "False",
          reason: isUnready ? (isDone ? "PodCompleted" : "ContainersNotReady") : "",
          message: isUnready && !isDone ? unready : "", transitionTime: time))
    }
    return pod.status
  }

  /// Pod phase by the Pod API's table of container states.
  var phase: String {
    switch state {
    case .running: return "Running"
    case .waiting: return lastTermination == nil ? "Pending" : "Running"
    case .terminated(let end):
      guard isOver else { return "Running" }
      return end.exitCode == 0 ? "Succeeded" : "Failed"
    }
  }

  private var containerStatus: JSONValue {
    var json: JSONValue = [
      "name": .string(container.name), "image": .string(container.image), "imageID": "",
      "ready": .bool(isReady), "started": .bool(isRunning && isStarted),
      "restartCount": JSONValue(instance), "state": state.json, "lastState": [:],
    ]
    if isRunning || lastTermination != nil || isOver { json["containerID"] = .string(containerID) }
    if let lastTermination { json["lastState"] = ["terminated": lastTermination.json] }
    return json
  }

  private var containerID: String { "process://\(podDescription)/\(instance)" }

  /// Pod QoS class (Kubernetes documentation, "Pod Quality of Service Classes").
  private static func qualityOfService(of pod: KubernetesObject) -> String {
    let containers = pod.spec["containers"]?.arrayValue ?? []
    var hasAny = false
    var isGuaranteed = !containers.isEmpty
    for container in containers {
      for resource in ["cpu", "memory"] {
        let limit = container[path: ["resources", "limits", resource]].flatMap(Quantity.init(json:))
        let request = container[path: ["resources", "requests", resource]].flatMap(Quantity.init(json:))
        if limit != nil || request != nil { hasAny = true }
        if limit == nil || (request != nil && request != limit) { isGuaranteed = false }
      }
    }
    return hasAny ? (isGuaranteed ? "Guaranteed" : "Burstable") : "BestEffort"
  }
}

extension ContainerState {
  var json: JSONValue {
    switch self {
    case .waiting(let waiting):
      var json: JSONValue = ["reason": .string(waiting.reason)]
      json["message"] = waiting.message.map { .string($0) }
      return ["waiting": json]
    case .running(let since): return ["running": ["startedAt": .string(Timestamp.seconds(since))]]
    case .terminated(let end): return ["terminated": end.json]
    }
  }
}

extension ContainerTermination {
  var json: JSONValue {
    var json: JSONValue = [
      "exitCode": JSONValue(exitCode), "reason": .string(reason),
      "startedAt": .string(Timestamp.seconds(startedAt)), "finishedAt": .string(Timestamp.seconds(finishedAt)),
    ]
    json["message"] = message.map { .string($0) }
    return json
  }
}
