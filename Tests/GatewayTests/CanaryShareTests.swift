import Decisions
import Testing

@testable import Gateway

struct CanaryShareTests {
  private typealias State = ServiceState<Int>

  private static func state(percent: Int, canarySlots: Int = 1000, ready: Bool = true) throws -> State {
    var route = ServiceRoute.sample(replicas: [
      try replica("stable", slots: 1000), try replica("new", .canary, ready: ready, slots: canarySlots),
    ])
    route.canaryPercent = percent
    var state = State(route: route, share: GatewayShare())
    state.passAll()
    return state
  }

  /// Where each of so many requests goes; all stay in flight.
  private static func pods(
    _ count: Int, _ state: inout State, counts: Bool = true, isRetry: Bool = false
  ) -> [String] {
    (0..<count).map { _ in
      let admission = state.admit(
        patience: .seconds(9), counts: counts, isRetry: isRetry, now: .zero, wallUnix: 0)
      guard case .placed(let lease) = admission else { return "none" }
      return lease.replica.podUID
    }
  }

  @Test(
    "Of a thousand requests the canary gets exactly its share, evenly spread", arguments: [1, 7, 20, 33, 50, 99, 100])
  func exactShare(percent: Int) throws {
    var state = try Self.state(percent: percent)
    let pods = Self.pods(1000, &state)
    #expect(pods.count { $0 == "new" } == percent * 10)
    #expect(!pods.contains("none"))
    for start in stride(from: 0, to: 1000, by: 100) {
      #expect(pods[start..<start + 100].count { $0 == "new" } == percent)
    }
  }

  @Test("Without a share, of a probe and of a retry, nothing goes to the canary")
  func notForAll() throws {
    var none = try Self.state(percent: 0)
    #expect(Self.pods(100, &none).allSatisfy { $0 == "stable" })
    var state = try Self.state(percent: 100)
    #expect(Self.pods(10, &state, counts: false).allSatisfy { $0 == "stable" })
    #expect(Self.pods(10, &state, isRetry: true).allSatisfy { $0 == "stable" })
  }

  @Test("Nobody is held for a canary that is full or not ready, and it alone makes no service awake")
  func neverHeld() throws {
    var full = try Self.state(percent: 50, canarySlots: 3)
    let pods = Self.pods(100, &full)
    #expect(pods.count { $0 == "new" } == 3 && pods.count { $0 == "stable" } == 97)
    var starting = try Self.state(percent: 50, ready: false)
    #expect(Self.pods(10, &starting).allSatisfy { $0 == "stable" })

    var route = ServiceRoute.sample(replicas: [try replica("new", .canary)])
    route.canaryPercent = 20
    var asleep = State(route: route, share: GatewayShare())
    asleep.passAll()
    #expect(Self.pods(4, &asleep).allSatisfy { $0 == "none" })
    _ = asleep.hold(.init(payload: 1, arrival: .zero), first: false, now: .zero)
    #expect(!asleep.isAwake && asleep.needsWake)
    let verdicts = asleep.release(now: .zero, wallUnix: 0)
    #expect(verdicts.isEmpty)
  }

  @Test("A canary with a free slot takes its turn past those who wait for the pools")
  func besideTheQueue() throws {
    var state = try Self.state(percent: 100)
    _ = Self.pods(1000, &state, isRetry: true)
    #expect(Self.pods(1, &state, isRetry: true) == ["none"])
    _ = state.hold(.init(payload: 1, arrival: .zero), first: false, now: .zero)
    #expect(Self.pods(1, &state) == ["new"])
  }

  @Test("Answers and errors are counted apart while there is a share, and told in the load stream")
  func answers() throws {
    var state = try Self.state(percent: 50)
    #expect(state.report(now: .zero, wallUnix: 0).canaryAnswers == nil)
    let ends: [AttemptEnd] = [
      .answered(status: 200), .answered(status: 500), .answered(status: 499), .failed, .abandoned,
      .answered(status: 503),
    ]
    for (number, end) in ends.enumerated() {
      guard case .placed(let lease) = state.admit(patience: .zero, counts: true, now: .zero, wallUnix: 0) else {
        Issue.record("request \(number) was not placed")
        return
      }
      _ = state.finish(lease, end, counts: true, took: nil, now: .zero)
    }
    // Odd ones are the canary's.
    let load = state.report(now: .zero, wallUnix: 0)
    #expect(load.canaryAnswers == AnswerCount(answers: 3, errors: 3))
    #expect(load.stableAnswers == AnswerCount(answers: 2, errors: 0))
  }
}
