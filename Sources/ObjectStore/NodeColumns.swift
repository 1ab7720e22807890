import FoundationEssentials
import KubernetesAPI

/// What `kubectl get nodes` prints.
enum NodeColumns {
  static let columns: [TableColumn] = [
    TableColumn("Status", description: "The status of the node") { object, _ in
      var words = [object.condition("Ready").map { $0.isTrue ? "Ready" : "NotReady" } ?? "Unknown"]
      if object.spec["unschedulable"]?.boolValue == true { words.append("SchedulingDisabled") }
      return .string(words.joined(separator: ","))
    },
    TableColumn("Roles", description: "The roles of the node") { object, _ in
      let prefix = "node-role.kubernetes.io/"
      let roles = object.metadata.labels.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
      return .string(roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ","))
    }, .age,
    TableColumn("Version", jsonPath: ".status.nodeInfo.kubeletVersion", absent: "", priority: 0),
    TableColumn(
      "Internal-IP", jsonPath: ".status.addresses[?(@.type==\"InternalIP\")].address", absent: "<none>"),
    TableColumn(
      "External-IP", jsonPath: ".status.addresses[?(@.type==\"ExternalIP\")].address", absent: "<none>"),
    TableColumn("OS-Image", jsonPath: ".status.nodeInfo.osImage", absent: "<unknown>"),
    TableColumn("Kernel-Version", jsonPath: ".status.nodeInfo.kernelVersion", absent: "<unknown>"),
    TableColumn("Container-Runtime", jsonPath: ".status.nodeInfo.containerRuntimeVersion", absent: "<unknown>"),
  ]
}
