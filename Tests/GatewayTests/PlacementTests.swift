import Testing

@testable import Gateway

struct PlacementTests {
  private static let order: [Pool] = [.dedicated, .burst]

  private static func state(_ replicas: [Replica], share: GatewayShare = GatewayShare()) -> ReplicaSetState {
    var state = ReplicaSetState()
    _ = state.update(replicas, share: share)
    state.passAll()
    return state
  }

  @Test("Dedicated replicas fill up first, then burst ones, each by least in flight, never past maxConcurrency")
  func fillsInOrder() throws {
    var state = Self.state([
      try replica("b1"), try replica("d1", .dedicated), try replica("d2", .dedicated), try replica("b2"),
    ])
    var taken: [String] = []
    while let lease = state.acquire(order: Self.order, now: .zero) { taken.append(lease.replica.podUID) }
    #expect(taken == ["d1", "d2", "d1", "d2", "b1", "b2", "b1", "b2"])
    #expect(state.inFlightByPod == ["b1": 2, "b2": 2, "d1": 2, "d2": 2])
  }

  @Test(
    "Pools that the order leaves out and replicas that are not ready or leave get nothing",
    arguments: [
      ([.dedicated], true, false, false), ([.burst], false, false, false), ([.burst], true, true, false),
      ([.burst], true, false, true),
    ] as [([Pool], Bool, Bool, Bool)])
  func excludes(order: [Pool], ready: Bool, leaving: Bool, expected: Bool) throws {
    var state = Self.state([try replica("b", ready: ready, leaving: leaving)])
    let lease = state.acquire(order: order, now: .zero)
    #expect((lease != nil) == expected)
  }

  @Test("A pod that goes is remembered until its last request is over, and its UID is named once")
  func remembersTheGone() throws {
    var state = Self.state([try replica("a")])
    let lease = try state.take(now: .zero)
    let gone = state.update([], share: GatewayShare())
    let again = state.update([], share: GatewayShare())
    #expect(gone == ["a"] && again.isEmpty)
    #expect(!state.isAwake && state.inFlightByPod == ["a": 1])
    let emptied = state.release(lease)
    #expect(emptied)
    #expect(state.inFlightByPod.isEmpty && state.inFlight == 0)
  }

  @Test("A new pod at a known address starts with nothing in flight")
  func identityIsTheUID() throws {
    var state = Self.state([try replica("old", slots: 1)])
    let lease = try state.take(now: .zero)
    _ = state.update([try replica("new", slots: 1)], share: GatewayShare())
    state.passAll()
    let other = try state.take(now: .zero)
    #expect(other.replica.podUID == "new")
    _ = state.release(lease)
    #expect(state.inFlightByPod == ["new": 1])
  }

  @Test("A pod that is ready gets nothing before it has passed its check once; from then on readiness alone decides")
  func healthGate() throws {
    var state = ReplicaSetState()
    func places() -> Bool {
      var state = state
      return state.acquire(order: Self.order, now: .zero) != nil
    }
    _ = state.update([try replica("a", slots: 1)], share: GatewayShare(index: 2, count: 3))
    #expect(!places() && !state.isAwake && state.unproven.map(\.podUID) == ["a"] && state.isFirstCheckRunning)
    state.checked("a", .failing(problem: "503"))
    #expect(!places() && state.unproven.map(\.podUID) == ["a"] && !state.isFirstCheckRunning)
    state.checked("a", .passed)
    #expect(places() && state.isAwake && state.unproven.isEmpty)
    // A check that ends late takes nothing back.
    state.checked("a", .failing(problem: "late"))
    #expect(places())
    _ = state.update([try replica("a", ready: false), try replica("b", ready: false)], share: GatewayShare())
    #expect(!places() && state.unproven.isEmpty)
    _ = state.update([try replica("a"), try replica("b", leaving: true)], share: GatewayShare())
    #expect(places() && state.unproven.isEmpty)
    _ = state.update([try replica("b")], share: GatewayShare())
    #expect(!places() && state.healthByPod == ["b": .unchecked])
  }

  @Test("A replica that failed is left alone for a while, longer each time, until it answers")
  func ejects() throws {
    var state = Self.state([try replica("a", slots: 8)])
    let lease = try state.take(now: .zero)
    _ = state.failed(lease, now: .zero)
    let attempt1 = state.acquire(order: Self.order, now: .milliseconds(249))
    #expect(attempt1 == nil)
    #expect(state.nextReturn(now: .zero) == .milliseconds(250))
    let second = try state.take(now: .milliseconds(250))
    _ = state.failed(second, now: .milliseconds(250))
    #expect(state.nextReturn(now: .milliseconds(250)) == .milliseconds(750))
    state.succeeded(second)
    let attempt2 = state.acquire(order: Self.order, now: .milliseconds(250))
    #expect(attempt2 != nil)
  }

  @Test("Gateways' shares of a replica add up to its limit", arguments: 1...7, 1...9)
  func sharesAddUp(gateways: Int, limit: Int) {
    for pod in 0..<20 {
      let shares = (0..<gateways).map {
        GatewayShare(index: $0, count: gateways).slots(of: limit, podUID: "pod-\(pod)")
      }
      #expect(shares.reduce(0, +) == limit)
      #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
    }
  }

  @Test("With fewer slots than gateways none is left without any")
  func lastSlot() throws {
    for index in 0..<3 {
      var state = Self.state([try replica("a", slots: 1)], share: GatewayShare(index: index, count: 3))
      let attempt3 = state.acquire(order: Self.order, now: .zero)
      #expect(attempt3 != nil)
      let attempt4 = state.acquire(order: Self.order, now: .zero)
      #expect(attempt4 == nil)
    }
  }
}

extension ReplicaSetState {
  /// Takes a slot that must be there.
  mutating func take(now: Duration) throws -> Lease {
    let lease = acquire(order: [.dedicated, .burst], now: now)
    return try #require(lease)
  }
}
