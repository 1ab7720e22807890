import KubernetesAPI
import ObjectStore
import Telemetry
import Testing

@testable import Sandbox

@Suite("Scheduling and endpoints")
struct SchedulingTests {
  private static func pod(_ name: String, spec: JSONValue = [:], labels: [String: String] = ["app": "web"]) -> JSONValue
  {
    var spec = spec
    if spec["containers"] == nil { spec["containers"] = [["name": "c", "image": "i", "command": ["x"]]] }
    return [
      "apiVersion": "v1", "kind": "Pod",
      "metadata": ["name": .string(name), "namespace": "default", "labels": JSONValue(labels)], "spec": spec,
    ]
  }

  private static func gpus(_ count: String) -> JSONValue {
    [
      "containers": [
        ["name": "c", "image": "i", "command": ["x"], "resources": ["limits": ["nvidia.com/gpu": .string(count)]]]
      ]
    ]
  }

  @Test("a pod that asks for more than the node has left is unschedulable until another one goes")
  func unschedulable() {
    var cluster = VirtualCluster()
    cluster.create(.pods, Self.pod("a", spec: Self.gpus("2")))
    cluster.create(.pods, Self.pod("b", spec: Self.gpus("1")))
    let waiting = cluster.object(.pods, "b").map(Pod.init)
    #expect(waiting?.nodeName == "")
    #expect(waiting?.unschedulable?.message == "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
    #expect(cluster.events.contains { $0.hasPrefix("FailedScheduling: 0/1 nodes") })
    cluster.delete(.pods, "a")
    cluster.runKubelet()
    #expect(cluster.object(.pods, "b").map(Pod.init)?.nodeName == "sandbox")
  }

  @Test("a node selector that the node does not satisfy keeps a pod waiting")
  func nodeSelector() {
    var cluster = VirtualCluster()
    cluster.create(.pods, Self.pod("a", spec: ["nodeSelector": ["gpu": "h100"]]))
    cluster.create(.pods, Self.pod("b", spec: ["nodeSelector": ["kubernetes.io/os": "linux"]]))
    #expect(
      cluster.object(.pods, "a").map(Pod.init)?.unschedulable?.message
        == "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")
    #expect(cluster.object(.pods, "b").map(Pod.init)?.nodeName == "sandbox")
  }

  @Test(
    "quantities are read as Kubernetes writes them",
    arguments: [
      ("1", 1000), ("100m", 100), ("1.5", 1500), ("2k", 2_000_000), ("1Ki", 1_024_000), ("1e3", 1_000_000), ("0.1m", 1),
    ] as [(String, Int)])
  func quantity(text: String, thousandths: Int) { #expect(Quantity(parsing: text)?.thousandths == thousandths) }

  @Test("what is no quantity is refused", arguments: ["", "abc", "1x", "Gi", "--1"])
  func badQuantity(text: String) { #expect(Quantity(parsing: text) == nil) }

  private static let service: JSONValue = [
    "apiVersion": "v1", "kind": "Service",
    "metadata": ["name": "web", "namespace": "default", "labels": ["pool": "burst"]],
    "spec": [
      "clusterIP": "None", "selector": ["app": "web"], "ports": [["name": "http", "port": 80, "targetPort": "http"]],
    ],
  ]

  @Test("an EndpointSlice follows the pods that a Service selects: ready, serving, terminating, gone")
  func endpoints() throws {
    var cluster = VirtualCluster()
    cluster.create(.services, Self.service)
    let slice = { (cluster: VirtualCluster) in
      try #require(cluster.plane.view.list(.endpointSlices).first.map(EndpointSlice.init))
    }
    #expect(try slice(cluster).endpoints.isEmpty)
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 1))
    let pod = try #require(cluster.pods.first)
    cluster.set(pod, ready: false)
    #expect(try slice(cluster).endpoints.map(\.isReady) == [false])
    cluster.advance(.milliseconds(1500))
    cluster.set(pod, ready: true)
    let ready = try slice(cluster)
    #expect(ready.ports == ["http": 8000])
    #expect(ready.endpoints.first?.podUID == pod.metadata.uid)
    #expect(ready.endpoints.map(\.isReady) == [true])
    #expect(ready.lastChangeTriggerTime == "2027-01-15T08:00:01.500000000Z")
    #expect(ready.object.metadata.labels["pool"] == "burst")
    #expect(ready.serviceName == "web")
    cluster.patch(.deployments, "web", ["spec": ["replicas": 0]])
    let terminating = try slice(cluster).endpoints
    #expect(terminating.map(\.isReady) == [false])
    #expect(terminating.map(\.isServing) == [true])
    #expect(terminating.map(\.isTerminating) == [true])
    cluster.runKubelet()
    #expect(try slice(cluster).endpoints.isEmpty)
    #expect(cluster.plane.view.list(.endpointSlices).count == 1)
  }

  @Test("more than a hundred endpoints are dealt out over slices")
  func manyEndpoints() throws {
    let pods = (0..<150).map { index -> KubernetesObject in
      var pod = KubernetesObject(Self.pod("p\(index)"))
      pod.status = ["podIP": .string("127.1.0.\(index)"), "phase": "Running"]
      return pod
    }
    let service = Service(KubernetesObject(Self.service))
    var headless = service
    headless.object.spec["ports"] = nil
    #expect(EndpointSlicePlan.slices(of: headless, pods: pods).map(\.endpoints.count) == [100, 50])
    // None of these pods names the port.
    #expect(EndpointSlicePlan.slices(of: service, pods: pods).map(\.endpoints.count) == [0])
  }

  @Test("a disruption budget tells how many pods may go")
  func disruptionBudget() {
    var cluster = VirtualCluster()
    cluster.create(
      .podDisruptionBudgets,
      [
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": ["name": "b", "namespace": "default"],
        "spec": ["minAvailable": 2, "selector": ["matchLabels": ["app": "web"]]],
      ])
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 3))
    cluster.runKubelet()
    let status = cluster.object(.podDisruptionBudgets, "b")?.status
    #expect(status?["currentHealthy"]?.intValue == 3)
    #expect(status?["disruptionsAllowed"]?.intValue == 1)
  }
}
