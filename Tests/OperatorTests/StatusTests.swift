import Decisions
import FoundationEssentials
import KubernetesAPI
import Testing

@testable import Operator

@Suite struct StatusTests {
  static let wall = Date(timeIntervalSince1970: 1_767_225_600)  // 2026-01-01T00:00:00Z

  static func situation(
    dedicated: (ready: Int, wanted: Int) = (0, 0), burst: (ready: Int, wanted: Int) = (0, 0),
    policy: ScalingPolicy = ScalingPolicy(), change: (inout ServiceSituation) -> Void = { _ in }
  ) -> ServiceSituation {
    func pool(_ name: String, _ count: (ready: Int, wanted: Int)) -> PoolObservation {
      PoolObservation(
        exists: true, wanted: count.wanted,
        pods: (0..<max(count.ready, count.wanted)).map { index in
          PodObservation(
            uid: "\(name)-\(index)", name: "\(name)-\(index)", createdAt: "2026-01-01T00:00:00Z",
            isReady: index < count.ready, isTerminating: false, isFinished: false, isScheduled: true)
        })
    }
    var policy = policy
    policy.dedicatedReplicas = max(policy.dedicatedReplicas, dedicated.wanted)
    let intent = ServiceIntent(
      key: ObjectKey(namespace: "team", name: "llm"), owner: OwnerReference(json: [:]), generation: 3,
      created: "2025-12-31T14:00:00Z", policy: policy,
      economics: Economics(
        dedicated: ReplicaPrice(perHour: 1, powerWatts: 100), burst: ReplicaPrice(perHour: 2, powerWatts: 300),
        carbonGramsPerKWh: 400),
      startupTimeout: .seconds(60), drainTimeout: .seconds(30), names: ["llm"], hostnames: [], maxSurge: 1,
      maxUnavailable: 0, port: 8000, templates: PerPool(dedicated: [:], burst: [:], canary: .null), templateHash: "t")
    let account = LedgerSummary(
      since: (Int(wall.timeIntervalSince1970) - 36_000) * 1000, elapsed: 36_000_000,
      burst: ReplicaTime(ready: 4 * 3_600_000), used: Bill(cost: 8, energyKWh: 1.2, carbonKg: 0.48),
      baselineMilliseconds: 40 * 3_600_000, saved: Bill(cost: 72, energyKWh: 10.8, carbonKg: 4.32))
    var situation = ServiceSituation(
      intent: intent, template: .valid, lostNames: [], url: "http://gateway/team/llm",
      pools: PerPool(dedicated: pool("dedicated", dedicated), burst: pool("burst", burst)),
      wanted: PerPool(dedicated: dedicated.wanted, burst: burst.wanted), drain: DrainPlan(),
      load: ServiceLoadView(isComplete: true), failure: nil, dedicatedTrouble: nil, conflict: nil,
      replicaFailure: PerPool(dedicated: nil, burst: nil), coldStarts: ColdStartSamples(), account: account,
      wall: wall)
    change(&situation)
    return situation
  }

  @Test("Ready says what a request sent now would meet")
  func ready() {
    let suspended = ScalingPolicy(isSuspended: true)
    let closed = ScalingPolicy(maxBurstReplicas: 0)
    let cases: [(ServiceSituation, String, String)] = [
      (Self.situation(), "True", "Asleep"),
      (Self.situation(burst: (0, 1)), "True", "Waking"),
      (Self.situation(burst: (1, 1)), "True", "Serving"),
      (Self.situation(dedicated: (1, 1)), "True", "Serving"),
      (Self.situation(dedicated: (1, 1), burst: (0, 2)), "True", "Bursting"),
      (Self.situation(burst: (1, 0)) { $0.drain = DrainPlan(epoch: 1, pods: ["burst-0"]) }, "True", "Draining"),
      (Self.situation(policy: suspended), "False", "Suspended"),
      (Self.situation(policy: closed), "False", "NoCapacity"),
      (Self.situation { $0.template = .invalid("unknown field") }, "False", "TemplateInvalid"),
      (Self.situation(burst: (1, 1)) { $0.template = .invalid("unknown field") }, "True", "Serving"),
      (
        Self.situation { $0.intent.unsupported = .no("UnsupportedField", "spec.rollout.steps") }, "False",
        "UnsupportedField"
      ),
      (Self.situation { $0.conflict = "Service x is there" }, "False", "ObjectConflict"),
      (
        Self.situation(burst: (0, 1)) { $0.replicaFailure.burst = "pods is forbidden: exceeded quota: gpus" }, "False",
        "QuotaExceeded"
      ),
      (
        Self.situation(burst: (0, 1)) { $0.pools.burst.pods[0].unschedulable = Self.noRoom }, "False", "Unschedulable"
      ),
      // Another pod is about to be ready.
      (Self.situation(burst: (0, 2)) { $0.pools.burst.pods[0].unschedulable = Self.noRoom }, "True", "Waking"),
      (
        Self.situation(dedicated: (1, 2)) { $0.pools.dedicated.pods[1].unschedulable = Self.noRoom }, "True", "Serving"
      ),
      (
        Self.situation {
          $0.failure = WakeFailure(reason: "StartupTimeout", message: "m", nextAttempt: Self.wall, failures: 2)
        }, "False", "StartupTimeout"
      ),
    ]
    for (situation, status, reason) in cases {
      #expect(situation.ready.status == status, "\(reason): \(situation.ready)")
      #expect(situation.ready.reason == reason)
    }
  }

  static let noRoom = SchedulingRefusal(
    message: "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", since: "2025-12-31T23:00:00Z")

  static func condition(_ situation: ServiceSituation, _ type: String) -> Verdict? {
    situation.verdicts.first { $0.type == type }?.verdict
  }

  @Test("Pods for which no node has room are counted, with the scheduler's words and since when")
  func unschedulable() {
    let situation = Self.situation(dedicated: (1, 4)) { situation in
      var later = Self.noRoom
      later.since = "2025-12-31T23:30:00Z"
      situation.pools.dedicated.pods[1].unschedulable = later
      situation.pools.dedicated.pods[3].unschedulable = Self.noRoom
    }
    let words = "2 of 4 pods cannot be scheduled, dedicated-3 since 2025-12-31T23:00:00Z: \(Self.noRoom.message)"
    #expect(Self.condition(situation, "DedicatedReady") == .no("Unschedulable", words))
    #expect(Self.condition(situation, "Ready")?.status == "True")
    let status = StatusDocument.make(situation, previous: [:], decision: nil)
    #expect(status[path: ["dedicated", "unschedulableReplicas"]] == 2)

    var burst = Self.situation(burst: (0, 1)) { $0.pools.burst.pods[0].unschedulable = Self.noRoom }
    let one = "1 of 1 pod cannot be scheduled, burst-0 since 2025-12-31T23:00:00Z: \(Self.noRoom.message)"
    #expect(Self.condition(burst, "BurstReady") == .no("Unschedulable", one))
    #expect(Self.condition(burst, "Ready") == .no("Unschedulable", one))
    // Time alone is no news.
    let before = StatusDocument.make(burst, previous: [:], decision: nil)
    burst.wall += 3600
    let after = StatusDocument.make(burst, previous: before, decision: nil)
    #expect(after["conditions"] == before["conditions"])
  }

  @Test("A rollout that waits for a node says so, and what would let it go on")
  func blockedRollout() {
    func progress(_ wanted: Int, _ maxSurge: JSONValue, _ maxUnavailable: JSONValue, isPending: Bool = true) -> Verdict?
    {
      let situation = Self.situation(dedicated: (wanted, wanted)) { situation in
        situation.intent.maxSurge = maxSurge
        situation.intent.maxUnavailable = maxUnavailable
        for index in 0..<wanted { situation.pools.dedicated.pods[index].isUpdated = false }
        var surge = situation.pools.dedicated.pods[0]
        (surge.name, surge.isReady, surge.isUpdated) = ("surge", false, true)
        surge.unschedulable = isPending ? Self.noRoom : nil
        situation.pools.dedicated.pods.append(surge)
      }
      #expect(Self.condition(situation, "DedicatedReady")?.status == "True")
      return Self.condition(situation, "Progressing")
    }
    let words =
      "dedicated, with the present template: 1 of 1 pod cannot be scheduled, surge since 2025-12-31T23:00:00Z: "
      + Self.noRoom.message
    let advice =
      "; no replica goes before its successor is ready: without room for one more, set spec.rollout.maxSurge 0 and "
      + "maxUnavailable 1"
    #expect(progress(2, 1, 0) == .no("RolloutBlocked", words + advice))
    #expect(progress(2, "50%", "25%") == .no("RolloutBlocked", words + advice))
    #expect(progress(4, "50%", "25%") == .no("RolloutBlocked", words))
    #expect(progress(2, 0, 1) == .no("RolloutBlocked", words))
    #expect(progress(2, 1, 0, isPending: false) == .yes("RollingOut", "2 replicas have an older template"))
  }

  @Test("A failed wake survives its way through the status")
  func failure() {
    let failure = WakeFailure(
      reason: "CrashLoopBackOff", message: "container \"model\" ended", nextAttempt: Self.wall, failures: 2)
    let situation = Self.situation { $0.failure = failure }
    var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .zero)
    let decision = decideScale(
      situation.intent.policy, &state, ScalingObservation(held: 1, wakeNotBefore: .seconds(9)), now: .zero)
    let round = Round(
      decision: decision, plan: ScalePlan(drain: DrainPlan()), verdict: .failed, wanted: situation.wanted,
      floor: .owner, load: situation.load)
    let record = StatusDocument.decision(
      round, pool: .burst, from: 1, to: 0, failure: failure, wall: Self.wall)
    let status = StatusDocument.make(situation, previous: [:], decision: record)
    #expect((status[path: ["lastDecision", "inputs"]]?.objectValue?.count ?? 99) <= 24)
    var object = KubernetesObject(["metadata": ["generation": 3], "status": status])
    #expect(StatusDocument.failure(in: object) == failure)
    object.json[path: ["metadata", "generation"]] = 4
    #expect(StatusDocument.failure(in: object) == nil)
  }

  @Test("A failed wake is told with the last decision, though the scale that it caused was recorded by nobody")
  func failureOfLostAnswer() {
    let failure = WakeFailure(
      reason: "CrashLoopBackOff", message: "container \"model\" ended", nextAttempt: Self.wall, failures: 1)
    let previous: JSONValue = [
      "lastDecision": ["pool": "Burst", "from": 0, "to": 1, "reason": "Activated", "inputs": ["held": "1"]]
    ]
    let status = StatusDocument.make(Self.situation { $0.failure = failure }, previous: previous, decision: nil)
    let object = KubernetesObject(["metadata": ["generation": 3], "status": status])
    #expect(StatusDocument.failure(in: object) == failure)
    #expect(status[path: ["lastDecision", "inputs", "held"]] == "1")
    #expect(
      StatusDocument.make(Self.situation(), previous: previous, decision: nil)["lastDecision"]
        == previous["lastDecision"])
  }

  @Test("Usage and saving are in the status as the ledger has them; before it is loaded the last ones stay")
  func usage() {
    let situation = Self.situation()
    let status = StatusDocument.make(situation, previous: [:], decision: nil)
    #expect(status[path: ["usage", "burstReplicaHours"]] == "4")
    #expect(status[path: ["usage", "cost"]] == "8")
    #expect(status[path: ["usage", "energyKWh"]] == "1.2")
    #expect(status[path: ["usage", "carbonKg"]] == "0.48")
    #expect(status[path: ["savings", "baselineReplicaHours"]] == "40")
    #expect(status[path: ["savings", "amount"]] == "72")
    #expect(status[path: ["display", "saved"]] == "USD 72 (90%)")
    let unloaded = StatusDocument.make(Self.situation { $0.account = nil }, previous: status, decision: nil)
    #expect(unloaded["usage"] == status["usage"])
    #expect(unloaded["savings"] == status["savings"])
    #expect(unloaded[path: ["display", "saved"]] == "USD 72 (90%)")
  }

  @Test("Conditions keep their transition time while they hold, and carry the generation")
  func conditions() {
    let asleep = StatusDocument.make(Self.situation(), previous: [:], decision: nil)
    let later = StatusDocument.make(
      Self.situation(burst: (0, 1)) { $0.wall = Self.wall.addingTimeInterval(60) }, previous: asleep, decision: nil)
    let ready = KubernetesObject(["status": later]).condition("Ready")
    #expect(ready?.lastTransitionTime == "2026-01-01T00:00:00Z")
    #expect(ready?.json["observedGeneration"] == 3)
    let burst = KubernetesObject(["status": later]).condition("BurstReady")
    #expect(burst?.lastTransitionTime == "2026-01-01T00:01:00Z")
  }

  @Test(
    "Advice on what a replica carries is told, told anew where it differs, kept where nothing is known, and written as load is"
  )
  func capacity() {
    var policy = StatusWritePolicy()
    func status(_ concurrency: Double?, after previous: JSONValue, samples: Int = 600) -> JSONValue {
      StatusDocument.make(
        Self.situation(burst: (1, 1)) { situation in
          situation.load.reading.advice = concurrency.map {
            CapacityAdvice(bend: 6.5, concurrency: $0, aloneSeconds: 0.25, samples: samples)
          }
          situation.wall = Self.wall.addingTimeInterval(Double(samples))
        }, previous: previous, decision: nil)
    }
    let none = status(nil, after: [:])
    #expect(none["capacity"] == nil)
    let first = status(11.5, after: none)
    #expect(
      first["capacity"] == [
        "advisedTarget": 8, "bend": "6.5", "slowConcurrency": "11.5", "firstTokenAlone": "0.25s", "samples": 600,
        "sinceTime": "2026-01-01T00:10:00Z",
      ])
    // 8 again, of more samples and a little more.
    #expect(status(11.9, after: first, samples: 900)["capacity"] == first["capacity"])
    #expect(status(nil, after: first)["capacity"] == first["capacity"])
    #expect(status(20, after: first)[path: ["capacity", "advisedTarget"]] == 14)
    // Advice alone is written as load is: not at once, and not at rest.
    #expect(policy.judge(none, first, isAtRest: false, lastWrite: .zero, now: .seconds(5)) == .later(.seconds(10)))
    #expect(policy.judge(none, first, isAtRest: false, lastWrite: .zero, now: .seconds(15)) == .write)
    #expect(policy.judge(none, first, isAtRest: true, lastWrite: .zero, now: .seconds(60)) == .nothing)
    #expect(
      policy.judge(first, status(11.9, after: first, samples: 900), isAtRest: false, lastWrite: nil, now: .seconds(60))
        == .nothing)
  }

  @Test("A change of state is written at once; load and savings at most each 15 s, and never at rest")
  func writes() {
    var policy = StatusWritePolicy()
    let before = StatusDocument.make(Self.situation(burst: (1, 1)), previous: [:], decision: nil)
    let busier = StatusDocument.make(
      Self.situation(burst: (1, 1)) { $0.load.inFlight = 5 }, previous: before, decision: nil)
    let later = StatusDocument.make(
      Self.situation(burst: (1, 1)) { $0.wall = Self.wall.addingTimeInterval(60) }, previous: before, decision: nil)
    let more = StatusDocument.make(Self.situation(burst: (1, 2)), previous: before, decision: nil)
    let holding = StatusDocument.make(
      Self.situation(burst: (1, 1)) { $0.load.held = 1 }, previous: before, decision: nil)
    func judge(_ wanted: JSONValue, rest: Bool = false, last: Duration? = .zero, now: Int) -> StatusWritePolicy.Verdict
    {
      policy.judge(before, wanted, isAtRest: rest, lastWrite: last, now: .seconds(now))
    }
    #expect(judge(more, now: 1) == .write)
    #expect(judge(holding, now: 1) == .write)
    #expect(judge(later, now: 60) == .nothing)
    #expect(judge(busier, now: 1) == .later(.seconds(14)))
    #expect(judge(busier, now: 15) == .write)
    #expect(judge(busier, rest: true, now: 60) == .nothing)
    let verdicts = (0..<30).map { _ in judge(busier, last: nil, now: 60) }
    #expect(verdicts.count { $0 == .write } == 20)
  }
}
