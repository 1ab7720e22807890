import Decisions
import Testing

@Suite struct DecideScaleTests {
  static let asleep = ScalingPolicy(maxBurstReplicas: 10)

  static func state(_ startedAt: Duration = .zero) -> ScalingState {
    ScalingState(startedAt: startedAt, holdScaleDownUntil: startedAt)
  }

  static func load(
    _ stable: Double, panic: Double? = nil, held: Int = 0, inFlight: Int = 1, dedicated: Int = 0, wanted: Int,
    ready: Int? = nil, complete: Bool = true, lastActivity: Duration? = nil
  ) -> ScalingObservation {
    ScalingObservation(
      held: held, inFlight: inFlight, stableAverage: stable, panicAverage: panic ?? stable, lastActivity: lastActivity,
      isComplete: complete, dedicatedReplicas: dedicated, dedicatedReady: dedicated, burstWanted: wanted,
      burstReady: ready ?? wanted)
  }

  @Test("A sleeping model wakes at once, on a held request or an activation, even on incomplete data")
  func wake() {
    for (held, activated, complete, burst) in [
      (0, false, true, 0), (1, false, true, 1), (0, true, true, 1), (1, false, false, 1),
    ] {
      var state = Self.state()
      let seen = ScalingObservation(held: held, isComplete: complete, isActivated: activated)
      let decision = decideScale(Self.asleep, &state, seen, now: .seconds(1))
      #expect(decision.burst == burst)
      #expect(decision.reason == (burst == 0 ? .steady : .activated))
    }
  }

  @Test(
    "Replicas follow the stable average and, in a panic, the larger one",
    arguments: [
      // stable, panic, dedicated, wanted, ready, expected, reason
      (8.0, 8.0, 0, 1, 1, 1, ScalingReason.steady),
      (8.1, 8.1, 0, 1, 1, 2, .panic),
      (20.0, 20.0, 0, 2, 2, 3, .loadAboveTarget),
      (20.0, 33.0, 0, 2, 2, 5, .panic),
      (500.0, 500.0, 0, 5, 5, 10, .panic),
      (8.0, 8.0, 1, 0, 0, 0, .steady),
      (9.0, 9.0, 1, 0, 0, 1, .panic),
      (15.0, 15.0, 2, 0, 0, 0, .steady),
      (17.0, 17.0, 2, 0, 0, 1, .loadAboveTarget),
    ])
  func follow(
    stable: Double, panic: Double, dedicated: Int, wanted: Int, ready: Int, expected: Int, reason: ScalingReason
  ) {
    var policy = Self.asleep
    policy.dedicatedReplicas = dedicated
    var state = Self.state()
    let seen = Self.load(stable, panic: panic, dedicated: dedicated, wanted: wanted, ready: ready)
    let decision = decideScale(policy, &state, seen, now: .seconds(100))
    #expect(decision.burst == expected)
    #expect(decision.reason == reason)
    #expect(decision.dedicated == dedicated)
  }

  @Test("Other hardware in the dedicated pool carries its own share")
  func dedicatedTarget() {
    var state = Self.state()
    var policy = ScalingPolicy(target: 8, dedicatedTarget: 2, dedicatedReplicas: 2, maxBurstReplicas: 9)
    policy.panicThresholdPercent = 1000
    let decision = decideScale(policy, &state, Self.load(13, dedicated: 2, wanted: 0), now: .seconds(100))
    #expect(decision.burst == 2)
  }

  @Test("A lower need waits for scaleDownDelay, and halves the ready replicas at most")
  func scaleDown() {
    var state = Self.state()
    func decide(_ stable: Double, wanted: Int, at seconds: Int) -> ScalingDecision {
      decideScale(Self.asleep, &state, Self.load(stable, wanted: wanted), now: .seconds(seconds))
    }
    #expect(decide(64, wanted: 8, at: 0).burst == 8)
    #expect(decide(8, wanted: 8, at: 2).reason == .scaleDownDelayed)
    #expect(decide(8, wanted: 8, at: 299).burst == 8)
    #expect(decide(8, wanted: 8, at: 301).burst == 4)
    #expect(decide(8, wanted: 4, at: 303).burst == 4)
    #expect(decide(8, wanted: 4, at: 700).burst == 2)
  }

  @Test("Panic keeps its peak until a stable window has passed without one")
  func panicMemory() {
    var policy = ScalingPolicy(maxBurstReplicas: 50)
    policy.scaleDownDelay = .zero
    var state = Self.state()
    func decide(_ load: Double, wanted: Int, at seconds: Int) -> Int {
      decideScale(policy, &state, Self.load(load, wanted: wanted), now: .seconds(seconds)).burst
    }
    #expect(decide(80, wanted: 2, at: 0) == 10)
    #expect(decide(40, wanted: 10, at: 30) == 10)
    #expect(decide(40, wanted: 10, at: 60) == 10)
    #expect(decide(40, wanted: 10, at: 61) == 5)
  }

  @Test(
    "The last replica goes after sleepAfter, never with requests about, on missing data, or just after a start",
    arguments: [
      // idle, in flight, complete, held scale-down until, expected, reason
      (600, 0, true, 0, 0, ScalingReason.idle),
      (599, 0, true, 0, 1, .steady),
      (9000, 1, true, 0, 1, .steady),
      (9000, 0, false, 0, 1, .steady),
      (9000, 0, true, 10_001, 1, .steady),
    ])
  func sleep(idle: Int, inFlight: Int, complete: Bool, holdUntil: Int, expected: Int, reason: ScalingReason) {
    var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .seconds(holdUntil))
    let seen = Self.load(
      0, inFlight: inFlight, wanted: 1, complete: complete, lastActivity: .seconds(10_000 - idle))
    let decision = decideScale(Self.asleep, &state, seen, now: .seconds(10_000))
    #expect(decision.burst == expected)
    #expect(decision.reason == reason)
  }

  @Test("With dedicated replicas, burst goes once they alone have sufficed for sleepAfter")
  func burstSleepsBesideDedicated() {
    var policy = Self.asleep
    policy.dedicatedReplicas = 1
    policy.scaleDownDelay = .zero
    var state = Self.state()
    func decide(_ load: Double, at seconds: Int) -> Int {
      let seen = Self.load(load, dedicated: 1, wanted: 1, lastActivity: .seconds(seconds))
      return decideScale(policy, &state, seen, now: .seconds(seconds)).burst
    }
    #expect(decide(12, at: 100) == 1)
    #expect(decide(4, at: 200) == 1)
    #expect(decide(4, at: 699) == 1)
    #expect(decide(4, at: 700) == 0)
  }

  @Test("Missing data never scales down, but may scale up")
  func missingData() {
    var policy = Self.asleep
    policy.scaleDownDelay = .zero
    var state = Self.state()
    let low = decideScale(policy, &state, Self.load(8, wanted: 4, complete: false), now: .seconds(10))
    #expect(low.burst == 4)
    #expect(low.reason == .noData)
    let high = decideScale(policy, &state, Self.load(30, wanted: 2, complete: false), now: .seconds(11))
    #expect(high.burst == 4)
    var unread = Self.load(0, inFlight: 0, wanted: 3)
    unread.stableAverage = nil
    unread.panicAverage = nil
    #expect(decideScale(policy, &state, unread, now: .seconds(5000)).burst == 3)
  }

  @Test("After a failed wake nothing wakes until its time comes")
  func backOff() {
    var state = Self.state()
    var seen = ScalingObservation(held: 3, wakeNotBefore: .seconds(50))
    #expect(decideScale(Self.asleep, &state, seen, now: .seconds(49)).reason == .wakeBackOff)
    #expect(decideScale(Self.asleep, &state, seen, now: .seconds(50)).burst == 1)
    seen.burstWanted = 1
    #expect(decideScale(Self.asleep, &state, seen, now: .seconds(49)).burst == 0)
  }

  @Test("Suspension, a lowered ceiling and no capacity at all")
  func owner() {
    var state = Self.state()
    var policy = ScalingPolicy(dedicatedReplicas: 2, maxBurstReplicas: 3, isSuspended: true)
    let suspended = decideScale(policy, &state, Self.load(30, wanted: 3), now: .seconds(1))
    #expect((suspended.dedicated, suspended.burst) == (0, 0))
    policy.isSuspended = false
    let lowered = decideScale(policy, &state, Self.load(90, dedicated: 2, wanted: 8), now: .seconds(2))
    #expect(lowered.burst == 3)
    #expect(lowered.reason == .ceilingChanged)
    // Little load and a gateway that is not read: down to the ceiling, and not below it.
    var unread = Self.load(1, wanted: 8)
    (unread.isComplete, unread.burstReady) = (false, 2)
    var fresh = Self.state()
    let held = decideScale(
      ScalingPolicy(scaleDownDelay: .zero, maxBurstReplicas: 3), &fresh, unread, now: .seconds(200))
    #expect(held.burst == 3 && held.reason == .ceilingChanged)
    policy.maxBurstReplicas = 0
    policy.dedicatedReplicas = 0
    #expect(decideScale(policy, &state, Self.load(9, wanted: 0), now: .seconds(3)).reason == .noCapacity)
  }

  @Test("Spare replicas stand by while the pool is awake, within its ceiling")
  func spare() {
    var policy = ScalingPolicy(maxBurstReplicas: 3, spareBurstReplicas: 2)
    var state = Self.state()
    #expect(decideScale(policy, &state, Self.load(4, wanted: 1), now: .seconds(1)).burst == 3)
    policy.spareBurstReplicas = 0
    var fresh = Self.state()
    #expect(decideScale(policy, &fresh, Self.load(4, wanted: 1), now: .seconds(1)).burst == 1)
  }

  @Test("For any load: within bounds, monotone in load, and the same whenever it happens")
  func properties() {
    var random = SplitMix(seed: 42)
    for _ in 0..<3000 {
      let policy = ScalingPolicy(
        target: Double(1 + random.next() % 20), dedicatedReplicas: Int(random.next() % 3),
        maxBurstReplicas: Int(random.next() % 9), spareBurstReplicas: Int(random.next() % 2))
      let wanted = Int(random.next() % 12)
      let load = Double(random.next() % 2000) / 10
      func decide(_ load: Double, shift: Duration) -> Int {
        var state = Self.state(shift)
        let seen = Self.load(
          load, held: load > 0 ? 1 : 0, inFlight: Int(load), dedicated: policy.dedicatedReplicas, wanted: wanted,
          ready: wanted / 2, lastActivity: shift)
        return decideScale(policy, &state, seen, now: shift + .seconds(400)).burst
      }
      let burst = decide(load, shift: .zero)
      #expect((0...policy.maxBurstReplicas).contains(burst))
      #expect(decide(load + 13, shift: .zero) >= burst)
      #expect(decide(load, shift: .seconds(86_400)) == burst)
    }
  }

  @Test("A sleeping model wakes for a request that is expected, stays while it is, and sleeps when it is not any more")
  func expected() {
    var state = Self.state()
    var policy = Self.asleep
    policy.sleepAfter = .seconds(60)
    var seen = ScalingObservation(stableAverage: 0, panicAverage: 0, lastActivity: .seconds(10))
    func decide(_ isExpected: Bool, wanted: Int, at seconds: Int) -> ScalingDecision {
      seen.isExpected = isExpected
      (seen.burstWanted, seen.burstReady) = (wanted, wanted)
      return decideScale(policy, &state, seen, now: .seconds(seconds))
    }
    #expect(decide(false, wanted: 0, at: 500).burst == 0)
    let wake = decide(true, wanted: 0, at: 900)
    #expect(wake.burst == 1 && wake.reason == .expected)
    #expect(wake.message == "A request is expected after 14m50s of silence: waking 1 burst replica.")
    #expect(wake.inputs["expected"] == "true")
    #expect(decide(true, wanted: 1, at: 960).burst == 1)
    let end = decide(false, wanted: 1, at: 1000)
    #expect(end.burst == 0 && end.reason == .idle)
    // Spare replicas come with it, as they do with any that is awake.
    policy.spareBurstReplicas = 1
    #expect(decide(true, wanted: 0, at: 1100).burst == 2)
  }

  @Test("An expected request wakes nothing that may not wake")
  func expectedInVain() {
    let backOff = ScalingObservation(wakeNotBefore: .seconds(500))
    var suspended = Self.asleep
    suspended.isSuspended = true
    let none = ScalingPolicy(maxBurstReplicas: 0)
    for (policy, seen) in [(Self.asleep, backOff), (suspended, .init()), (none, .init())] as [(_, ScalingObservation)] {
      var state = Self.state()
      var seen = seen
      seen.isExpected = true
      #expect(decideScale(policy, &state, seen, now: .seconds(100)).burst == 0)
    }
  }

  @Test("A decision explains itself within the bounds of the status")
  func explanation() {
    var state = Self.state()
    let decision = decideScale(Self.asleep, &state, Self.load(21.26, panic: 40, wanted: 1), now: .seconds(9))
    #expect(
      decision.message
        == "21.3 requests over 1m, 40 requests over 6s is at least 200% of what is ready: 5 burst replicas, nothing goes down."
    )
    #expect(decision.inputs["stableAverage"] == "21.26")
    #expect(decision.inputs.count <= 24)
    #expect(decision.inputs.values.allSatisfy { $0.count <= 64 })
  }
}

/// Sebastiano Vigna's SplitMix64: the same numbers on every run.
struct SplitMix: RandomNumberGenerator {
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
