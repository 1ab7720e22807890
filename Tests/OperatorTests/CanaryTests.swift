import Decisions
import FleetProtocol
import InferenceAPI
import KubernetesAPI
import ObjectStore
import Testing

@testable import Operator

@Suite(.serialized) struct CanaryTests {
  private static let key = ObjectKey(namespace: "default", name: "llm")

  private static func rollout(_ steps: JSONValue) -> JSONValue { ["strategy": "Canary", "steps": steps] }

  private static func container(_ image: String, port: Int = 8000) -> JSONValue {
    ["name": "model", "image": .string(image), "ports": [["name": "http", "containerPort": JSONValue(port)]]]
  }

  private static func edit(_ cluster: TestCluster, _ spec: JSONValue) throws {
    try cluster.transport.apply(
      ObjectOperation(
        InferenceService.resourceType, .mergePatch(key, ["spec": spec]), fieldManager: "owner"))
  }

  private static func change(_ cluster: TestCluster, image: String, port: Int = 8000) throws {
    try edit(cluster, ["template": ["spec": ["containers": [container(image, port: port)]]]])
  }

  private static func image(_ cluster: TestCluster, _ name: String) -> String? {
    let deployment = cluster.transport.object(.deployments, ObjectKey(namespace: "default", name: name))
    return deployment?.spec[path: ["template", "spec", "containers"]]?[0]?["image"]?.stringValue
  }

  private static func status(_ cluster: TestCluster, _ name: String) -> JSONValue? {
    cluster.service("llm")?.status["rollout"]?[name]
  }

  private static func progress(_ cluster: TestCluster) -> String? {
    cluster.service("llm")?.condition("Progressing")?.reason
  }

  /// A service with a dedicated replica that serves.
  private static func serve(_ cluster: TestCluster, _ steps: JSONValue) async throws {
    try cluster.applyService("llm", ["dedicated": ["replicas": 1], "rollout": rollout(steps)])
    try await cluster.until("a replica") { $0.replicas("llm-dedicated") == 1 }
    try cluster.makePod("stable", pool: "dedicated", status: TestCluster.ready)
    try await cluster.until("serving") { $0.state() == "Serving" }
  }

  private static func answers(_ canary: AnswerCount, _ stable: AnswerCount) -> ServiceLoad {
    ServiceLoad(
      namespace: "default", name: "llm", requestsTotal: canary.answers + stable.answers, drainEpochSeen: 99,
      canaryAnswers: canary, stableAnswers: stable)
  }

  @Test("A canary runs its steps beside pools that stay as they are, under a new leader too; then the pools take over")
  func course() async throws {
    let cluster = try TestCluster()
    try await cluster.running { cluster in
      try await Self.serve(
        cluster, [["trafficPercent": 20, "pause": "10s"], ["trafficPercent": 100, "pause": "10s"]])
      #expect(Self.status(cluster, "step") == nil)
      try Self.change(cluster, image: "new", port: 9000)
      try await cluster.until("a canary") { $0.replicas("llm-canary") == 1 }
      #expect(Self.image(cluster, "llm-canary") == "new")
      #expect(Self.image(cluster, "llm-dedicated") == "stub" && Self.image(cluster, "llm-burst") == "stub")
      for (pool, port) in [("dedicated", 8000), ("burst", 8000), ("canary", 9000)] {
        let name = ObjectKey(namespace: "default", name: "llm-\(pool)")
        let service = cluster.transport.object(.services, name)
        #expect(service?.spec["ports"]?[0]?["targetPort"]?.intValue == port, "\(pool)")
      }
      // Its time does not run before it serves.
      try await cluster.pass(.seconds(15))
      #expect(Self.status(cluster, "step") == 0 && Self.progress(cluster) == "CanaryPaused")
      try cluster.makePod("canary", pool: "canary", status: TestCluster.ready)
      try await cluster.until("its time") { Self.progress($0) == "CanaryRunning" }
      #expect(Self.status(cluster, "trafficPercent") == 20)
      try await cluster.pass(.seconds(5))
    }
    let writes = cluster.transport.writes.count
    try await cluster.running { cluster in
      try await cluster.until("the second step", within: .seconds(8)) { Self.status($0, "step") == 1 }
      #expect(Self.image(cluster, "llm-dedicated") == "stub")
      #expect(cluster.service("llm")?.status["canary"]?["readyReplicas"] == 1)
      cluster.load.withLock { $0 = [Self.answers(AnswerCount(answers: 90), AnswerCount(answers: 90))] }
      try await cluster.until("the pools' turn") { Self.image($0, "llm-dedicated") == "new" }
      try await cluster.until("the canary's end") { $0.replicas("llm-canary") == 0 }
      try cluster.deletePod("canary")
      try await cluster.until("nothing of it is left") { $0.replicas("llm-canary") == nil }
      let name = ObjectKey(namespace: "default", name: "llm-canary")
      try await cluster.until("nor its Service") { $0.transport.object(.services, name) == nil }
      #expect(Self.image(cluster, "llm-burst") == "new")
      #expect(Self.status(cluster, "currentRevision") == Self.status(cluster, "updateRevision"))
      try await cluster.until("a status without it") { $0.service("llm")?.status["canary"] == nil }
    }
    #expect(cluster.transport.writes.count - writes < 40, "\(cluster.transport.writes.suffix(40))")
  }

  @Test(
    "A canary that fails is drained and stays given up under a new leader, until the steps are edited; back needs no roll"
  )
  func abort() async throws {
    let cluster = try TestCluster()
    try await cluster.running { cluster in
      try await Self.serve(cluster, [["trafficPercent": 50]])
      cluster.load.withLock { $0 = [Self.answers(AnswerCount(), AnswerCount(answers: 5))] }
      try Self.change(cluster, image: "bad")
      try await cluster.until("a canary") { $0.replicas("llm-canary") == 1 }
      try cluster.makePod("canary", pool: "canary", status: TestCluster.ready)
      try await cluster.until("its share") {
        Self.progress($0) == "CanaryPaused" && Self.status($0, "stepStoppedTime") == nil
      }
      cluster.load.withLock { $0 = [Self.answers(AnswerCount(answers: 9, errors: 9), AnswerCount(answers: 45))] }
      try await cluster.pass(.seconds(3))
      #expect(Self.progress(cluster) == "CanaryPaused")
      cluster.load.withLock { $0 = [Self.answers(AnswerCount(answers: 12, errors: 12), AnswerCount(answers: 45))] }
      try await cluster.until("an abort", within: .seconds(4)) { Self.progress($0) == "CanaryAborted" }
      let condition = cluster.service("llm")?.condition("Progressing")
      #expect(condition?.isTrue == false && condition?.message.contains("12 of 12 (100%)") == true)
      #expect(Self.status(cluster, "trafficPercent") == 0)
      try await cluster.until("no canary") { $0.replicas("llm-canary") == 0 }
      try cluster.deletePod("canary")
    }
    try await cluster.running { cluster in
      try await cluster.pass(.seconds(10))
      #expect(Self.progress(cluster) == "CanaryAborted" && cluster.replicas("llm-canary") == 0)
      #expect(cluster.service("llm")?.condition("Progressing")?.message.contains("12 of 12 (100%)") == true)
      try Self.edit(cluster, ["rollout": Self.rollout([["trafficPercent": 5]])])
      try await cluster.until("another try") { $0.replicas("llm-canary") == 1 }
      let before = cluster.transport.object(.deployments, ObjectKey(namespace: "default", name: "llm-dedicated"))
      try Self.change(cluster, image: "stub")
      try await cluster.until("the way back") { $0.replicas("llm-canary") == nil }
      let after = cluster.transport.object(.deployments, ObjectKey(namespace: "default", name: "llm-dedicated"))
      #expect(after?.spec["template"] == before?.spec["template"])
      #expect(Self.progress(cluster) == "RolledOut")
    }
  }

  @Test("A canary that crashes or never gets ready is given up, and the pools have no failed wake")
  func crash() async throws {
    try await TestCluster().running { cluster in
      try await Self.serve(cluster, [["trafficPercent": 50]])
      try Self.change(cluster, image: "crashes")
      try await cluster.until("a canary") { $0.replicas("llm-canary") == 1 }
      let crashing: JSONValue = [
        "phase": "Running",
        "containerStatuses": [
          [
            "name": "model", "restartCount": 1, "ready": false, "image": "stub", "imageID": "",
            "state": ["waiting": ["reason": "CrashLoopBackOff"]], "lastState": ["terminated": ["exitCode": 3]],
          ]
        ],
      ]
      try cluster.makePod("canary", pool: "canary", status: crashing)
      try await cluster.until("an abort") { Self.progress($0) == "CanaryAborted" && $0.replicas("llm-canary") == 0 }
      #expect(Self.status(cluster, "abortReason") == "CrashLoopBackOff")
      #expect(cluster.state() == "Serving")
      try cluster.deletePod("canary")
      try Self.change(cluster, image: "hangs")
      try await cluster.until("another canary") {
        $0.replicas("llm-canary") == 1 && Self.image($0, "llm-canary") == "hangs"
      }
      try cluster.makePod("canary-2", pool: "canary", status: ["phase": "Running"])
      // As long as timeouts.startup, and no longer.
      try await cluster.pass(.seconds(50))
      #expect(Self.progress(cluster) == "CanaryPaused")
      try await cluster.until("a timeout", within: .seconds(15)) { Self.status($0, "abortReason") == "StartupTimeout" }
      #expect(cluster.state() == "Serving")
    }
  }

  @Test(
    "Asleep, a new template waits; a wake brings the pools' old one and the canary beside it; a late pool has the old one"
  )
  func asleep() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService(
        "llm",
        [
          "burst": ["maxReplicas": 2, "sleepAfter": "6s", "overrides": ["labels": ["tier": "burst"]]],
          "dedicated": ["overrides": ["labels": ["tier": "dedicated"]]],
          "rollout": Self.rollout([["trafficPercent": 10, "pause": "5s"]]),
        ])
      try await cluster.until("asleep") { $0.state() == "Asleep" && $0.replicas("llm-burst") == 0 }
      try Self.change(cluster, image: "new")
      try await cluster.until("a canary at zero") { $0.replicas("llm-canary") == 0 }
      try await cluster.pass(.seconds(20))
      #expect(cluster.replicas("llm-canary") == 0 && Self.progress(cluster) == "CanaryPaused")
      cluster.load.withLock { $0 = [OperatorTests.load(held: 1)] }
      try await cluster.until("a wake") { $0.replicas("llm-burst") == 1 && $0.replicas("llm-canary") == 1 }
      try await cluster.until("a wake that is told") { $0.state() == "Waking" }
      #expect(Self.image(cluster, "llm-burst") == "stub")
      try Self.edit(cluster, ["dedicated": ["replicas": 1]])
      try await cluster.until("a dedicated pool") { $0.replicas("llm-dedicated") == 1 }
      #expect(Self.image(cluster, "llm-dedicated") == "stub")
      let dedicated = cluster.transport.object(.deployments, ObjectKey(namespace: "default", name: "llm-dedicated"))
      let labels = dedicated?.spec[path: ["template", "metadata", "labels"]]
      #expect(labels?["tier"] == "dedicated" && labels?[Labels.pool] == "dedicated")
    }
  }

  @Test("No Deployment gives up on a large model before timeouts.startup, which Kubernetes would after 600 s")
  func largeModels() throws {
    var service = KubernetesObject(InferenceService.resourceType, Self.key)
    service.spec = [
      "template": ["spec": ["containers": [Self.container("large")]]], "timeouts": ["startup": "90m"],
      "rollout": Self.rollout([["trafficPercent": 10]]),
    ]
    let known = try KnownService(service, timeZones: NoTimeZones())
    for pool in Pool.allCases {
      #expect(known.deployments[pool]?.spec["progressDeadlineSeconds"] == 5400, "\(pool)")
      #expect(known.deployments[pool]?.spec[path: ["strategy", "rollingUpdate", "maxUnavailable"]] == 0, "\(pool)")
    }
    service.spec["rollout"] = nil
    #expect(try KnownService(service, timeZones: NoTimeZones()).deployments.canary == nil)
  }

  @Test("A refused template that is only tried keeps nobody from waking, and Progressing says why it stands still")
  func refusedTemplate() {
    var rollout = CanaryRollout(currentRevision: "a", updateRevision: "b")
    rollout.stepPercent = 5
    let situation = StatusTests.situation {
      $0.template = .invalid("unknown field")
      $0.rollout = rollout
    }
    #expect(situation.ready == .yes("Asleep", "no replica runs; the next request wakes one"))
    let progress = situation.verdicts.first { $0.type == "Progressing" }
    #expect(progress?.verdict == .no("TemplateInvalid", "unknown field"))
  }

  @Test("What a rollout is survives its status")
  func roundTrip() {
    var rollout = CanaryRollout(currentRevision: "a", updateRevision: "b")
    rollout.stepsRevision = "s"
    rollout.step = 2
    rollout.stepStart = .seconds(1_767_225_600)
    rollout.clockStopped = .seconds(1_767_225_660)
    rollout.stepPercent = 35
    #expect(StatusDocument.rollout(in: ["rollout": StatusDocument.rollout(rollout)]) == rollout)
    rollout.clockStopped = nil
    rollout.stepPercent = 0
    rollout.abort = CanaryAbort(reason: "ErrorRate", message: "m")
    #expect(StatusDocument.rollout(in: ["rollout": StatusDocument.rollout(rollout)]) == rollout)
    let settled = CanaryRollout(currentRevision: "a", updateRevision: "a")
    #expect(StatusDocument.rollout(in: ["rollout": StatusDocument.rollout(settled)]) == settled)
    #expect(StatusDocument.rollout(in: [:]) == nil)
  }
}
