import Testing

@testable import Decisions

/// What holds of scaling whatever the load does, with the meter in between: gateways that fall silent, come back, restart or
/// leave, and controllers that take over.
@Suite struct ScalingPropertyTests {
  /// Gateways' counters as they go on, and the controller that reads them.
  struct Fleet {
    var policy: ScalingPolicy
    var meter: LoadMeter
    var state: ScalingState
    var now: Duration
    var wanted: Int
    var gateways: [(boot: Int, requests: Int, integral: Double, inFlight: Int, silentUntil: Duration)]

    init(_ policy: ScalingPolicy, gateways: Int = 1, at now: Duration = .zero, wanted: Int = 0) {
      self.policy = policy
      self.now = now
      self.wanted = wanted
      meter = LoadMeter(span: policy.stableWindow)
      state = ScalingState(startedAt: now, holdScaleDownUntil: now + policy.stableWindow)
      self.gateways = (0..<gateways).map { _ in (1, 0, 0, 0, .zero) }
    }

    /// A second with so many requests in flight at each gateway.
    mutating func second(inFlight: [Int], arrivals: Int = 1) -> ScalingDecision {
      now += .seconds(1)
      for index in gateways.indices {
        gateways[index].integral += Double(gateways[index].inFlight)
        gateways[index].inFlight = inFlight[index]
        gateways[index].requests += arrivals
        guard now >= gateways[index].silentUntil else { continue }
        meter.record(
          LoadSample(
            inFlight: inFlight[index], requestsTotal: gateways[index].requests,
            concurrencySeconds: gateways[index].integral),
          from: "g\(index)", bootID: "\(gateways[index].boot)", at: now)
      }
      var observation = ScalingObservation(
        held: meter.held, inFlight: meter.inFlight, lastActivity: meter.lastActivity,
        isComplete: gateways.allSatisfy { now >= $0.silentUntil }, burstWanted: wanted, burstReady: wanted)
      meter.watchBursts(for: policy.objective, now: now)
      observation.take(meter.read(policy, now: now))
      let decision = decideScale(policy, &state, observation, now: now)
      wanted = decision.burst
      return decision
    }

    /// The gateway's process starts anew: its counters begin at 0.
    mutating func restart(_ index: Int) {
      gateways[index] = (gateways[index].boot + 1, 0, 0, 0, .zero)
    }

    /// Another controller takes over: it remembers nothing.
    mutating func takeOver() {
      meter = LoadMeter(span: policy.stableWindow)
      state = ScalingState(startedAt: now, holdScaleDownUntil: now + policy.stableWindow)
    }
  }

  static let policy = ScalingPolicy(scaleDownDelay: .seconds(30), sleepAfter: .seconds(120), maxBurstReplicas: 20)

  @Test("Constant load: the number settles once and never moves again", arguments: [1, 7, 8, 9, 40, 63, 100])
  func noFlapping(load: Int) {
    var fleet = Fleet(Self.policy)
    var numbers: [Int] = []
    for _ in 0..<400 { numbers.append(fleet.second(inFlight: [load]).burst) }
    let settled = numbers.dropFirst(90)
    #expect(Set(settled).count == 1 && settled.first == (load + 7) / 8)
    // On its way it only rises: a partial window is no reason to go down.
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test("A load that swings within the window moves nothing down within the delay")
  func noFlappingWithinTheWindow() {
    var fleet = Fleet(Self.policy)
    var numbers: [Int] = []
    for second in 0..<600 { numbers.append(fleet.second(inFlight: [second % 10 < 5 ? 62 : 22]).burst) }
    #expect(Set(numbers.dropFirst(100)).count == 1)
  }

  @Test("Whatever happens, the number stays between floor and ceiling", arguments: [1, 2, 3, 4, 5])
  func bounds(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var fleet = Fleet(Self.policy, gateways: 3)
    for _ in 0..<2000 {
      switch random.next() % 200 {
      case 0: fleet.restart(Int(random.next() % 3))
      case 1: fleet.takeOver()
      case 2: fleet.gateways[Int(random.next() % 3)].silentUntil = fleet.now + .seconds(Int(random.next() % 90))
      default: break
      }
      let load = (0..<3).map { _ in random.next() % 4 == 0 ? Int(random.next() % 300) : 0 }
      let decision = fleet.second(inFlight: load, arrivals: Int(random.next() % 5))
      #expect((0...20).contains(decision.burst) && decision.dedicated == 0)
      // Requests are about: somebody is awake for them.
      if load.contains(where: { $0 > 0 }), fleet.meter.inFlight > 0 { #expect(decision.burst >= 1) }
    }
  }

  @Test(
    "A gateway that restarts, one that falls silent, and a new controller never take replicas of a steady load away")
  func disturbances() {
    var fleet = Fleet(Self.policy, gateways: 2)
    for _ in 0..<200 { _ = fleet.second(inFlight: [20, 20]) }
    #expect(fleet.wanted == 5)
    fleet.restart(0)
    for _ in 0..<100 { #expect(fleet.second(inFlight: [20, 20]).burst >= 5) }
    fleet.gateways[1].silentUntil = fleet.now + .seconds(300)
    for _ in 0..<290 { #expect(fleet.second(inFlight: [20, 20]).burst >= 5) }
    fleet.takeOver()
    for _ in 0..<400 { #expect(fleet.second(inFlight: [20, 20]).burst >= 5) }
    #expect(fleet.wanted <= 6)
  }

  @Test("A silent gateway's load is not taken for gone, and its return corrects the average")
  func silence() {
    var fleet = Fleet(Self.policy, gateways: 2)
    for _ in 0..<200 { _ = fleet.second(inFlight: [8, 32]) }
    fleet.gateways[1].silentUntil = fleet.now + .seconds(200)
    for _ in 0..<199 {
      let decision = fleet.second(inFlight: [0, 0], arrivals: 0)
      #expect(decision.burst == 5 && [.noData, .steady, .panic, .scaleDownDelayed].contains(decision.reason))
    }
    for _ in 0..<500 { _ = fleet.second(inFlight: [0, 0], arrivals: 0) }
    #expect(fleet.wanted == 0)
  }

  @Test("The same course at another time of the clock decides the same", arguments: [1, 86_400, 40_000_003])
  func translation(offset: Int) {
    var here = Fleet(Self.policy)
    var there = Fleet(Self.policy, at: .seconds(offset))
    var random = SplitMix(seed: 11)
    for _ in 0..<800 {
      let load = random.next() % 3 == 0 ? Int(random.next() % 90) : 3
      #expect(here.second(inFlight: [load]).burst == there.second(inFlight: [load]).burst)
    }
  }

  @Test("More load never means fewer replicas, with an objective too")
  func monotone() {
    var random = SplitMix(seed: 5)
    for _ in 0..<1000 {
      let policy = ScalingPolicy(
        maxBurstReplicas: 30, maxConcurrency: Int(random.next() % 20) + 1,
        objective: LatencyObjective(timeToFirstToken: .milliseconds(500 + Int(random.next() % 3000)), percentile: 95))
      let rate = Double(random.next() % 300) / 10
      let seen = LeastReplicasTests.service(
        firstToken: 0.3, firstTokenVariation: 0.5, occupied: Double(random.next() % 90 + 1) / 10)
      let burstSlots = random.next() % 2 == 0 ? nil : Double(random.next() % 100)
      func decide(_ factor: Double) -> Int {
        var service = seen
        service.stableArrivals = rate * factor
        service.panicArrivals = rate * factor
        service.burstSlots = burstSlots
        let load = rate * factor * (seen.occupied.mean ?? 0)
        var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .zero)
        let observation = ScalingObservation(
          inFlight: Int(load), stableAverage: load, panicAverage: load, burstWanted: 3, burstReady: 3,
          service: service)
        return decideScale(policy, &state, observation, now: .seconds(500)).burst
      }
      let burst = decide(1)
      #expect((0...30).contains(burst) && decide(1.5) >= burst)
    }
  }
}

@Suite struct ObjectiveDecisionTests {
  static let policy = ScalingPolicy(
    maxBurstReplicas: 20, maxConcurrency: 4,
    objective: LatencyObjective(timeToFirstToken: .seconds(2), percentile: 99))

  static func seen(_ rate: Double, burstSlots: Double? = nil, inFlight: Int = 1, wanted: Int = 1) -> ScalingObservation
  {
    var service = LeastReplicasTests.service(firstToken: 0.5, firstTokenVariation: 0.2, occupied: 2)
    service.stableArrivals = rate
    service.panicArrivals = rate
    service.burstSlots = burstSlots
    return ScalingObservation(
      inFlight: inFlight, stableAverage: Double(inFlight), panicAverage: Double(inFlight),
      lastActivity: .zero, burstWanted: wanted, burstReady: wanted, service: service)
  }

  @Test("The objective adds replicas beyond the metric's target, and says what it expects")
  func adds() throws {
    var state = DecideScaleTests.state()
    let decision = decideScale(Self.policy, &state, Self.seen(3), now: .seconds(100))
    #expect(decision.burst == 3 && decision.reason == .objective)
    #expect(
      decision.message
        == "The first token within 2s at p99, at 3 requests/s of 2s each: 3 burst replicas. Expected: 1.33s at p99.",
      "\(decision.message)")
    #expect(decision.inputs["objective"] == "2s at p99" && decision.inputs["expectedFirstToken"] != nil)
    #expect(decision.inputs["serviceTime"] == "2s, cv2 1" && decision.inputs["arrivals"] == "3/s, 3/s, cv2 1")
    #expect(decision.inputs.count <= 19 && decision.inputs.values.allSatisfy { $0.count <= 64 })
  }

  @Test("Recent bursts keep replicas while the pool is awake, and keep nobody awake")
  func bursts() {
    var state = DecideScaleTests.state()
    let awake = decideScale(Self.policy, &state, Self.seen(0.1, burstSlots: 30), now: .seconds(100))
    #expect(awake.burst == 8 && awake.reason == .objective)
    var idle = DecideScaleTests.state()
    let asleep = decideScale(
      Self.policy, &idle, Self.seen(0, burstSlots: 30, inFlight: 0, wanted: 8), now: .seconds(601))
    #expect(asleep.burst == 0 && asleep.reason == .idle)
  }

  @Test("Nothing measured yet: the metric alone decides")
  func unmeasured() {
    var state = DecideScaleTests.state()
    var seen = Self.seen(50)
    seen.service = nil
    #expect(decideScale(Self.policy, &state, seen, now: .seconds(100)).burst == 1)
  }

  @Test("Dedicated slots count before burst ones")
  func dedicated() {
    var policy = Self.policy
    policy.dedicatedReplicas = 3
    var state = DecideScaleTests.state()
    var seen = Self.seen(3, wanted: 0)
    seen.dedicatedReplicas = 3
    seen.dedicatedReady = 3
    #expect(decideScale(policy, &state, seen, now: .seconds(100)).burst == 0)
  }

  @Test("An objective that no number of replicas meets is said to be so")
  func hopeless() {
    var policy = Self.policy
    policy.objective = LatencyObjective(timeToFirstToken: .milliseconds(500), percentile: 99)
    var state = DecideScaleTests.state()
    let decision = decideScale(policy, &state, Self.seen(3), now: .seconds(100))
    #expect(decision.message.contains("Replicas answer no more than "), "\(decision.message)")
  }
}
