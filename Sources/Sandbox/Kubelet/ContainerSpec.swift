import KubernetesAPI

/// What the kubelet reads of a pod's specification: its first container, the only one the sandbox runs.
struct ContainerSpec: Sendable {
  enum RestartPolicy: String, Sendable {
    case always = "Always"
    case onFailure = "OnFailure"
    case never = "Never"
  }

  let json: JSONValue
  let name: String
  let image: String
  let restartPolicy: RestartPolicy
  let gracePeriod: Duration
  let preStop: ContainerAction?
  let probes: [ProbeKind: Probe]
  /// Numbers of the declared ports, in order.
  let ports: [Int]
  /// Other containers of the pod, which the sandbox does not start.
  let ignoredContainers: [String]

  init(pod: KubernetesObject) {
    let containers = pod.spec["containers"]?.arrayValue ?? []
    let container = containers.first ?? .object([:])
    json = container
    name = container["name"]?.stringValue ?? ""
    image = container["image"]?.stringValue ?? ""
    restartPolicy = pod.spec["restartPolicy"]?.stringValue.flatMap(RestartPolicy.init) ?? .always
    gracePeriod = .seconds(max(0, pod.spec["terminationGracePeriodSeconds"]?.intValue ?? 30))
    preStop = container[path: ["lifecycle", "preStop"]].flatMap { ContainerAction($0, container: container) }
    var probes: [ProbeKind: Probe] = [:]
    for kind in ProbeKind.allCases { probes[kind] = Probe(kind, of: container) }
    self.probes = probes
    ports = (container["ports"]?.arrayValue ?? []).compactMap { $0["containerPort"]?.intValue }
    let others = (pod.spec["initContainers"]?.arrayValue ?? []) + containers.dropFirst()
    ignoredContainers = others.compactMap { $0["name"]?.stringValue }
  }

  var command: [String] { (json["command"]?.arrayValue ?? []).compactMap(\.stringValue) }
  var arguments: [String] { (json["args"]?.arrayValue ?? []).compactMap(\.stringValue) }
  var workingDirectory: String? { json["workingDir"]?.stringValue }
}
