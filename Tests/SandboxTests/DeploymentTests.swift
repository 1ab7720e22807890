import KubernetesAPI
import ObjectStore
import Telemetry
import Testing

@testable import Sandbox

@Suite("Deployments")
struct DeploymentTests {
  @Test("a Deployment without replicas makes a ReplicaSet, and no pod")
  func asleep() {
    var cluster = VirtualCluster()
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 0))
    #expect(cluster.plane.view.list(.replicaSets).count == 1)
    #expect(cluster.pods.isEmpty)
    #expect(cluster.deployment("web").condition("Progressing")?.reason == "NewReplicaSetAvailable")
    #expect(cluster.deployment("web").status["observedGeneration"]?.intValue == 1)
  }

  @Test("pods are created, bound and counted within one call")
  func create() {
    var cluster = VirtualCluster()
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 3))
    #expect(cluster.pods.count == 3)
    #expect(cluster.pods.allSatisfy { Pod($0).nodeName == "sandbox" })
    #expect(cluster.deployment("web").condition("Available")?.isTrue == false)
    #expect(cluster.deployment("web").status["unavailableReplicas"]?.intValue == 3)
    cluster.runKubelet()
    let deployment = cluster.deployment("web")
    #expect(Deployment(deployment).availableReplicas == 3)
    #expect(deployment.status["unavailableReplicas"] == nil)
    #expect(deployment.condition("Available")?.isTrue == true)
    #expect(deployment.condition("Progressing")?.reason == "NewReplicaSetAvailable")
    #expect(deployment.metadata.annotations["deployment.kubernetes.io/revision"] == "1")
    let owner = cluster.pods.first?.metadata.controller
    #expect(owner?.kind == "ReplicaSet")
    #expect(cluster.events.contains { $0.hasPrefix("ScalingReplicaSet: Scaled up replica set web-") })
  }

  @Test(
    "a rolling update keeps within surge and availability",
    arguments: [(3, JSONValue(1), JSONValue(0)), (4, "25%", "25%"), (2, 0, 1), (5, "100%", 0)])
  func rollingUpdate(replicas: Int, surge: JSONValue, unavailable: JSONValue) {
    var cluster = VirtualCluster(allocatable: ["pods": "100"])
    let strategy: JSONValue = [
      "type": "RollingUpdate", "rollingUpdate": ["maxSurge": surge, "maxUnavailable": unavailable],
    ]
    cluster.create(
      .deployments, VirtualCluster.deployment("web", replicas: replicas, strategy: strategy))
    cluster.runKubelet()
    let rollout = cluster.plane.rollout(of: cluster.deployment("web"))
    cluster.patch(
      .deployments, "web",
      ["spec": ["template": ["spec": ["containers": [["name": "c", "image": "two", "command": ["x"]]]]]]])
    for _ in 0..<40 {
      let ready = cluster.activePods.filter { Pod($0).isReady }.count
      #expect(ready >= replicas - rollout.maxUnavailable)
      #expect(cluster.activePods.count <= replicas + rollout.maxSurge)
      if let pod = cluster.activePods.first(where: { !Pod($0).isReady }) {
        cluster.set(pod, ready: true)
      }
      for pod in cluster.pods where pod.metadata.isBeingDeleted {
        cluster.plane.perform(
          .pods, .delete(pod.key, DeleteOptions(gracePeriodSeconds: 0)), as: "test", now: cluster.now)
      }
      cluster.settle()
    }
    let images = Set(cluster.pods.compactMap { $0.spec["containers"]?[0]?["image"]?.stringValue })
    #expect(images == ["two"])
    #expect(cluster.pods.count == replicas)
    #expect(Deployment(cluster.deployment("web")).updatedReplicas == replicas)
    #expect(cluster.deployment("web").metadata.annotations["deployment.kubernetes.io/revision"] == "2")
    #expect(cluster.deployment("web").condition("Progressing")?.reason == "NewReplicaSetAvailable")
  }

  @Test("Recreate starts no new pod before the last old one is gone")
  func recreate() {
    var cluster = VirtualCluster()
    cluster.create(
      .deployments, VirtualCluster.deployment("web", replicas: 2, strategy: ["type": "Recreate"]))
    cluster.runKubelet()
    cluster.patch(
      .deployments, "web",
      ["spec": ["template": ["spec": ["containers": [["name": "c", "image": "two", "command": ["x"]]]]]]])
    #expect(cluster.activePods.isEmpty)
    #expect(cluster.pods.count == 2)
    cluster.runKubelet()
    #expect(cluster.activePods.count == 2)
    #expect(cluster.activePods.allSatisfy { $0.spec["containers"]?[0]?["image"] == "two" })
  }

  @Test("going back to a former template uses its ReplicaSet again, under a new revision")
  func rollback() {
    var cluster = VirtualCluster()
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 1))
    cluster.runKubelet()
    let first = cluster.plane.view.list(.replicaSets).map(\.metadata.name)
    let image = { (name: String) -> JSONValue in
      [
        "spec": [
          "template": [
            "spec": [
              "containers": [
                [
                  "name": "c", "image": .string(name), "command": ["x"],
                  "ports": [["name": "http", "containerPort": 8000]],
                ]
              ]
            ]
          ]
        ]
      ]
    }
    cluster.patch(.deployments, "web", image("two"))
    for _ in 0..<4 { cluster.runKubelet() }
    cluster.patch(.deployments, "web", image("one"))
    for _ in 0..<4 { cluster.runKubelet() }
    #expect(cluster.plane.view.list(.replicaSets).count == 2)
    let set = first.first.flatMap { cluster.object(.replicaSets, $0) }
    #expect(set?.metadata.annotations["deployment.kubernetes.io/revision"] == "3")
    #expect(set.map(ReplicaSet.init)?.availableReplicas == 1)
  }

  @Test("scaling down takes pods that are not ready, then those with the lowest deletion cost")
  func scaleDown() {
    var cluster = VirtualCluster()
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 4))
    let names = cluster.pods.map(\.metadata.name)
    for name in names.dropFirst() { if let pod = cluster.object(.pods, name) { cluster.set(pod, ready: true) } }
    cluster.patch(
      .pods, names[2], ["metadata": ["annotations": ["controller.kubernetes.io/pod-deletion-cost": "-10"]]])
    cluster.patch(.deployments, "web", ["spec": ["replicas": 2]])
    #expect(Set(cluster.activePods.map(\.metadata.name)) == [names[1], names[3]])
    cluster.patch(.deployments, "web", ["spec": ["replicas": 0]])
    cluster.runKubelet()
    #expect(cluster.pods.isEmpty)
  }

  @Test(
    "a rollout that makes no progress for its deadline says so; a slow start after a change of scale does not count")
  func deadline() {
    var cluster = VirtualCluster()
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 1))
    cluster.advance(.seconds(599))
    #expect(cluster.deployment("web").condition("Progressing")?.isTrue == true)
    cluster.advance(.seconds(2))
    #expect(cluster.deployment("web").condition("Progressing")?.reason == "ProgressDeadlineExceeded")
    cluster.runKubelet()
    cluster.patch(.deployments, "web", ["spec": ["replicas": 2]])
    cluster.advance(.seconds(1200))
    #expect(cluster.deployment("web").condition("Progressing")?.reason == "NewReplicaSetAvailable")
  }

  @Test("deleting a Deployment takes its ReplicaSets and pods along")
  func garbage() {
    var cluster = VirtualCluster()
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 2))
    cluster.runKubelet()
    cluster.delete(.deployments, "web")
    cluster.runKubelet()
    #expect(cluster.plane.view.list(.replicaSets).isEmpty)
    #expect(cluster.pods.isEmpty)
  }

  @Test("what an owner's owner leaves behind is gone within one turn, though no controller has work by it")
  func garbageOfGarbage() {
    var cluster = VirtualCluster()
    let uid = cluster.create(
      .configMaps, ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "owner", "namespace": "default"]]
    )?.metadata.uid
    var deployment = VirtualCluster.deployment("web", replicas: 0)
    deployment[path: ["metadata", "ownerReferences"]] = [
      ["apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": .string(uid ?? "")]
    ]
    cluster.create(.deployments, deployment)
    #expect(cluster.plane.view.list(.replicaSets).count == 1)
    cluster.plane.perform(
      .configMaps, .delete(cluster.key("owner"), DeleteOptions(propagation: .background)), as: "test", now: cluster.now)
    let hasMore = cluster.plane.settle(now: cluster.now)
    #expect(!hasMore)
    #expect(cluster.plane.view.list(.deployments).isEmpty)
    #expect(cluster.plane.view.list(.replicaSets).isEmpty)
  }

  @Test("a pod that fails is replaced")
  func replace() {
    var cluster = VirtualCluster()
    cluster.create(.deployments, VirtualCluster.deployment("web", replicas: 1))
    cluster.runKubelet()
    if let pod = cluster.pods.first { cluster.set(pod, ready: false, phase: "Failed") }
    #expect(cluster.pods.count == 2)
    #expect(cluster.pods.filter { !Pod($0).isFinished }.count == 1)
  }
}
