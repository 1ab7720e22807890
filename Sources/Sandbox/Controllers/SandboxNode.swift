import FoundationEssentials
import KubernetesAPI

/// The one node of a sandbox: what it offers to pods, and its Node object.
struct SandboxNode: Sendable {
  static let name = "sandbox"

  /// What pods may request together, by resource name.
  let allocatable: [String: Quantity]
  let labels: [String: String]
  private let texts: [String: String]

  /// - Parameter allocatable: resource name to quantity; names without a valid quantity are left out.
  init(allocatable: [String: String], labels: [String: String] = [:]) {
    texts = allocatable.filter { Quantity(parsing: $0.value) != nil }
    self.allocatable = texts.compactMapValues(Quantity.init(parsing:))
    let own = [
      "kubernetes.io/hostname": Self.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": Self.architecture,
    ]
    self.labels = own.merging(labels) { _, given in given }
  }

  func object(version: String, now: Date) -> KubernetesObject {
    var node = KubernetesObject(.nodes, ObjectKey(name: Self.name))
    node.metadata.labels = labels
    node.spec = ["podCIDR": "127.0.0.0/8"]
    let time = JSONValue.string(Timestamp.seconds(now))
    let healthy: [(String, Bool, String, String)] = [
      ("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
      ("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
      ("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
      ("Ready", true, "KubeletReady", "the process kubelet takes pods"),
    ]
    node.status = [
      "capacity": JSONValue(texts), "allocatable": JSONValue(texts),
      "addresses": [
        ["type": "InternalIP", "address": .string(PodLifecycle.hostAddress)],
        ["type": "Hostname", "address": .string(Self.name)],
      ],
      "conditions": .array(
        healthy.map { type, isTrue, reason, message in
          [
            "type": .string(type), "status": isTrue ? "True" : "False", "reason": .string(reason),
            "message": .string(message), "lastHeartbeatTime": time, "lastTransitionTime": time,
          ]
        }),
      "nodeInfo": [
        "architecture": .string(Self.architecture), "operatingSystem": "linux", "kubeletVersion": .string(version),
        "kubeProxyVersion": "", "containerRuntimeVersion": "process://\(Self.name)",
        "osImage": "processes of this machine, not containers", "kernelVersion": "", "machineID": "", "systemUUID": "",
        "bootID": "",
      ],
    ]
    return node
  }

  #if arch(arm64)
    static let architecture = "arm64"
  #else
    static let architecture = "amd64"
  #endif
}
