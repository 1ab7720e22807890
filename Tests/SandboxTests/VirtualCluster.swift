import FoundationEssentials
import KubernetesAPI
import ObjectStore
import Telemetry
import Testing

@testable import Sandbox

/// A control plane on virtual time, with a kubelet that makes pods ready when the test says so.
struct VirtualCluster {
  var plane: ControlPlane
  var now = Now(monotonic: .seconds(1000), wall: Date(timeIntervalSince1970: 1_800_000_000))
  private var nextAddress = 1

  init(allocatable: [String: String] = ["cpu": "4", "memory": "8Gi", "pods": "50", "nvidia.com/gpu": "2"]) {
    let resources = ResourceDefinition.builtIn
    plane = ControlPlane(
      store: ObjectStore(resources: resources, seed: 1), types: resources.map(\.type),
      node: SandboxNode(allocatable: allocatable))
    create(.namespaces, ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "default"]])
  }

  @discardableResult
  mutating func create(_ type: ResourceType, _ json: JSONValue) -> KubernetesObject? {
    let result = plane.perform(type, .create(KubernetesObject(json)), as: "test", now: now)
    if case .failure(let status) = result { Issue.record("\(type.resource): \(status.message)") }
    settle()
    return try? result.get()
  }

  mutating func patch(_ type: ResourceType, _ name: String, _ patch: JSONValue) {
    let result = plane.perform(type, .mergePatch(key(name), patch), as: "test", now: now)
    if case .failure(let status) = result { Issue.record("\(type.resource) \(name): \(status.message)") }
    settle()
  }

  mutating func delete(_ type: ResourceType, _ name: String) {
    plane.perform(type, .delete(key(name), DeleteOptions(propagation: .background)), as: "test", now: now)
    settle()
  }

  mutating func advance(_ duration: Duration) {
    now.monotonic += duration
    now.wall = now.wall.addingTimeInterval(duration.seconds)
    settle()
  }

  mutating func settle() {
    for _ in 0..<20 where plane.settle(now: now) {}
    let hasMore = plane.settle(now: now)
    #expect(!hasMore, "the controllers do not come to rest")
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }
  func object(_ type: ResourceType, _ name: String) -> KubernetesObject? { plane.view[type, key(name)] }
  func deployment(_ name: String) -> KubernetesObject { object(.deployments, name) ?? KubernetesObject([:]) }
  var pods: [KubernetesObject] { plane.view.list(.pods) }
  var activePods: [KubernetesObject] { pods.filter { !$0.metadata.isBeingDeleted } }
  var events: [String] {
    plane.view.list(.events).map { "\($0.json["reason"]?.stringValue ?? ""): \($0.json["message"]?.stringValue ?? "")" }
  }

  /// What a kubelet writes about a pod.
  mutating func set(_ pod: KubernetesObject, ready: Bool, phase: String = "Running") {
    var pod = plane.view[.pods, pod.key] ?? pod
    if Pod(pod).podIP.isEmpty {
      pod.status["podIP"] = .string("127.9.9.\(nextAddress)")
      nextAddress += 1
    }
    pod.status["phase"] = .string(phase)
    pod.setCondition(
      Condition(
        type: "Ready", status: ready ? "True" : "False", reason: "", message: "",
        transitionTime: Timestamp.seconds(now.wall)))
    plane.writeStatus(.pods, pod, as: "test", now: now)
    settle()
  }

  /// Makes every bound pod ready, and ends every deleted one.
  mutating func runKubelet() {
    for pod in pods {
      if pod.metadata.isBeingDeleted {
        plane.perform(.pods, .delete(pod.key, DeleteOptions(gracePeriodSeconds: 0)), as: "test", now: now)
      } else if !Pod(pod).nodeName.isEmpty, !Pod(pod).isReady {
        set(pod, ready: true)
      }
    }
    settle()
  }

  static func deployment(_ name: String, replicas: Int, image: String = "one", strategy: JSONValue? = nil) -> JSONValue
  {
    var json: JSONValue = [
      "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": .string(name), "namespace": "default"],
      "spec": [
        "replicas": JSONValue(replicas), "selector": ["matchLabels": ["app": .string(name)]],
        "progressDeadlineSeconds": 600,
        "template": [
          "metadata": ["labels": ["app": .string(name)]],
          "spec": [
            "containers": [
              [
                "name": "c", "image": .string(image), "command": ["x"],
                "ports": [["name": "http", "containerPort": 8000]],
              ]
            ]
          ],
        ],
      ],
    ]
    json[path: ["spec", "strategy"]] = strategy
    return json
  }
}
