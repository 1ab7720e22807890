import Testing

@testable import Operator

@Suite struct ScalePlanTests {
  static func pod(
    _ uid: String, ready: Bool = true, inFlight: Int = 0, terminating: Bool = false
  ) -> PodObservation {
    PodObservation(
      uid: uid, name: uid, createdAt: "2026-01-0\(uid.count)T00:00:00Z", isReady: ready, isTerminating: terminating,
      isFinished: false, isScheduled: true, inFlight: inFlight)
  }

  static func pools(burst: [PodObservation], wanted: Int, dedicated: Int = 0) -> PerPool<PoolObservation> {
    PerPool(
      dedicated: PoolObservation(exists: dedicated > 0, wanted: dedicated),
      burst: PoolObservation(exists: true, wanted: wanted, pods: burst))
  }

  static func drain(
    _ epoch: Int = 0, _ pods: [String] = [], age: Duration = .zero, seen: Int? = 0, mustKeep: Bool = false
  ) -> DrainObservation {
    DrainObservation(
      plan: DrainPlan(epoch: epoch, pods: pods), age: age, timeout: .seconds(30), epochSeen: seen, mustKeep: mustKeep)
  }

  static func plan(
    _ pods: [PodObservation], from: Int, to: Int, _ drain: DrainObservation
  ) -> ScalePlan { planScale(pools(burst: pods, wanted: from), wanted: PerPool(dedicated: 0, burst: to), drain: drain) }

  @Test("Up goes at once")
  func scaleUp() {
    let plan = Self.plan([], from: 0, to: 2, Self.drain())
    #expect(plan.scales == [PoolScale(pool: .burst, from: 0, to: 2)])
    #expect(plan.drain == DrainPlan())
  }

  @Test("Down names its victims first, and scales once every gateway has seen them empty")
  func drainCycle() {
    let pods = [Self.pod("a", inFlight: 3), Self.pod("bb", inFlight: 1)]
    let named = Self.plan(pods, from: 2, to: 1, Self.drain())
    #expect(named.scales.isEmpty)
    #expect(named.drain == DrainPlan(epoch: 1, pods: ["bb"]))

    let scale = PoolScale(pool: .burst, from: 2, to: 1, victims: ["bb"])
    #expect(Self.plan(pods, from: 2, to: 1, Self.drain(1, ["bb"], seen: 0)).draining == [.burst])
    #expect(Self.plan(pods, from: 2, to: 1, Self.drain(1, ["bb"], seen: 1)).draining == [.burst])
    #expect(Self.plan(pods, from: 2, to: 1, Self.drain(1, ["bb"], age: .seconds(30), seen: 0)).scales == [scale])
    let empty = [Self.pod("a", inFlight: 3), Self.pod("bb")]
    #expect(Self.plan(empty, from: 2, to: 1, Self.drain(1, ["bb"], seen: 0)).scales.isEmpty)
    #expect(Self.plan(empty, from: 2, to: 1, Self.drain(1, ["bb"], seen: 1)).scales == [scale])
    #expect(Self.plan(empty, from: 2, to: 1, Self.drain(1, ["bb"], seen: nil)).scales == [scale])

    // Scaled: the victim stays out of use until the ReplicaSet has taken it.
    #expect(Self.plan(empty, from: 1, to: 1, Self.drain(1, ["bb"], seen: 1)).drain == DrainPlan(epoch: 1, pods: ["bb"]))
    let gone = Self.plan([Self.pod("a")], from: 1, to: 1, Self.drain(1, ["bb"], seen: 1))
    #expect(gone.drain == DrainPlan(epoch: 2, pods: []))
  }

  @Test("Those that were never ready go without a drain")
  func unready() {
    let plan = Self.plan([Self.pod("a", ready: false)], from: 1, to: 0, Self.drain())
    #expect(plan.scales == [PoolScale(pool: .burst, from: 1, to: 0, victims: ["a"])])
    #expect(plan.drain == DrainPlan())
  }

  @Test("Demand that returns ends the drain; a start-up that knows nothing yet keeps it")
  func cancelled() {
    let pods = [Self.pod("a")]
    #expect(Self.plan(pods, from: 1, to: 1, Self.drain(4, ["a"], seen: 4)).drain == DrainPlan(epoch: 5, pods: []))
    let kept = Self.plan(pods, from: 1, to: 1, Self.drain(4, ["a"], seen: 0, mustKeep: true))
    #expect(kept.drain == DrainPlan(epoch: 4, pods: ["a"]))
  }

  @Test("If another pod goes than was named, the drain starts over with those that are left")
  func startsOver() {
    let pods = [Self.pod("a", terminating: true), Self.pod("bb", inFlight: 1), Self.pod("ccc", inFlight: 2)]
    let plan = Self.plan(pods, from: 3, to: 1, Self.drain(1, ["bb", "ccc"], seen: 1))
    #expect(plan.drain == DrainPlan(epoch: 2, pods: ["bb"]))
    #expect(plan.scales.isEmpty)
  }

  @Test("A named pod stays named although another has become less busy")
  func stable() {
    let pods = [Self.pod("a", inFlight: 0), Self.pod("bb", inFlight: 5)]
    #expect(Self.plan(pods, from: 2, to: 1, Self.drain(1, ["bb"], seen: 1)).drain.pods == ["bb"])
  }

  @Test("Both pools drain under one epoch")
  func bothPools() {
    let pools = PerPool(
      dedicated: PoolObservation(exists: true, wanted: 1, pods: [Self.pod("d")]),
      burst: PoolObservation(exists: true, wanted: 1, pods: [Self.pod("b")]))
    let plan = planScale(pools, wanted: PerPool(dedicated: 0, burst: 0), drain: Self.drain())
    #expect(plan.drain == DrainPlan(epoch: 1, pods: ["b", "d"]))
    #expect(plan.draining == [.dedicated, .burst])
  }
}
