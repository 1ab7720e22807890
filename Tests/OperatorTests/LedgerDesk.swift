import Decisions
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import ObjectStore
import Synchronization
import Telemetry
import Testing

@testable import Operator

/// The ledger's store by itself, in front of an API server in memory and on a clock of its own.
struct LedgerDesk {
  static let home = "pilotlight-system"
  let clock: ManualClock
  let server: StoreTransport
  let metrics = MetricsRegistry()
  let log = MemoryLogSink()
  private let loops = Loops()
  private let begin: Int

  /// Loops that run now: each sleeps when it has done what there was to do.
  private final class Loops: Sendable { let count = Mutex(0) }

  /// - Parameter begin: seconds since 1970.
  init(begin: Double = 1_795_780_800) throws {
    clock = ManualClock(start: Now(monotonic: .seconds(1000), wall: Date(timeIntervalSince1970: begin)))
    self.begin = Int(begin * 1000)
    server = StoreTransport(ObjectStore(resources: ResourceDefinition.builtIn), clock: clock)
    try server.apply(
      ObjectOperation(
        .namespaces, .create(KubernetesObject(.namespaces, ObjectKey(name: Self.home))), fieldManager: "test"))
  }

  /// A controller's part in it.
  struct Leader {
    let state: ControllerState
    let store: LedgerStore
    let idleWindows: IdleWindowStore
  }

  func leader(
    over transport: (any KubernetesTransport)? = nil,
    services: [ObjectKey] = [ObjectKey(namespace: "team", name: "llm")]
  ) -> Leader {
    let client = KubernetesClient(transport: transport ?? server, clock: clock)
    let state = ControllerState(timeZones: NoTimeZones())
    return Leader(
      state: state,
      store: LedgerStore(
        reading: client, writing: client, home: Self.home, state: state, clock: clock, log: Log(log),
        metrics: LedgerMetrics(metrics), services: { services }),
      idleWindows: IdleWindowStore(
        reading: client, writing: client, home: Self.home, state: state, clock: clock, log: Log(log)))
  }

  var now: Int { clock.now().wall.milliseconds }
  var today: Int { LedgerBook.day(of: now) }
  var bookName: String { LedgerConfigMap.name(namespace: "team", day: today) }

  func object(_ name: String) -> KubernetesObject? {
    server.object(.configMaps, ObjectKey(namespace: Self.home, name: name))
  }

  func book(_ name: String? = nil) throws -> LedgerBook {
    try LedgerConfigMap.book(try #require(object(name ?? bookName)))
  }

  /// How many requests of the model all stored books tell of.
  func expect(requests: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let all = server.contents.withLock { $0.store.objects(.configMaps) }
    let books = try all.filter { $0.metadata.labels[LedgerConfigMap.label] == "book" }.map {
      try LedgerConfigMap.book($0)
    }
    let report = LedgerReport(books, from: 0, to: now + 86_400_000, now: now)
    let stored = report.lines.reduce(0) { $0 + $1.counts.requests }
    #expect(stored == requests, sourceLocation: sourceLocation)
  }

  func put(_ name: String, labels: JSONValue, data: JSONValue) throws {
    var object = KubernetesObject(.configMaps, ObjectKey(namespace: Self.home, name: name))
    object.json[path: ["metadata", "labels"]] = labels
    object.json["data"] = data
    try server.apply(ObjectOperation(.configMaps, .create(object), fieldManager: "test"))
  }

  func delete(_ name: String) throws {
    try server.apply(
      ObjectOperation(
        .configMaps, .delete(ObjectKey(namespace: Self.home, name: name), DeleteOptions()), fieldManager: "test"))
  }

  /// A change by somebody else, who keeps the content.
  func touch(_ name: String) throws {
    let change: JSONValue = ["metadata": ["annotations": ["by": "hand-\(clock.now().monotonic)".jsonString]]]
    try server.apply(
      ObjectOperation(
        .configMaps, .mergePatch(ObjectKey(namespace: Self.home, name: name), change), fieldManager: "test"))
  }

  /// What the gateway has counted so far reaches a leader.
  func hear(_ leader: Leader, requests: Int, boot: String = "boot") {
    let row = ServiceAccount.Row(pool: "burst", tenant: "a", counts: LedgerCounts(requests: requests))
    let account = ServiceAccount(sinceMilliseconds: begin, rows: [row])
    leader.state.withLock { contents in
      contents.ledger.hear(account, of: "llm", in: "team", from: "gateway", bootID: boot, now: now)
    }
  }

  /// Lets a leader keep the ledger while `body` runs; then it is killed.
  func running(_ leader: Leader, _ body: @escaping @Sendable () async throws -> Void) async throws {
    loops.count.withLock { $0 += 2 }
    defer { loops.count.withLock { $0 -= 2 } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await leader.store.run() }
      group.addTask { try await leader.idleWindows.run() }
      group.addTask {
        try await body()
        throw Done()
      }
      do { try await group.next() } catch is Done {}
      group.cancelAll()
    }
  }

  /// Runs `body` beside a leader that has heard of three requests and has stored them.
  static func leading(_ body: @escaping @Sendable (LedgerDesk, Leader) async throws -> Void) async throws {
    let desk = try LedgerDesk()
    let leader = desk.leader()
    try await desk.running(leader) {
      await desk.pass(2)
      desk.hear(leader, requests: 3)
      await desk.pass(310)
      try await body(desk, leader)
    }
  }

  private struct Done: Error {}

  /// Lets time pass, five seconds at a time: time moves when every loop sleeps.
  func pass(_ seconds: Int) async {
    let count = loops.count.withLock { $0 }
    await clock.waitForSleepers(count)
    var left = seconds
    while left > 0 {
      clock.advance(by: .seconds(min(5, left)))
      left -= 5
      await clock.waitForSleepers(count)
    }
  }
}

extension String {
  fileprivate var jsonString: JSONValue { .string(self) }
}
