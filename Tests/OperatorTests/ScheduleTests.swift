import Decisions
import InferenceAPI
import KubernetesAPI
import ObjectStore
import Telemetry
import Testing
import TimeZones

@testable import Operator

@Suite(.serialized) struct ScheduleTests {
  static let key = ObjectKey(namespace: "default", name: "llm")

  /// The cluster's clock begins on Sunday, the 15th of June 2025, at 15:06:40 UTC.
  static func schedule(_ start: String, _ end: String, replicas: Int, zone: String = "UTC") -> JSONValue {
    [
      "name": "peak", "start": .string(start), "end": .string(end), "replicas": JSONValue(replicas),
      "timeZone": .string(zone),
    ]
  }

  static func dedicated(_ cluster: TestCluster, _ change: JSONValue) throws {
    try cluster.transport.apply(
      ObjectOperation(
        InferenceService.resourceType, .mergePatch(key, ["spec": ["dedicated": change]]), fieldManager: "owner"))
  }

  static func lastDecision(_ cluster: TestCluster) -> JSONValue {
    cluster.service("llm")?.status["lastDecision"] ?? [:]
  }

  @Test("Replicas come when a schedule begins and drain when it ends; nothing is written in between")
  func beginAndEnd() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService(
        "llm", ["dedicated": ["replicas": 0, "schedules": [Self.schedule("15:08", "15:09", replicas: 2)]]])
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      let writes = cluster.transport.writes.count
      try await cluster.pass(.seconds(65))
      #expect(cluster.transport.writes.count == writes, "\(cluster.transport.writes.suffix(5))")

      try await cluster.until("the schedule's begin") { $0.replicas("llm-dedicated") == 2 }
      let begin = Timestamp.seconds(cluster.clock.now().wall)
      #expect(begin.hasPrefix("2025-06-15T15:08:0"), "\(begin)")
      for name in ["a", "b"] { try cluster.makePod(name, pool: "dedicated", status: TestCluster.ready) }
      try await cluster.until("serving with both") {
        $0.state() == "Serving" && $0.service("llm")?.condition("DedicatedReady")?.isTrue == true
      }
      #expect(Self.lastDecision(cluster)["reason"] == "Schedule")
      #expect(
        Self.lastDecision(cluster)["message"]?.stringValue
          == "Schedule \"peak\" (15:08-15:09 UTC) wants 2 dedicated; the next change is due at 2025-06-15T15:09:00Z.")
      #expect(Self.lastDecision(cluster)[path: ["inputs", "schedule"]] == "peak")
      #expect(cluster.service("llm")?.status[path: ["dedicated", "desiredReplicas"]] == 2)

      try await cluster.until("the schedule's end") { $0.draining().count == 2 }
      #expect(cluster.replicas("llm-dedicated") == 2)
      cluster.load.withLock { $0 = [OperatorTests.load(epoch: 1)] }
      try await cluster.until("no replica") { $0.replicas("llm-dedicated") == 0 }
      let end = Timestamp.seconds(cluster.clock.now().wall)
      #expect(end.hasPrefix("2025-06-15T15:09:"), "\(end)")
      try await cluster.until("the reason of the end") {
        Self.lastDecision($0)["message"]?.stringValue?.hasPrefix(
          "Schedule \"peak\" (15:08-15:09 UTC) is over: 0 dedicated") == true
      }
      #expect(Self.lastDecision(cluster)["reason"] == "Schedule")
    }
  }

  @Test("The owner's number holds where it is larger, and outside of schedules")
  func ownersNumber() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService(
        "llm", ["dedicated": ["replicas": 0, "schedules": [Self.schedule("15:00", "24:00", replicas: 2)]]])
      try await cluster.until("the schedule") { $0.replicas("llm-dedicated") == 2 }
      try Self.dedicated(cluster, ["replicas": 1])
      try await cluster.pass(.seconds(5))
      #expect(cluster.replicas("llm-dedicated") == 2)
      try Self.dedicated(cluster, ["replicas": 3])
      try await cluster.until("three") { $0.replicas("llm-dedicated") == 3 }
      try await cluster.until("why") { Self.lastDecision($0)["reason"] == "FloorChanged" }
      try Self.dedicated(cluster, ["replicas": 1, "schedules": []])
      try await cluster.until("one") { $0.replicas("llm-dedicated") == 1 }
      try await cluster.until("why") { Self.lastDecision($0)["message"] == "The owner wants 1 dedicated." }
    }
  }

  @Test("A wall clock that is set is noticed within a minute")
  func clockIsSet() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService(
        "llm", ["dedicated": ["replicas": 0, "schedules": [Self.schedule("20:00", "21:00", replicas: 1)]]])
      try await cluster.until("asleep") { $0.state() == "Asleep" }
      try await cluster.pass(.seconds(5))
      cluster.clock.setWall(ahead: .seconds(5 * 3600))
      try await cluster.until("the schedule", within: .seconds(61)) { $0.replicas("llm-dedicated") == 1 }
    }
  }

  @Test("A time zone that is not known is refused with the names that may be meant, and what runs stays as it is")
  func unknownTimeZone() async throws {
    let cluster = try TestCluster(timeZones: OneTimeZone())
    try await cluster.running { cluster in
      try cluster.applyService(
        "llm",
        ["dedicated": ["replicas": 0, "schedules": [Self.schedule("17:00", "18:00", replicas: 1, zone: "Here")]]])
      // Two hours ahead of UTC.
      try await cluster.until("the schedule") { $0.replicas("llm-dedicated") == 1 }
      try cluster.makePod("a", pool: "dedicated", status: TestCluster.ready)
      try await cluster.until("serving") { $0.state() == "Serving" }
      let deployment = cluster.transport.object(.deployments, ObjectKey(namespace: "default", name: "llm-dedicated"))

      try Self.dedicated(
        cluster, ["replicas": 4, "schedules": [Self.schedule("17:00", "18:00", replicas: 9, zone: "Heer")]])
      try await cluster.until("a refusal") { $0.state() == "UnknownTimeZone" }
      let ready = cluster.service("llm")?.condition("Ready")
      #expect(ready?.status == "False")
      #expect(
        ready?.message
          == "spec.dedicated.schedules[peak].timeZone: \"Heer\" is not a time zone known here: do you mean Here?")
      try await cluster.pass(.seconds(90))
      #expect(
        cluster.transport.object(.deployments, ObjectKey(namespace: "default", name: "llm-dedicated")) == deployment)

      try Self.dedicated(cluster, ["schedules": [Self.schedule("17:00", "18:00", replicas: 9, zone: "Here")]])
      try await cluster.until("the schedule again") { $0.replicas("llm-dedicated") == 9 }
    }
  }

  @Test("Where no replica may run before the next schedule, Ready says when that is")
  func noCapacity() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService(
        "llm",
        [
          "dedicated": ["replicas": 0, "schedules": [Self.schedule("08:00", "09:00", replicas: 1)]],
          "burst": ["maxReplicas": 0],
        ])
      try await cluster.until("a verdict") { $0.state() == "NoCapacity" }
      let message = cluster.service("llm")?.condition("Ready")?.message ?? ""
      #expect(message.contains("no schedule holds before 2025-06-16T08:00:00Z"), "\(message)")
    }
  }
}

/// Knows `Here`, two hours ahead of UTC.
private struct OneTimeZone: TimeZoneSource {
  func zone(named name: String) throws(UnknownTimeZone) -> Zone {
    guard name == "Here", let zone = try? Zone(file: Self.file) else {
      throw UnknownTimeZone(name: name, explanation: "do you mean Here?")
    }
    return zone
  }

  /// A compiled zone of version 1 with nothing but an offset of 7200 s.
  private static let file: [UInt8] =
    Array("TZif".utf8) + [UInt8](repeating: 0, count: 16)
    + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]
    + [0, 0, 0x1c, 0x20, 0, 0] + Array("+02\0".utf8)
}
