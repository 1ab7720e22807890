import Decisions
import FoundationEssentials
import Testing

@testable import Gateway

struct ServiceStateTests {
  private typealias State = ServiceState<Int>

  private static func state(_ route: ServiceRoute) -> State {
    var state = State(route: route, share: GatewayShare())
    state.passAll()
    return state
  }

  private static func code(_ admission: Admission) -> String {
    switch admission {
    case .placed(let lease): lease.replica.podUID
    case .mustWait(let asleep): asleep ? "wake" : "wait"
    case .refused(let error): "\(error.status) \(error.code) \(error.retryAfter.map { "\($0)" } ?? "-")"
    }
  }

  @Test(
    "What a request meets depends on the service, the queue and its own patience",
    arguments: [
      (.sample(replicas: [try replica("a")]), 0, 60, true, "a"),
      (.sample(), 0, 60, true, "wake"),
      (.sample(), 0, 0, true, "503 model_waking 30"),
      (.sample(), 0, 60, false, "503 model_asleep -"),
      (.sample(maxHeld: 2), 2, 60, true, "429 queue_full 30"),
      (.sample(maxHeld: 0), 0, 60, true, "429 queue_full 30"),
      (
        .sample(refusal: Refusal(reason: "StartupTimeout", message: "m", nextAttempt: Date(timeIntervalSince1970: 90))),
        0, 60, true, "503 model_unavailable 90"
      ),
      (.sample(replicas: [try replica("a")], refusal: Refusal(reason: "NoCapacity", message: "m")), 0, 60, true, "a"),
      (
        .sample(replicas: [try replica("a")], refusal: Refusal(reason: "Suspended", message: "m", always: true)), 0, 60,
        true, "503 model_unavailable 60"
      ),
    ] as [(ServiceRoute, Int, Int, Bool, String)])
  func admission(route: ServiceRoute, held: Int, patience: Int, counts: Bool, expected: String) {
    var state = Self.state(route)
    for number in 0..<held { _ = state.hold(.init(payload: number, arrival: .zero), first: false, now: .zero) }
    let admission = state.admit(patience: .seconds(patience), counts: counts, now: .zero, wallUnix: 0)
    #expect(Self.code(admission) == expected)
  }

  @Test("Held requests are released as slots allow, oldest first, and the rest one by one as slots free")
  func releasesPaced() throws {
    var state = Self.state(.sample())
    for number in 0..<5 { _ = state.hold(.init(payload: number, arrival: .zero), first: false, now: .zero) }
    let early = state.release(now: .seconds(1), wallUnix: 0)
    #expect(state.needsWake && early.isEmpty)
    _ = state.update(route: .sample(replicas: [try replica("a")]), share: GatewayShare(), now: .seconds(3))
    let unproven = state.release(now: .seconds(3), wallUnix: 0)
    #expect(unproven.isEmpty && !state.isAwake && !state.needsWake)
    state.checked("a", .failing(problem: "no connection"))
    #expect(state.needsWake)
    state.checked("a", .passed)
    let first = state.release(now: .seconds(3), wallUnix: 0).placed
    #expect(first.map(\.entry.payload) == [0, 1])
    #expect(first.map(\.lease.isFirst) == [true, false])
    // Who comes now does not overtake.
    let late = state.admit(patience: .seconds(9), counts: true, now: .seconds(3), wallUnix: 0)
    let probe = state.admit(patience: .seconds(9), counts: false, now: .seconds(3), wallUnix: 0)
    #expect(Self.code(late) == "wait" && Self.code(probe) == "503 model_overloaded 2")
    _ = state.finish(first[0].lease, counts: true, took: .seconds(2), now: .seconds(5))
    let overtaking = state.admit(patience: .seconds(9), counts: true, now: .seconds(5), wallUnix: 0)
    #expect(Self.code(overtaking) == "wait")
    let next = state.release(now: .seconds(5), wallUnix: 0).placed
    #expect(next.map(\.entry.payload) == [2])
    #expect(state.load.held == 2 && state.load.inFlight == 2)
  }

  @Test("Who waits for one pool keeps nobody from another that has room, however many they are")
  func poolsApart() throws {
    let dedicated = try replica("a", .dedicated)
    var state = Self.state(.sample(replicas: [dedicated], maxHeld: 2))
    for number in 0..<2 {
      let entry = HoldQueue<Int>.Entry(payload: number, arrival: .zero, kind: PoolOrder([.burst]).code)
      _ = state.hold(entry, first: false, now: .zero)
    }
    let own = state.admit(patience: .zero, counts: true, order: [.dedicated], now: .zero, wallUnix: 0)
    #expect(Self.code(own) == "a")
    let batch = state.admit(patience: .seconds(9), counts: true, order: [.burst], now: .zero, wallUnix: 0)
    #expect(Self.code(batch).hasPrefix("429 queue_full"))
  }

  @Test("A refusal that arrives while requests are held is given to all of them")
  func refusesHeld() {
    var state = Self.state(.sample())
    for number in 0..<3 { _ = state.hold(.init(payload: number, arrival: .zero), first: false, now: .zero) }
    let refusal = Refusal(reason: "StartupTimeout", message: "died: out of memory")
    _ = state.update(route: .sample(refusal: refusal), share: GatewayShare(), now: .zero)
    let verdicts = state.release(now: .zero, wallUnix: 0)
    #expect(verdicts.refused.map(\.entry.payload) == [0, 1, 2])
    #expect(verdicts.refused.allSatisfy { $0.error.status == 503 && $0.error.message.contains("out of memory") })
    #expect(state.load.held == 0 && !state.needsWake)
  }

  @Test("A held request of a deleted service gets 404; one in flight is still counted")
  func retires() throws {
    var state = Self.state(.sample(replicas: [try replica("a", slots: 1)]))
    guard case .placed(let lease) = state.admit(patience: .seconds(1), counts: true, now: .zero, wallUnix: 0) else {
      Issue.record("not placed")
      return
    }
    _ = state.hold(.init(payload: 1, arrival: .zero), first: false, now: .zero)
    let gone = state.retire()
    let refused = state.release(now: .zero, wallUnix: 0).refused
    let report = state.report(now: .zero, wallUnix: 0)
    #expect(gone == ["a"] && refused.map(\.error.status) == [404])
    #expect(!state.isIdle && report.inFlightByPod == ["a": 1])
    let emptied = state.finish(lease, counts: true, took: nil, now: .zero)
    #expect(emptied)
    #expect(state.isIdle)
  }

  @Test("Who leaves the queue is no demand any more, and cannot leave twice")
  func withdraws() {
    var state = Self.state(.sample())
    let ticket = state.hold(.init(payload: 1, arrival: .zero), first: false, now: .zero)
    #expect(state.needsWake)
    let first = state.withdraw(ticket, now: .seconds(1))
    let second = state.withdraw(ticket, now: .seconds(1))
    #expect(first?.payload == 1 && second == nil)
    #expect(!state.needsWake && state.load.held == 0)
  }

  @Test("The report's integral is request-seconds of held and in flight, its times are on the wall clock")
  func reports() throws {
    var state = Self.state(.sample())
    state.arrived(wallUnix: 1000)
    _ = state.hold(.init(payload: 1, arrival: .seconds(10)), first: false, now: .seconds(10))
    _ = state.hold(.init(payload: 2, arrival: .seconds(12)), first: false, now: .seconds(12))
    let waiting = state.report(now: .seconds(14), wallUnix: 1004)
    #expect(waiting.concurrencySeconds == 6 && waiting.held == 2 && waiting.heldSinceUnix == 1000)
    #expect(waiting.requestsTotal == 1 && waiting.lastRequestUnix == 1000)
    _ = state.update(route: .sample(replicas: [try replica("a")]), share: GatewayShare(), now: .seconds(14))
    state.passAll()
    let leases = state.release(now: .seconds(14), wallUnix: 1004).placed.map(\.lease)
    for lease in leases { _ = state.finish(lease, counts: true, took: nil, now: .seconds(15)) }
    let idle = state.report(now: .seconds(100), wallUnix: 1090)
    #expect(idle.concurrencySeconds == 8 && idle.inFlight == 0 && idle.heldSinceUnix == nil)
  }

  @Test("Tokens, service times and gaps between arrivals are counted; answers that tell no tokens are no zero")
  func measures() throws {
    var state = Self.state(.sample(replicas: [try replica("a")]))
    state.passAll()
    func answer(_ measure: AttemptMeasure) throws {
      let admission = state.admit(patience: .zero, counts: true, now: .zero, wallUnix: 0)
      guard case .placed(let lease) = admission else {
        Issue.record("\(admission)")
        return
      }
      _ = state.finish(lease, .answered(status: 200), counts: true, took: nil, measure: measure, now: .zero)
    }
    #expect(state.report(now: .zero, wallUnix: 0).promptTokensTotal == 0)
    try answer(AttemptMeasure(times: (firstToken: 0.25, whole: 2)))
    let untold = state.report(now: .zero, wallUnix: 0)
    #expect(untold.promptTokensTotal == nil && untold.outputTokensTotal == nil)
    try answer(AttemptMeasure(promptTokens: 30, outputTokens: 12, times: (firstToken: 0.75, whole: 4)))
    // A caller that left: its tokens were made, its times say nothing.
    try answer(AttemptMeasure(outputTokens: 5))
    for wall in [100.0, 101, 103, 500] { state.arrived(wallUnix: wall) }
    let told = state.report(now: .zero, wallUnix: 0)
    #expect(told.promptTokensTotal == 30 && told.outputTokensTotal == 17 && told.tokensTotal == 47)
    #expect(told.firstTokens == [SampleSums(count: 2, sum: 1, squares: 0.625)])
    #expect(told.serviceTimes == SampleSums(count: 2, sum: 6, squares: 20))
    #expect(told.arrivalGaps == SampleSums(count: 3, sum: 63, squares: 3605))
  }

  @Test("Retry-After follows what wakes and answers took so far")
  func retryAfter() throws {
    var pace = ServicePace()
    #expect(pace.untilAwake(elapsed: .zero, hint: .seconds(12)) == 12)
    pace.woke(in: .seconds(20))
    #expect(pace.untilAwake(elapsed: .seconds(5), hint: .seconds(12)) == 15)
    #expect(pace.untilAwake(elapsed: .seconds(40), hint: nil) == 20)
    pace.served(in: .seconds(3))
    #expect(pace.untilPlace(held: 10, slots: 4) == 8)
    #expect(pace.untilPlace(held: 100_000, slots: 1) == 600)
  }
}
