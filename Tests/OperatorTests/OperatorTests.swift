import FleetProtocol
import InferenceAPI
import KubernetesAPI
import ObjectStore
import Testing

@testable import Operator

@Suite(.serialized) struct OperatorTests {
  static func load(
    held: Int = 0, inFlight: [String: Int] = [:], total: Int = 1, epoch: Int = 0, since: Double? = nil,
    lastRequest: Double? = nil
  ) -> ServiceLoad {
    ServiceLoad(
      namespace: "default", name: "llm", held: held, inFlight: inFlight.values.reduce(0, +), inFlightByPod: inFlight,
      requestsTotal: total, heldSinceUnix: since, lastRequestUnix: lastRequest, drainEpochSeen: epoch)
  }

  @Test("A service is made asleep, wakes on a held request, drains and sleeps again")
  func lifecycle() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService()
      try await cluster.until("asleep") { $0.state() == "Asleep" && $0.replicas("llm-burst") == 0 }
      #expect(cluster.replicas("llm-dedicated") == nil)
      #expect(cluster.transport.object(.services, ObjectKey(namespace: "default", name: "llm-burst")) != nil)

      let since = cluster.clock.now().wall.timeIntervalSince1970
      cluster.load.withLock { $0 = [Self.load(held: 1, since: since)] }
      try await cluster.until("a wake") { $0.replicas("llm-burst") == 1 && $0.state() == "Waking" }
      #expect(cluster.service("llm")?.status[path: ["load", "held"]]?.intValue == 1)
      #expect(cluster.service("llm")?.status[path: ["lastDecision", "reason"]]?.stringValue == "Activated")
      #expect(cluster.metrics.render().contains("pilotlight_request_to_patch_seconds_count 1"))

      try cluster.makePod("llm-burst-1", status: TestCluster.ready)
      let pod = try #require(cluster.transport.object(.pods, ObjectKey(namespace: "default", name: "llm-burst-1")))
      cluster.load.withLock { $0 = [Self.load(inFlight: [pod.metadata.uid: 1])] }
      try await cluster.until("serving") { $0.state() == "Serving" }
      #expect(cluster.replicas("llm-burst") == 1)

      cluster.load.withLock { $0 = [] }
      try await cluster.until("a drain") { $0.draining() == [pod.metadata.uid] }
      #expect(cluster.replicas("llm-burst") == 1)
      cluster.load.withLock { $0 = [Self.load(epoch: 1)] }
      try await cluster.until("no replica") { $0.replicas("llm-burst") == 0 }
      #expect(cluster.state() == "Draining")
      try cluster.deletePod("llm-burst-1")
      try await cluster.until("asleep again") { $0.state() == "Asleep" }
      #expect(cluster.service("llm")?.condition("Ready")?.isTrue == true)
      #expect(cluster.service("llm")?.status["drain"] == ["epoch": 2])

      let writes = cluster.transport.writes.count
      try await cluster.pass(.seconds(60))
      #expect(cluster.transport.writes.count == writes, "\(cluster.transport.writes.suffix(5))")
    }
  }

  @Test("A controller that starts later wakes by the activation Lease, and takes it away once the model answers")
  func lease() async throws {
    let cluster = try TestCluster()
    try cluster.applyService()
    try cluster.makeLease()
    try await cluster.running { cluster in
      try await cluster.until("a wake") { $0.replicas("llm-burst") == 1 }
      #expect(cluster.lease() != nil)
      try cluster.makePod("llm-burst-1", status: TestCluster.ready)
      try await cluster.until("the Lease's end") { $0.lease() == nil }
      #expect(cluster.replicas("llm-burst") == 1)
    }
  }

  @Test("A model that crashes: not ready with its last words, scaled to zero, woken again after the back-off")
  func crash() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService()
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      try cluster.makeLease()
      try await cluster.until("a wake") { $0.replicas("llm-burst") == 1 }
      cluster.transport.contents.withLock {
        $0.logs["/api/v1/namespaces/default/pods/llm-burst-1/log"] = "loading\nweights are corrupt\n"
      }
      let crashing: JSONValue = [
        "phase": "Running",
        "containerStatuses": [
          [
            "name": "model", "restartCount": 1, "ready": false, "image": "stub", "imageID": "",
            "state": ["waiting": ["reason": "CrashLoopBackOff", "message": "back-off 10s"]],
            "lastState": ["terminated": ["exitCode": 3, "reason": "Error"]],
          ]
        ],
      ]
      try cluster.makePod("llm-burst-1", status: crashing)
      try await cluster.until("no replica") { $0.replicas("llm-burst") == 0 && $0.state() == "CrashLoopBackOff" }
      let ready = try #require(cluster.service("llm")?.condition("Ready"))
      #expect(!ready.isTrue)
      #expect(ready.message.contains("ended with exit code 3; its last words: loading | weights are corrupt"))
      let inputs = cluster.service("llm")?.status[path: ["lastDecision", "inputs"]]
      #expect(inputs?["failedWakes"]?.stringValue == "1")
      #expect(inputs?["nextAttempt"]?.stringValue.flatMap(Timestamp.parse) != nil)
      try await cluster.until("the Lease's end") { $0.lease() == nil }
      try cluster.deletePod("llm-burst-1")

      try await cluster.pass(.seconds(11))
      #expect(cluster.state() == "CrashLoopBackOff")
      cluster.load.withLock { $0 = [Self.load(held: 1)] }
      try await cluster.until("another attempt") { $0.replicas("llm-burst") == 1 }
    }
  }

  @Test("A new controller goes on with the back-off of the one before, and scales nothing down for one stable window")
  func restart() async throws {
    let cluster = try TestCluster()
    try await cluster.running { cluster in
      try cluster.applyService()
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      try cluster.makeLease()
      try await cluster.until("a wake") { $0.replicas("llm-burst") == 1 }
      try await cluster.until("a timeout") { $0.state() == "StartupTimeout" && $0.replicas("llm-burst") == 0 }
    }
    try await cluster.running { cluster in
      cluster.load.withLock { $0 = [Self.load(held: 1)] }
      try await cluster.pass(.seconds(3))
      #expect(cluster.replicas("llm-burst") == 0)
      try await cluster.until("the next attempt") { $0.replicas("llm-burst") == 1 }
      try cluster.makePod("llm-burst-1", status: TestCluster.ready)
      cluster.load.withLock { $0 = [] }
      try await cluster.until("serving") { $0.state() == "Serving" }
    }
    let long = cluster.clock.now().wall.timeIntervalSince1970 - 500
    cluster.load.withLock { $0 = [Self.load(lastRequest: long)] }
    try await cluster.running { cluster in
      try await cluster.pass(.seconds(5))
      #expect(cluster.replicas("llm-burst") == 1)
      #expect(cluster.draining().isEmpty)
      try await cluster.until("a drain", within: .seconds(15)) { $0.draining().count == 1 }
    }
  }

  @Test("What was changed by hand is repaired, what others added stays, and a settled service is not written to")
  func drift() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService("llm", ["dedicated": ["replicas": 1]])
      let key = ObjectKey(namespace: "default", name: "llm-dedicated")
      try await cluster.until("the dedicated pool") { $0.replicas("llm-dedicated") == 1 }
      try cluster.makePod("llm-dedicated-1", pool: "dedicated", status: TestCluster.ready)
      try await cluster.until("serving") { $0.state() == "Serving" }
      let change: JSONValue = [
        "metadata": ["annotations": ["team": "blue"]], "spec": ["progressDeadlineSeconds": 7],
      ]
      try cluster.transport.apply(ObjectOperation(.deployments, .mergePatch(key, change), fieldManager: "somebody"))
      try await cluster.until("repair") {
        $0.transport.object(.deployments, key)?.spec["progressDeadlineSeconds"] == 60
      }
      #expect(cluster.transport.object(.deployments, key)?.metadata.annotations["team"] == "blue")
      #expect(cluster.replicas("llm-dedicated") == 1)
      try await cluster.pass(.seconds(6))
      let before = cluster.transport.writes.filter { !$0.hasSuffix("/status") }.count
      try await cluster.pass(.seconds(30))
      #expect(cluster.transport.writes.filter { !$0.hasSuffix("/status") }.count == before)
    }
  }

  @Test("A new template reaches a sleeping Deployment without waking it; one that the server refuses reaches nothing")
  func templates() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService()
      try await cluster.until("asleep") { $0.state() == "Asleep" && $0.replicas("llm-burst") == 0 }
      let service = ObjectKey(namespace: "default", name: "llm")
      let deployment = ObjectKey(namespace: "default", name: "llm-burst")
      func container(_ container: JSONValue) throws {
        try cluster.transport.apply(
          ObjectOperation(
            InferenceService.resourceType,
            .mergePatch(service, ["spec": ["template": ["spec": ["containers": [container]]]]]), fieldManager: "owner"))
      }
      try container(["name": "model", "image": "stub:2", "ports": [["name": "http", "containerPort": 8000]]])
      func image(_ cluster: TestCluster) -> String? {
        let object = cluster.transport.object(.deployments, deployment)
        return object?.spec[path: ["template", "spec", "containers"]]?[0]?["image"]?.stringValue
      }
      try await cluster.until("the new image") { image($0) == "stub:2" }
      #expect(cluster.replicas("llm-burst") == 0)

      try container([
        "name": "model", "image": "stub:3", "imagee": "x", "ports": [["name": "http", "containerPort": 8000]],
      ])
      try await cluster.until("a refusal") { $0.service("llm")?.condition("TemplateValid")?.status == "False" }
      let words = cluster.service("llm")?.condition("TemplateValid")?.message ?? ""
      #expect(words.contains("unknown field \"spec.template.spec.containers[0].imagee\""), "\(words)")
      #expect(image(cluster) == "stub:2")
      #expect(cluster.state() == "TemplateInvalid")
    }
  }

  @Test("Nothing scales to zero while a gateway cannot be read")
  func missingData() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService()
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      cluster.load.withLock { $0 = [Self.load(held: 1)] }
      try await cluster.until("a wake") { $0.replicas("llm-burst") == 1 }
      try cluster.makePod("llm-burst-1", status: TestCluster.ready)
      cluster.load.withLock { $0 = [] }
      try await cluster.until("serving") { $0.state() == "Serving" }
      try cluster.transport.apply(
        cluster.create(
          .endpointSlices, ObjectKey(namespace: "pilotlight-system", name: "pilotlight-gateway-2"),
          [
            "metadata": ["labels": ["kubernetes.io/service-name": "pilotlight-gateway"]], "addressType": "IPv4",
            "ports": [["name": "admin", "port": 9090]],
            "endpoints": [["addresses": ["10.0.0.9"], "conditions": ["ready": true]]],
          ]))
      try await cluster.pass(.seconds(30))
      #expect(cluster.replicas("llm-burst") == 1)
      #expect(cluster.state() == "Serving")
    }
  }

  @Test("Of two services that claim a name the younger is told, and gets it when the older goes")
  func names() async throws {
    try await TestCluster().running { cluster in
      let other = ObjectKey(namespace: "other", name: "llm")
      try cluster.transport.apply(cluster.create(.namespaces, ObjectKey(name: "other"), [:]))
      try cluster.applyService()
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      try await cluster.pass(.seconds(2))
      let spec = try #require(cluster.service("llm")?.spec)
      try cluster.transport.apply(cluster.create(InferenceService.resourceType, other, ["spec": spec]))
      func verdict(_ cluster: TestCluster) -> Condition? {
        cluster.transport.object(InferenceService.resourceType, other)?.condition("NamesAccepted")
      }
      try await cluster.until("a verdict") { verdict($0)?.status == "False" }
      #expect(verdict(cluster)?.message.contains("\"llm\" belongs to the older default/llm") == true)
      try cluster.transport.apply(
        ObjectOperation(
          InferenceService.resourceType, .delete(ObjectKey(namespace: "default", name: "llm"), DeleteOptions()),
          fieldManager: "test"))
      try await cluster.until("another verdict") { verdict($0)?.status == "True" }
    }
  }

  @Test("A field that does not act yet, or somebody else's object in the way, is said and nothing is taken over")
  func refusals() async throws {
    try await TestCluster().running { cluster in
      let foreign = ObjectKey(namespace: "default", name: "llm-burst")
      try cluster.transport.apply(
        cluster.create(.services, foreign, ["spec": ["clusterIP": "None", "ports": [["port": 80]]]]))
      try cluster.applyService()
      try await cluster.until("a conflict") { $0.state() == "ObjectConflict" }
      #expect(cluster.service("llm")?.condition("Ready")?.message.contains("Service default/llm-burst") == true)
      #expect(cluster.transport.object(.services, foreign)?.metadata.controller == nil)

      try cluster.applyService("closed", ["access": ["apiKeysSecretRef": ["name": "keys"]]])
      try await cluster.until("a refusal") { $0.state("closed") == "UnsupportedField" }
      #expect(cluster.service("closed")?.condition("Ready")?.message.contains("spec.access") == true)
      #expect(cluster.replicas("closed-burst") == nil)
    }
  }

  @Test("Fewer dedicated replicas are drained, too, and the emptiest goes first")
  func dedicated() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService("llm", ["dedicated": ["replicas": 2], "burst": ["maxReplicas": 0]])
      try await cluster.until("two replicas") { $0.replicas("llm-dedicated") == 2 }
      for name in ["a", "b"] { try cluster.makePod(name, pool: "dedicated", status: TestCluster.ready) }
      func uid(_ name: String) throws -> String {
        try #require(cluster.transport.object(.pods, ObjectKey(namespace: "default", name: name))).metadata.uid
      }
      let (busy, idle) = (try uid("a"), try uid("b"))
      cluster.load.withLock { $0 = [Self.load(inFlight: [busy: 2])] }
      try await cluster.until("serving") { $0.state() == "Serving" }
      try await cluster.pass(.seconds(8))
      let change: JSONValue = ["spec": ["dedicated": ["replicas": 1]]]
      let key = ObjectKey(namespace: "default", name: "llm")
      try cluster.transport.apply(
        ObjectOperation(InferenceService.resourceType, .mergePatch(key, change), fieldManager: "owner"))
      try await cluster.until("a drain") { $0.draining() == [idle] }
      cluster.load.withLock { $0 = [Self.load(inFlight: [busy: 2], epoch: 1)] }
      try await cluster.until("one replica") { $0.replicas("llm-dedicated") == 1 }
      let pod = cluster.transport.object(.pods, ObjectKey(namespace: "default", name: "b"))
      #expect(pod?.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] == "-1000")
      #expect(cluster.service("llm")?.status[path: ["lastDecision", "reason"]]?.stringValue == "FloorChanged")
    }
  }
}
