import FoundationEssentials
import KubernetesAPI

/// What `kubectl get pods` prints (k8s.io/kubernetes: pkg/printers/internalversion/printers.go, printPod).
enum PodColumns {
  static let columns: [TableColumn] = [
    TableColumn("Ready", description: "The aggregate readiness state of this pod for accepting traffic.") { object, _ in
      let statuses = Pod(object).containerStatuses
      let ready = statuses.filter { $0["ready"]?.boolValue == true && $0[path: ["state", "running"]] != nil }.count
      return "\(ready)/\(Pod(object).containers.count)"
    },
    TableColumn("Status", description: "The aggregate status of the containers in this pod.") { object, _ in
      .string(reason(of: Pod(object)))
    },
    TableColumn("Restarts", description: "The number of times the containers in this pod have been restarted.") {
      .string(restarts(of: Pod($0), now: $1))
    },
    .age,
    TableColumn("IP", jsonPath: ".status.podIP", absent: "<none>", description: "IP address allocated to the pod."),
    TableColumn("Node", jsonPath: ".spec.nodeName", absent: "<none>", description: "The node of this pod."),
    TableColumn("Nominated Node", jsonPath: ".status.nominatedNodeName", absent: "<none>"),
    TableColumn("Readiness Gates", priority: 1) { object, _ in
      let gates = (object.spec["readinessGates"]?.arrayValue ?? []).compactMap { $0["conditionType"]?.stringValue }
      if gates.isEmpty { return "<none>" }
      return "\(gates.filter { object.condition($0)?.isTrue == true }.count)/\(gates.count)"
    },
  ]

  private static func reason(of pod: Pod) -> String {
    var reason = pod.object.status["reason"]?.stringValue ?? pod.phase
    if let gated = pod.object.condition("PodScheduled"), gated.reason == "SchedulingGated" { reason = gated.reason }
    if let initializing = initReason(of: pod) {
      reason = initializing
    } else {
      reason = containersReason(of: pod, otherwise: reason)
    }
    if pod.isTerminating {
      reason = pod.object.status["reason"]?.stringValue == "NodeLost" ? "Unknown" : "Terminating"
    }
    return reason
  }

  private static func initReason(of pod: Pod) -> String? {
    let statuses = pod.object.status["initContainerStatuses"]?.arrayValue ?? []
    let total = pod.object.spec["initContainers"]?.arrayValue?.count ?? 0
    for (index, status) in statuses.enumerated() {
      let state = status["state"] ?? [:]
      if let end = state["terminated"] {
        if end["exitCode"]?.intValue == 0 { continue }
        return "Init:" + (end["reason"]?.stringValue?.nilIfEmpty ?? endText(end))
      }
      if let waiting = state[path: ["waiting", "reason"]]?.stringValue, !waiting.isEmpty, waiting != "PodInitializing" {
        return "Init:\(waiting)"
      }
      return "Init:\(index)/\(total)"
    }
    return nil
  }

  private static func containersReason(of pod: Pod, otherwise phase: String) -> String {
    var reason = phase
    var isRunning = false
    for status in pod.containerStatuses.reversed() {
      let state = status["state"] ?? [:]
      if let waiting = state[path: ["waiting", "reason"]]?.stringValue, !waiting.isEmpty {
        reason = waiting
      } else if let end = state["terminated"] {
        reason = end["reason"]?.stringValue?.nilIfEmpty ?? endText(end)
      } else if status["ready"]?.boolValue == true, state["running"] != nil {
        isRunning = true
      }
    }
    if reason == "Completed", isRunning { return pod.isReady ? "Running" : "NotReady" }
    return reason
  }

  private static func endText(_ end: JSONValue) -> String {
    if let signal = end["signal"]?.intValue, signal != 0 { return "Signal:\(signal)" }
    return "ExitCode:\(end["exitCode"]?.intValue ?? 0)"
  }

  private static func restarts(of pod: Pod, now: Date) -> String {
    let ends = pod.containerStatuses.compactMap { $0[path: ["lastState", "terminated", "finishedAt"]]?.stringValue }
    guard pod.restartCount > 0, let last = ends.max() else { return String(pod.restartCount) }
    return "\(pod.restartCount) (\(HumanDuration.age(of: last, now: now)) ago)"
  }
}

extension TableColumn {
  /// A wide column of one text field.
  init(_ name: String, jsonPath: String, absent: JSONValue, description: String = "", priority: Int = 1) {
    let path = JSONPath(jsonPath)
    self.init(name, description: description, priority: priority) { object, _ in
      guard let value = path.first(in: object.json), value != "" else { return absent }
      return value
    }
  }

  /// A number; 0 where the object says none.
  init(count name: String, _ jsonPath: String, description: String = "", priority: Int = 0) {
    let path = JSONPath(jsonPath)
    self.init(name, type: "integer", description: description, priority: priority) { object, _ in
      path.first(in: object.json) ?? 0
    }
  }
}
