import Decisions
import FleetProtocol
import FoundationEssentials
import InferenceAPI
import KubernetesAPI
import ObjectStore
import Telemetry
import Testing

@testable import Operator

/// `scaling.mode: Predictive` in a cluster: what an earlier controller has noted of a caller that comes every 15 minutes.
@Suite(.serialized, .timeLimit(.minutes(3))) struct PredictiveTests {
  private static let silence = 900.0

  /// What an earlier controller knew: many such silences, of which the last one has begun so many seconds before `now`.
  private func memory(_ learner: inout IdleWindowLearner, pendingSince: Double, now: Double) -> IdleMemory {
    var memory = IdleMemory(loadSeconds: 30)
    let start = now - pendingSince - 60 * Self.silence
    for index in 0...60 {
      memory.choice = learner.begin(
        &memory.history, at: start + Double(index) * Self.silence, loadSeconds: 30, waitingPrice: 900, wakesAhead: true)
      if index < 60 { learner.end(&memory.history, at: start + Double(index + 1) * Self.silence) }
    }
    return memory
  }

  private func store(_ memory: IdleMemory, in cluster: TestCluster) throws {
    let now = cluster.clock.now().wall.milliseconds
    var ledger = Ledger()
    ledger.load([], now: now)
    ledger.advance(
      LedgerObservation(model: "llm", created: now, pods: [], wanted: 0, needed: 0, floor: 0, rates: [:]),
      in: "default", now: now)
    let isSet = ledger.setNote(IdleNote.text(memory), for: "llm", in: "default")
    #expect(isSet)
    let book = try #require(ledger.book(of: "default"))
    for object in try #require(LedgerConfigMap.image(book, home: "pilotlight-system")).objects {
      try cluster.transport.apply(ObjectOperation(.configMaps, .create(object), fieldManager: "test"))
    }
  }

  private func applyService(_ mode: String, in cluster: TestCluster) throws {
    try cluster.applyService(
      "llm",
      [
        "burst": ["maxReplicas": 2, "sleepAfter": "Auto"],
        "scaling": ["target": 2, "stableWindow": "6s", "panicWindow": "2s", "mode": .string(mode)],
        "economics": ["waitingHourlyPrice": "90", "burst": ["hourlyPrice": "3"]],
      ])
  }

  @Test("A sleeping model is woken ahead of a request that recurs, without one, and sleeps again when none came")
  func wakes() async throws {
    let cluster = try TestCluster()
    var learner = IdleWindowLearner()
    let begin = cluster.clock.now()
    let memory = memory(&learner, pendingSince: 600, now: begin.wall.timeIntervalSince1970)
    let wake = try #require(memory.choice?.ahead.first)
    #expect(wake.from > 620 && wake.until < 1500)
    try store(memory, in: cluster)
    try applyService("Predictive", in: cluster)
    try await cluster.running { cluster in
      func silence() -> Double { 600 + (cluster.clock.now().monotonic - begin.monotonic).inSeconds }
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      try await cluster.until("a wake", within: .seconds(600)) { $0.replicas("llm-burst") == 1 }
      #expect(silence() >= wake.from && silence() < wake.from + 2)
      try await cluster.until("its reason") {
        $0.service("llm")?.status[path: ["lastDecision", "reason"]]?.stringValue == "Expected"
      }
      try cluster.makePod("llm-burst-1", status: TestCluster.ready)
      try await cluster.until("a drain", within: .seconds(900)) { !$0.draining().isEmpty }
      #expect(silence() >= wake.until && silence() < wake.until + 3)
    }
  }

  @Test("With mode: Reactive the same model sleeps on")
  func reactive() async throws {
    let cluster = try TestCluster()
    var learner = IdleWindowLearner()
    try store(memory(&learner, pendingSince: 600, now: cluster.clock.now().wall.timeIntervalSince1970), in: cluster)
    try applyService("Reactive", in: cluster)
    try await cluster.running { cluster in
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      try await cluster.pass(.seconds(320))
      #expect(cluster.replicas("llm-burst") == 0)
      #expect(!cluster.transport.writes.contains { $0.contains("/scale") }, "\(cluster.transport.writes)")
    }
  }
}
