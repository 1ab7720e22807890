import Decisions
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Telemetry
import Testing

@testable import Operator

@Suite(.timeLimit(.minutes(2))) struct IdleWindowStoreTests {
  private static func learned(_ silences: Int) -> IdleWindowLearner {
    var (learner, history) = (IdleWindowLearner(), IdleHistory())
    for index in 0..<silences {
      let start = Double(index) * 500 + 1_750_000_000
      _ = learner.begin(&history, at: start, loadSeconds: 30, waitingPrice: 300)
      learner.end(&history, at: start + 400)
    }
    return learner
  }

  private func learn(_ leader: LedgerDesk.Leader, _ silences: Int) {
    leader.state.withLock { $0.idleWindows = Self.learned(silences) }
  }

  /// How many silences what is stored was learned from; nil: nothing is.
  private func expect(
    _ desk: LedgerDesk, learned: Int?, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let text = desk.object(IdleWindowStore.name)?.json[path: ["data", "learned"]]?.stringValue
    let stored = try text.map { try IdleWindowLearner(packed: Array(Data(base64Encoded: $0) ?? Data())).learned }
    #expect(stored == learned, sourceLocation: sourceLocation)
  }

  @Test(
    "What was learned is stored at once, then every five minutes and on hand-over, and a new process goes on with it")
  func survives() async throws {
    let desk = try LedgerDesk()
    let (first, second) = (desk.leader(), desk.leader())
    try await desk.running(first) {
      await desk.pass(7)
      try expect(desk, learned: nil)
      learn(first, 3)
      await desk.pass(7)
      try expect(desk, learned: 3)
      learn(first, 4)
      await desk.pass(200)
      try expect(desk, learned: 3)
      await desk.pass(110)
      try expect(desk, learned: 4)
      learn(first, 6)
      await HandOver.run(desk.clock) { await first.idleWindows.handOver() }
    }
    try await desk.running(second) {
      await desk.pass(2)
      let restored = second.state.withLock { $0.idleWindows }
      #expect(restored.packed == Self.learned(6).packed)
      // Nothing new: nothing is written.
      let writes = desk.server.writes.count
      await desk.pass(400)
      #expect(desk.server.writes.count == writes)
    }
  }

  @Test(
    "One that was changed or deleted by somebody else is read again and written over; one that cannot be read, with a word"
  )
  func others() async throws {
    let desk = try LedgerDesk()
    try desk.put(IdleWindowStore.name, labels: [LedgerConfigMap.label: "idle-windows"], data: ["learned": "?"])
    let leader = desk.leader()
    try await desk.running(leader) {
      await desk.pass(2)
      #expect(desk.log.messages.contains { $0.contains("cannot be read") })
      learn(leader, 2)
      await desk.pass(7)
      try expect(desk, learned: 2)
      try desk.touch(IdleWindowStore.name)
      learn(leader, 3)
      await desk.pass(400)
      try expect(desk, learned: 3)
      try desk.delete(IdleWindowStore.name)
      learn(leader, 5)
      await desk.pass(400)
      try expect(desk, learned: 5)
    }
  }

  /// Through the whole controller: a note in the book, a kill, and another process that reads it.
  @Test("A service's windows are noted in the ledger's book, and restored by the next controller")
  func throughTheController() async throws {
    let cluster = try TestCluster()
    let auto: JSONValue = [
      "burst": ["maxReplicas": 2, "sleepAfter": "Auto"],
      "economics": ["waitingHourlyPrice": "30", "burst": ["hourlyPrice": "3"]],
    ]
    let name = LedgerConfigMap.name(
      namespace: "default", day: LedgerBook.day(of: cluster.clock.now().wall.milliseconds))
    @Sendable func book(_ cluster: TestCluster) -> LedgerBook? {
      cluster.transport.object(.configMaps, ObjectKey(namespace: "pilotlight-system", name: name))
        .flatMap { try? LedgerConfigMap.book($0) }
    }
    let first = cluster.controller(over: cluster.transport)
    try await cluster.running([first]) { cluster in
      try cluster.applyService("llm", auto)
      cluster.load.withLock { $0 = [OperatorTests.load(held: 1)] }
      try await cluster.until("a wake") { $0.replicas("llm-burst") == 1 }
      try cluster.makePod("llm-burst-1", status: TestCluster.ready)
      let moment = cluster.clock.now().wall.timeIntervalSince1970
      cluster.load.withLock { $0 = [OperatorTests.load(lastRequest: moment)] }
      try await cluster.pass(.seconds(20))
    }
    // The controller was cancelled, as by SIGTERM: what it knew was handed over.
    let noted = try #require(book(cluster)?.note(for: "llm"))
    let memory = try IdleNote.memory(noted)
    #expect(memory.choice != nil && memory.history.pending != nil)
    let sink = MemoryLogSink()
    let second = cluster.controller(over: cluster.transport, log: Log(sink))
    try await cluster.running([second]) { cluster in
      try await cluster.pass(.seconds(20))
    }
    let again = try IdleNote.memory(try #require(book(cluster)?.note(for: "llm")))
    #expect(again.choice == memory.choice && again.history.pending == memory.history.pending)
    #expect(!sink.messages.contains { $0.contains("cannot be read") })
  }
}
