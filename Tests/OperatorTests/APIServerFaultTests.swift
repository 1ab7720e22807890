import InferenceAPI
import KubernetesAPI
import KubernetesClient
import ObjectStore
import Synchronization
import Telemetry
import Testing

@testable import Operator

/// What the controller does while its API server does what it may do.
@Suite(.serialized, .timeLimit(.minutes(2))) struct APIServerFaultTests {
  private static let crdRemoved: @Sendable (KubernetesRequest) -> FaultyTransport.Fault? = { request in
    request.path.contains("/inferenceservices") ? .answer(.unknownType) : nil
  }

  @Test("Without the CRD at the start: it says so, is not ready, writes nothing, and begins soon after it is installed")
  func absentAtStart() async throws {
    let cluster = try TestCluster()
    let transport = FaultyTransport(cluster.transport)
    transport.fail(Self.crdRemoved)
    let sink = MemoryLogSink()
    let controller = cluster.controller(over: transport, log: Log(sink))
    try await cluster.running([controller]) { cluster in
      try await cluster.pass(.seconds(30))
      #expect(controller.problem == "\(InferenceService.absenceAdvice); waiting")
      #expect(sink.messages.count { $0.contains("CRD is not installed") } == 1)
      #expect(cluster.transport.writes.isEmpty)
      transport.fail(nil)
      try cluster.applyService()
      try await cluster.until("asleep", within: .seconds(10)) { $0.state() == "Asleep" }
      #expect(controller.problem == nil)
    }
  }

  @Test(
    "A CRD that is removed while running: nothing is forgotten and nothing is written, and all goes on when it is back")
  func removedWhileRunning() async throws {
    let cluster = try TestCluster()
    let transport = FaultyTransport(cluster.transport)
    let sink = MemoryLogSink()
    let controller = cluster.controller(over: transport, log: Log(sink))
    try await cluster.running([controller]) { cluster in
      try cluster.applyService()
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      transport.fail(Self.crdRemoved)
      cluster.transport.endWatches()
      try await cluster.until("the word that it is gone", within: .seconds(10)) { _ in controller.problem != nil }
      let writes = cluster.transport.writes
      try cluster.makeLease()
      cluster.load.withLock { $0 = [OperatorTests.load(held: 1)] }
      try await cluster.pass(.seconds(60))
      #expect(cluster.transport.writes == writes)
      #expect(cluster.lease() != nil)
      #expect(sink.messages.count { $0.contains("CRD is not installed") } == 1)

      transport.fail(nil)
      try await cluster.until("a wake", within: .seconds(10)) { $0.replicas("llm-burst") == 1 }
      #expect(controller.problem == nil)
      #expect(sink.messages.count { $0.contains("are served again") } == 1)
    }
  }

  @Test(
    "A leader cut off from its Lease writes nothing after its deadline; the next one wakes by the activation Lease and scales nothing down for one stable window"
  )
  func changeOfLeader() async throws {
    let cluster = try TestCluster()
    let (first, second) = (FaultyTransport(cluster.transport), FaultyTransport(cluster.transport))
    let cutOff = Mutex<Duration?>(nil)
    let writes = Mutex<[(by: String, at: Duration)]>([])
    let clock = cluster.clock
    func note(_ name: String) -> @Sendable (KubernetesRequest) -> FaultyTransport.Fault? {
      { request in
        let isElection = request.path.hasSuffix("/leases/pilotlight-controller") || request.path.hasSuffix("/leases")
        if request.method != .get, !isElection { writes.withLock { $0.append((name, clock.now().monotonic)) } }
        // The first one still reaches everything but its Lease: nothing else tells it to stop.
        return name == "first" && isElection && cutOff.withLock({ $0 != nil }) ? .unreachable : nil
      }
    }
    first.fail(note("first"))
    second.fail(note("second"))
    let one = cluster.controller(over: first, identity: "first", leaderElection: true)
    let two = cluster.controller(over: second, identity: "second", leaderElection: true)
    try await cluster.running([one]) { cluster in
      try cluster.applyService()
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      cluster.load.withLock { $0 = [OperatorTests.load(held: 1)] }
      try await cluster.until("a wake") { $0.replicas("llm-burst") == 1 }
      try cluster.makePod("llm-burst-1", status: TestCluster.ready)
      let pod = try #require(cluster.transport.object(.pods, ObjectKey(namespace: "default", name: "llm-burst-1")))
      cluster.load.withLock { $0 = [OperatorTests.load(inFlight: [pod.metadata.uid: 1])] }
      try await cluster.until("serving") { $0.state() == "Serving" }
      let lost = clock.now().monotonic
      cutOff.withLock { $0 = lost }
      try await cluster.running([two]) { cluster in
        for _ in 0..<24 {
          // Something to repair all the time.
          try cluster.spoil("llm-burst")
          try await cluster.pass(.milliseconds(500))
        }
        // Nobody leads now.
        try cluster.applyService("late")
        try cluster.makeLease("late")
        let long = clock.now().wall.timeIntervalSince1970 - 500
        cluster.load.withLock { $0 = [OperatorTests.load(lastRequest: long)] }
        try await cluster.until("the next leader", within: .seconds(15)) { $0.replicas("late-burst") == 1 }
        try await cluster.pass(.seconds(4))
        #expect(cluster.draining().isEmpty && cluster.replicas("llm-burst") == 1)
        try await cluster.until("a drain", within: .seconds(15)) { $0.draining() == [pod.metadata.uid] }
      }
      let all = writes.withLock { $0 }
      let last = try #require(all.last { $0.by == "first" }?.at)
      let next = try #require(all.first { $0.by == "second" }?.at)
      #expect(last > lost && last < lost + .seconds(10), "the first one wrote \(last - lost) after it was cut off")
      #expect(next > lost + .seconds(13), "the next one wrote \(next - lost) after the last renewal could have been")
    }
  }

  /// Requests in ten minutes of an API server that never does what it is asked.
  @Test(
    "An API server that refuses everything is asked a few times a second at most",
    arguments: ["429 after 1 s", "401", "409 to writes"])
  func neverSpins(how: String) async throws {
    let cluster = try TestCluster()
    try cluster.applyService()
    try cluster.makeLease()
    let transport = FaultyTransport(cluster.transport)
    transport.fail { request in
      switch how {
      case "429 after 1 s": .answer(.refusal(429, "TooManyRequests", headers: [("Retry-After", "1")]))
      case "401": .answer(.refusal(401, "Unauthorized"))
      default:
        request.method == .get || request.path.contains("/leases/pilotlight-controller")
          ? nil : .answer(.refusal(409, "Conflict"))
      }
    }
    cluster.load.withLock { $0 = [OperatorTests.load(held: 1)] }
    let controller = cluster.controller(over: transport, leaderElection: true)
    try await cluster.running([controller]) { cluster in
      let end = cluster.clock.now().monotonic + .seconds(600)
      while cluster.clock.now().monotonic < end {
        await cluster.transport.quiet(for: .milliseconds(1))
        cluster.clock.advance(by: max(.milliseconds(1), cluster.clock.nextWakeUp ?? .seconds(1)))
      }
      let count = transport.requests.count
      #expect(count > 100, "nothing was tried")
      // Eight informers and an election; who says "after 1 s" is taken at its word for six attempts.
      #expect(count < 1800, "\(how): \(count) requests in ten minutes")
    }
  }
}

extension TestCluster {
  func controller(
    over transport: any KubernetesTransport, identity: String = "test", leaderElection: Bool = false,
    log: Log = .discarding
  ) -> Operator {
    let client = KubernetesClient(transport: transport, clock: clock)
    return Operator(
      client: client, limiter: RateLimiter(RequestRateLimit(), clock: clock), gateways: gateways,
      configuration: OperatorConfiguration(identity: identity, leaderElection: leaderElection), clock: clock, log: log)
  }

  /// Runs controllers beside `body`.
  func running(
    _ controllers: [Operator], _ body: @escaping @Sendable (TestCluster) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for controller in controllers { group.addTask { try await controller.run() } }
      group.addTask { try await body(self) }
      try await group.next()
      group.cancelAll()
    }
  }

  /// Changes a field of ours, so that there is something to repair.
  func spoil(_ deployment: String) throws {
    let key = ObjectKey(namespace: "default", name: deployment)
    let change: JSONValue = ["spec": ["progressDeadlineSeconds": 7]]
    try transport.apply(ObjectOperation(.deployments, .mergePatch(key, change), fieldManager: "somebody"))
  }
}
