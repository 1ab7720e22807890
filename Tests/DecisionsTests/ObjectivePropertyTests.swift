import Testing

@testable import Decisions

/// What holds of an objective whatever the load does, with the meter in between.
@Suite struct ObjectivePropertyTests {
  static let objective = LatencyObjective(timeToFirstToken: .seconds(2), percentile: 99)
  static let policy = ScalingPolicy(
    target: 4, sleepAfter: .seconds(120), maxBurstReplicas: 20, maxConcurrency: 4, objective: objective)

  /// One gateway, replicas that load for `load` seconds, and requests that take `occupied` seconds: what the controller sees.
  struct Pool {
    var policy: ScalingPolicy
    var occupied: Int
    var load: Int
    var meter = LoadMeter(span: .seconds(60))
    var state: ScalingState
    var second: Int
    var start: Int
    var wanted = 0
    /// Seconds at which replicas will take requests.
    var readyAt: [Int] = []
    /// Arrivals that wait, by second, and when those at replicas end, after how long.
    var waiting: [Int] = []
    var running: [(end: Int, seconds: Int)] = []
    var started = 0
    var sample = LoadSample(service: ServiceTotals())
    var late = 0

    init(_ policy: ScalingPolicy, occupied: Int, load: Int = 30, at start: Int = 0) {
      self.policy = policy
      self.occupied = occupied
      self.load = load
      self.start = start
      second = start
      state = ScalingState(startedAt: .seconds(start), holdScaleDownUntil: .seconds(start))
      meter.record(LoadSample(), from: "g", bootID: "1", at: .seconds(start))
    }

    var ready: Int { readyAt.count { $0 <= second } }

    /// A second in which so many arrive, and the decision after it.
    mutating func pass(_ arrivals: Int) -> ScalingDecision {
      second += 1
      let now = Duration.seconds(second)
      let (ended, left) = (running.filter { $0.end <= second }, running.filter { $0.end > second })
      running = left
      for end in ended { sample.service?.add(firstToken: 0.2, occupied: Double(end.seconds), concurrency: 1) }
      waiting += Array(repeating: second, count: arrivals)
      while !waiting.isEmpty, running.count < ready * policy.maxConcurrency {
        if second - waiting.removeFirst() > 1 { late += 1 }
        // Their mean is what it should be, and they spread.
        started += 1
        let seconds = [1, occupied, 2 * occupied - 1][started % 3]
        running.append((second + seconds, seconds))
      }
      sample.requestsTotal += arrivals
      sample.concurrencySeconds += Double(waiting.count + running.count)
      sample.held = waiting.count
      sample.inFlight = running.count
      if arrivals > 0 { sample.service?.addGap(1 / Double(arrivals)) }
      meter.record(sample, from: "g", bootID: "1", at: now)
      meter.watchBursts(for: policy.objective, now: now)
      var seen = ScalingObservation(
        held: waiting.count, inFlight: running.count, lastActivity: meter.lastActivity, burstWanted: wanted,
        burstReady: ready)
      seen.take(meter.read(policy, now: now))
      let decision = decideScale(policy, &state, seen, now: now)
      wanted = decision.burst
      while readyAt.count < wanted { readyAt.append(second + load) }
      while readyAt.count > wanted { readyAt.removeLast() }
      return decision
    }
  }

  @Test("Constant load: the number settles and does not move again", arguments: [1, 2, 5, 9])
  func noFlapping(rate: Int) {
    var pool = Pool(Self.policy, occupied: 3)
    var numbers: [Int] = []
    for _ in 0..<1500 { numbers.append(pool.pass(rate).burst) }
    let settled = numbers.dropFirst(400)
    #expect(Set(settled).count == 1, "\(settled)")
    // Enough for what is in flight, and not twice as much and two more.
    #expect((settled.first ?? 0) * 4 >= rate * 3 && (settled.first ?? 0) * 4 <= rate * 6 + 12)
  }

  @Test("Regular bursts: after the first ones no replica comes or goes, and hardly anybody is late")
  func burstsAreLearned() {
    var pool = Pool(Self.policy, occupied: 2)
    var numbers: [Int] = []
    for second in 0..<3000 { numbers.append(pool.pass(second % 100 < 3 ? 12 : 0).burst) }
    let before = pool.late
    for second in 3000..<4500 { numbers.append(pool.pass(second % 100 < 3 ? 12 : 0).burst) }
    #expect(Set(numbers.dropFirst(1500)).count <= 2, "\(numbers.dropFirst(1500))")
    // Of 540.
    #expect(pool.late - before <= 20, "\(pool.late - before)")
  }

  @Test(
    "Whatever comes, the number stays between 1 and the ceiling while it is awake, and it goes to sleep",
    arguments: 1...4)
  func bounds(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var pool = Pool(Self.policy, occupied: Int(seed))
    for _ in 0..<1500 {
      let burst = pool.pass(random.next() % 10 == 0 ? Int(random.next() % 60) : 0).burst
      #expect((0...20).contains(burst) && (burst > 0 || pool.running.isEmpty))
    }
    for _ in 0..<900 { _ = pool.pass(0) }
    #expect(pool.wanted == 0)
  }

  @Test("The same course at another time of the clock decides the same", arguments: [7, 86_400, 3_000_003])
  func translation(offset: Int) {
    // Decay is by whole minutes since the first arrival, so an offset of any seconds must do.
    var here = Pool(Self.policy, occupied: 3, at: 10)
    var there = Pool(Self.policy, occupied: 3, at: 10 + offset)
    var random = SplitMix(seed: 12)
    for _ in 0..<1500 {
      let arrivals = random.next() % 6 == 0 ? Int(random.next() % 20) : 0
      #expect(here.pass(arrivals).burst == there.pass(arrivals).burst)
    }
  }

  @Test("A queue that grew while replicas load is work, and no reason for a replica per slot of it")
  func backlog() {
    // 5 requests/s of 4 s need 20 slots; 150 more wait. All at once they would want 43 replicas.
    let service = LeastReplicasTests.service(firstToken: 0.2, occupied: 4)
    func decide(held: Int) -> ScalingDecision {
      var seen = ScalingObservation(
        held: held, inFlight: 8, stableAverage: Double(held) + 8, panicAverage: Double(held) + 8, burstWanted: 2,
        burstReady: 2, service: service)
      seen.service?.stableArrivals = 5
      seen.service?.panicArrivals = 5
      var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .zero)
      return decideScale(
        ScalingPolicy(
          target: 4, panicThresholdPercent: 9999, maxBurstReplicas: 60, maxConcurrency: 4,
          objective: Self.objective), &state, seen, now: .seconds(100))
    }
    // 20 + (20 - 8) + 150 x 4 / 60 = 42 slots.
    #expect(decide(held: 150).burst == 11)
    #expect(decide(held: 300).burst == 13 && decide(held: 0).burst == 8)
    #expect(
      decide(held: 150).message.hasPrefix(
        "The first token within 2s at p99, at 5 requests/s of 4s each, and 150 held: 11 burst replicas."),
      "\(decide(held: 150).message)")
  }

  @Test("Before answers were measured 10 s are assumed, and one request wakes one replica")
  func unmeasured() {
    func decide(_ rate: Double, held: Int, slots: Int = 4, wanted: Int = 1) -> ScalingDecision {
      let policy = ScalingPolicy(
        target: Double(slots), maxBurstReplicas: 60, maxConcurrency: slots, objective: Self.objective)
      let seen = ScalingObservation(
        held: held, stableAverage: Double(held), panicAverage: Double(held), burstWanted: wanted,
        service: ServiceObservation(
          firstToken: SampleSums(), occupied: SampleSums(), stableArrivals: rate, panicArrivals: rate))
      var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .zero)
      return decideScale(policy, &state, seen, now: .seconds(100))
    }
    #expect(decide(0, held: 1, slots: 1, wanted: 0).burst == 1)
    // 2 x 10 + 30 x 10 / 60 = 25 slots, though 30 wait.
    let some = decide(2, held: 30)
    #expect(some.burst == 7 && some.inputs["serviceTime"] == nil)
    #expect(decide(0, held: 240).burst == 10)
    var pool = Pool(Self.policy, occupied: 3)
    #expect(pool.pass(1).burst == 1 && pool.pass(0).burst == 1)
  }

  @Test("With an objective whose bursts are known, a lower need must last a stable window, not the whole delay")
  func delay() throws {
    func decide(_ burstSlots: Double?, _ delay: Duration) throws -> [Int] {
      let policy = ScalingPolicy(
        target: 4, scaleDownDelay: delay, maxBurstReplicas: 20, maxConcurrency: 4, objective: Self.objective)
      var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .zero)
      var wanted = 4
      return stride(from: 0, to: 400, by: 10).map { second in
        var seen = ObjectiveDecisionTests.seen(second == 0 ? 6 : 0.2, burstSlots: burstSlots, wanted: wanted)
        seen.service?.panicArrivals = 0.2
        wanted = decideScale(policy, &state, seen, now: .seconds(1000 + second)).burst
        return wanted
      }
    }
    let known = try decide(3, .seconds(300))
    let unknown = try decide(nil, .seconds(300))
    #expect(known[5] >= 4 && known[9] < known[5])
    #expect(unknown[29] == unknown[5] && unknown[39] < unknown[29])
    // A shorter delay of the owner's holds.
    #expect(try decide(3, .seconds(20))[4] < known[4])
  }

  @Test("A gateway that fell silent with requests held makes nobody of the others' late")
  func silentGateway() throws {
    var meter = LoadMeter(span: .seconds(60))
    for second in 0...300 {
      let now = Duration.seconds(second)
      if second <= 10 { meter.record(LoadSample(held: 40, requestsTotal: 40), from: "silent", bootID: "1", at: now) }
      meter.record(LoadSample(requestsTotal: second * 5), from: "well", bootID: "1", at: now)
      meter.watchBursts(for: Self.objective, now: now)
    }
    let seen = try #require(meter.read(Self.policy, now: .seconds(300)).service)
    #expect(try #require(seen.inTimeShare) > 0.95)
    #expect(meter.held == 40)
  }

  @Test("More that waits, or comes, never means fewer replicas, nor does less that may be late")
  func monotone() {
    var random = SplitMix(seed: 15)
    for _ in 0..<500 {
      let policy = ScalingPolicy(
        target: 8, maxBurstReplicas: 30, maxConcurrency: Int(random.next() % 20) + 1, objective: Self.objective)
      let service = LeastReplicasTests.service(
        firstToken: 0.3, occupied: Double(random.next() % 90 + 1) / 10, count: random.next() % 3 == 0 ? 0 : 100)
      let (rate, held, ready) = (Double(random.next() % 300) / 10, Int(random.next() % 200), Int(random.next() % 6))
      func decide(_ factor: Double, _ more: Int) -> Int {
        var seen = ScalingObservation(
          held: held + more, inFlight: 3, stableAverage: Double(held + more) + 3, panicAverage: Double(held + more) + 3,
          burstWanted: 3, burstReady: ready, service: service)
        seen.service?.stableArrivals = rate * factor
        seen.service?.panicArrivals = rate * factor
        var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .zero)
        return decideScale(policy, &state, seen, now: .seconds(500)).burst
      }
      let burst = decide(1, 0)
      #expect((1...30).contains(burst) && decide(1.5, 0) >= burst && decide(1, 50) >= burst)
    }
  }
}
