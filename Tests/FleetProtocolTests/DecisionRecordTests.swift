import Decisions
import FleetProtocol
import FoundationEssentials
import Testing

@Suite struct DecisionRecordTests {
  /// Records of a made-up course with every kind of policy; the same on every run.
  static func course() -> [DecisionRecord] {
    var records: [DecisionRecord] = []
    for (index, policy) in policies.enumerated() {
      var random = SystemSplitMix(seed: UInt64(index + 1))
      var state = ScalingState(startedAt: .seconds(100), holdScaleDownUntil: .seconds(130))
      var now = Duration.seconds(100)
      var wanted = 0
      var lastActivity: Duration?
      for _ in 0..<12 {
        now += .milliseconds(Int(random.next() % 400_000))
        let observation = observe(policy, &random, wanted: wanted, lastActivity: lastActivity, now: now)
        if observation.inFlight > 0 { lastActivity = now }
        let before = state
        let decision = decideScale(policy, &state, observation, now: now)
        records.append(
          DecisionRecord(
            namespace: "default", name: "m\(index)", timeUnix: 1_700_000_000 + now.inSeconds.rounded(), policy: policy,
            state: before, observation: observation, decision: decision, now: now))
        wanted = decision.burst
      }
    }
    return records
  }

  /// A model that is woken ahead of a request that is expected, stays while it is, and sleeps when it is not any more.
  static func expected() -> [DecisionRecord] {
    var policy = ScalingPolicy(sleepAfter: .seconds(60), maxBurstReplicas: 4)
    policy.idleWindow = IdleWindowChoice(window: 60, wakePrice: 900, returnChance: 0.25, expectedCost: 400)
    policy.idleWindow?.ahead = [WakeAhead(from: 800, until: 1000)]
    var state = ScalingState(startedAt: .seconds(100), holdScaleDownUntil: .seconds(130))
    return [(500, false, 0), (910, true, 0), (1000, true, 1), (1110, false, 1)].map { second, isExpected, wanted in
      var seen = ScalingObservation(
        stableAverage: 0, panicAverage: 0, lastActivity: .seconds(110), burstWanted: wanted, burstReady: wanted)
      seen.isExpected = isExpected
      let before = state
      let now = Duration.seconds(second)
      let decision = decideScale(policy, &state, seen, now: now)
      return DecisionRecord(
        namespace: "default", name: "expected", timeUnix: 1_700_000_000 + now.inSeconds, policy: policy, state: before,
        observation: seen, decision: decision, now: now)
    }
  }

  /// A pool that was woken and is awake, and a gateway that cannot be read just when it would go down: by load, to zero, and
  /// under a lowered ceiling; then the gateway is back.
  static func withoutData() -> [DecisionRecord] {
    let policies = [
      ScalingPolicy(scaleDownDelay: .zero, sleepAfter: .seconds(60), maxBurstReplicas: 8),
      ScalingPolicy(scaleDownDelay: .zero, sleepAfter: .seconds(60), dedicatedReplicas: 1, maxBurstReplicas: 8),
      ScalingPolicy(
        metric: .tokensPerSecond, target: 900, dedicatedTarget: 900, scaleDownDelay: .zero, sleepAfter: .seconds(60),
        maxBurstReplicas: 4),
    ]
    /// What is known: the load, whether all gateways are read, replicas, seconds since the last request.
    let looks: [(load: Double?, isComplete: Bool, burst: Int, idle: Double)] = [
      (8, true, 3, 0), (8, false, 3, 0), (nil, true, 3, 0), (0, false, 3, 50), (0, false, 3, 500), (nil, true, 1, 500),
      (8, false, 6, 0), (0, true, 1, 500),
    ]
    return policies.enumerated().flatMap { index, policy in
      var state = ScalingState(startedAt: .seconds(100), holdScaleDownUntil: .seconds(130))
      return looks.enumerated().map { step, look in
        let now = Duration.seconds(1000 + 600 * step)
        let load = look.load.map { $0 * policy.target / 8 }
        let observation = ScalingObservation(
          held: 0, inFlight: look.load ?? 0 > 0 ? 8 : 0, stableAverage: load, panicAverage: load,
          lastActivity: now - .seconds(look.idle), isComplete: look.isComplete, isActivated: false,
          dedicatedReplicas: policy.dedicatedReplicas, dedicatedReady: policy.dedicatedReplicas,
          burstWanted: look.burst,
          burstReady: look.burst)
        let before = state
        let decision = decideScale(policy, &state, observation, now: now)
        return DecisionRecord(
          namespace: "default", name: "unread\(index)", timeUnix: 1_700_000_000 + now.inSeconds, policy: policy,
          state: before, observation: observation, decision: decision, now: now)
      }
    }
  }

  static let policies = [
    ScalingPolicy(maxBurstReplicas: 10),
    ScalingPolicy(dedicatedReplicas: 2, maxBurstReplicas: 6, spareBurstReplicas: 1),
    ScalingPolicy(
      metric: .requestsPerSecond, target: 3, scaleDownDelay: .zero, sleepAfter: .seconds(90), maxBurstReplicas: 8),
    ScalingPolicy(metric: .tokensPerSecond, target: 900, dedicatedTarget: 450, maxBurstReplicas: 8),
    ScalingPolicy(
      maxBurstReplicas: 12, maxConcurrency: 4,
      objective: LatencyObjective(timeToFirstToken: .milliseconds(1500), percentile: 99)),
    ScalingPolicy(maxBurstReplicas: 0), ScalingPolicy(maxBurstReplicas: 3, isSuspended: true),
  ]

  private static func observe(
    _ policy: ScalingPolicy, _ random: inout SystemSplitMix, wanted: Int, lastActivity: Duration?, now: Duration
  ) -> ScalingObservation {
    let load = random.next() % 3 == 0 ? 0 : Double(random.next() % 9000) / 100
    var seen = ScalingObservation(
      held: Int(random.next() % 4) * (load > 0 ? 1 : 0), inFlight: Int(load), stableAverage: load,
      panicAverage: load * Double(random.next() % 30) / 10, lastActivity: lastActivity,
      isComplete: random.next() % 8 != 0, isActivated: random.next() % 9 == 0,
      dedicatedReplicas: policy.dedicatedReplicas, dedicatedReady: policy.dedicatedReplicas, burstWanted: wanted,
      burstReady: wanted - Int(random.next() % 2) * min(1, wanted),
      wakeNotBefore: random.next() % 12 == 0 ? now + .seconds(30) : nil)
    if random.next() % 10 == 0 { seen.stableAverage = nil }
    if policy.objective != nil {
      seen.service = ServiceObservation(
        firstToken: SampleSums(count: 90, sum: 40.5, squares: 25.25),
        occupied: SampleSums(count: 90, sum: 200.25, squares: 800.5), arrivalVariation: 2.5,
        stableArrivals: load / 3, panicArrivals: load / 2, burstSlots: random.next() % 2 == 0 ? nil : 17.5)
    }
    return seen
  }

  static let goldenPath: String = {
    let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    return "/\(folder)/Golden/decisions.jsonl"
  }()

  @Test(
    "Decisions recorded by this version come out the same. Where one differs on purpose, raise decideScaleVersion and record anew: PILOTLIGHT_RECORD=1"
  )
  func golden() throws {
    let url = URL(filePath: Self.goldenPath)
    if ProcessInfo.processInfo.environment["PILOTLIGHT_RECORD"] == "1" {
      try Data(try (Self.course() + Self.withoutData() + Self.expected()).flatMap { try $0.encodedLine() }).write(
        to: url)
    }
    let lines = try Data(contentsOf: url).split(separator: UInt8(ascii: "\n"))
    #expect(lines.count == Self.policies.count * 12 + Self.withoutData().count + Self.expected().count)
    var reasons: Set<ScalingReason> = []
    for line in lines {
      let record = try DecisionRecord(line: line)
      #expect(record.function == decideScaleVersion)
      #expect(record.replayed() == .agrees, "\(record.name) at \(record.timeUnix): \(record.decision)")
      reasons.insert(record.decision.reason)
    }
    #expect(reasons.count >= 12 && reasons.contains(.noData) && reasons.contains(.expected), "\(reasons)")
  }

  @Test("In the recorded decisions nothing goes down while a gateway is not read, and it does once all are")
  func recordedWithoutData() throws {
    let lines = try Data(contentsOf: URL(filePath: Self.goldenPath)).split(separator: UInt8(ascii: "\n"))
    let records = try lines.map { try DecisionRecord(line: $0) }.filter { $0.name.hasPrefix("unread") }
    #expect(records.count { $0.decision.reason == .noData } >= 6)
    for record in records where !record.observation.isComplete || record.observation.stableAverage == nil {
      let present = min(record.observation.burstWanted, record.policy.maxBurstReplicas)
      #expect(record.decision.burst >= present, "\(record.name) at \(record.timeUnix)")
    }
    let last = records.filter { $0.observation.isComplete && $0.observation.stableAverage == 0 }
    #expect(!last.isEmpty && last.allSatisfy { $0.decision.burst == 0 && $0.decision.reason == .idle })
  }

  @Test("A record survives its line, and its decision comes out the same, whenever it was made")
  func roundTrip() throws {
    for record in Self.course() {
      let line = try record.encodedLine()
      let read = try DecisionRecord(line: line)
      #expect(read == record)
      #expect(read.replayed() == .agrees)
      #expect(line.count < 1500, "\(line.count) bytes")
    }
  }

  @Test("A record that was tampered with disagrees; one of another version says so")
  func verdicts() throws {
    let all = Self.course()
    var record = try #require(all.first { $0.decision.burst > 1 })
    let recorded = record.decision
    record.decision.burst += 1
    #expect(record.replayed() == .disagrees(now: recorded))
    record.function = decideScaleVersion - 1
    #expect(record.replayed() == .differsByVersion(now: recorded))
  }

  @Test("What is no record is refused with a reason")
  func refused() {
    #expect(throws: FleetProtocolError.self) { try DecisionRecord(line: Array("{}".utf8)) }
    #expect(throws: FleetProtocolError.unsupportedVersion(7)) {
      try DecisionRecord(line: Array(#"{"version":7}"#.utf8))
    }
    #expect(throws: FleetProtocolError.self) { try DecisionRecord(line: Array("decided".utf8)) }
  }

  @Test("The log keeps the latest of each model and of all, within both bounds")
  func log() throws {
    let records = Self.course()
    var log = DecisionLog<String>(perModel: 3, total: 5)
    for record in records.prefix(12) { log.append(record, of: "a") }
    #expect(log["a"] == Array(records[9..<12]) && log.count == 3)
    for record in records[12..<14] { log.append(record, of: "b") }
    #expect(log.count == 5)
    log.append(records[14], of: "c")
    // The oldest of all went: one of a.
    #expect(log["a"] == Array(records[10..<12]) && log["b"].count == 2 && log["c"].count == 1)
    log.remove("b")
    #expect(log["b"].isEmpty && log.count == 3)
    for (index, record) in records.enumerated() {
      log.append(record, of: ["a", "b", "c", "d"][index % 4])
      #expect(log.count <= 5)
      #expect(log.count == ["a", "b", "c", "d"].reduce(0) { $0 + log[$1].count })
    }
  }
}

/// Sebastiano Vigna's SplitMix64: the same numbers on every run.
struct SystemSplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
