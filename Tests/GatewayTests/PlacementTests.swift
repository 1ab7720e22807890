import Decisions
import FleetProtocol
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
    _ = state.update([try replica("a", slots: 1)], share: GatewayShare())
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

  @Test("A gateway without any slot takes one when a request has waited long enough for a leader to deal otherwise")
  func lastSlot() throws {
    let shares = (0..<3).map { GatewayShare(index: $0, count: 3) }
    let without = shares.filter { $0.slots(of: 1, podUID: "a") == 0 }
    #expect(without.count == 2)
    for share in without {
      var state = Self.state([try replica("a", slots: 1)], share: share)
      func places(at seconds: Int) -> Bool { state.acquire(order: Self.order, now: .seconds(seconds)) != nil }
      #expect(!places(at: 0) && state.nextReturn(now: .zero) == ReplicaSetState.slotlessPatience)
      #expect(!places(at: 1))
      // The one that waited has left; who comes much later waits as long.
      #expect(!places(at: 60) && !places(at: 61))
      #expect(state.nextReturn(now: .seconds(61)) == .seconds(62))
      #expect(places(at: 62) && !places(at: 63))
    }
  }

  private static func deal(_ parts: [Int], next: [Int]? = nil, since: Int = 1, epoch: Int) throws -> ServiceSlots {
    ServiceSlots(
      namespace: "default", name: "owl", since: since, epoch: epoch, weights: try SlotWeights(parts: parts),
      next: try next.map { try SlotWeights(parts: $0) })
  }

  @Test("The leader's deal is kept to: first what both deals give, then the new one, and evenly when it has lapsed")
  func deals() throws {
    var state = Self.state([try replica("a", slots: 10)], share: GatewayShare(index: 1, count: 2))
    var leases: [ReplicaSetState.Lease] = []
    func fill(at seconds: Int) -> Int {
      while let lease = state.acquire(order: Self.order, now: .seconds(seconds)) { leases.append(lease) }
      return leases.count
    }
    #expect(fill(at: 0) == 5 && state.slotsEpoch == nil)
    // It grows when the others have shrunk, and not before.
    var isNews = state.take(try Self.deal([1, 1], next: [0, 1], epoch: 1), now: .zero)
    #expect(isNews && fill(at: 0) == 5 && state.slotsEpoch == 1)
    isNews = state.take(try Self.deal([0, 1], epoch: 2), now: .zero)
    #expect(isNews && fill(at: 0) == 10 && state.slots == 10 && state.capacity == 10)
    isNews = state.take(try Self.deal([0, 1], epoch: 2), now: .seconds(1))
    #expect(!isNews && state.slotsEpoch == 2)
    isNews = state.take(try Self.deal([1, 1], epoch: 1), now: .seconds(1))
    #expect(!isNews && state.slots == 10)
    // It shrinks at once, and says so when it has come within.
    isNews = state.take(try Self.deal([0, 1], next: [4, 1], epoch: 3), now: .seconds(1))
    #expect(isNews && state.slots == 2 && state.slotsEpoch == nil)
    for number in 0..<8 {
      let hasComeWithin = state.release(leases.removeLast())
      #expect(hasComeWithin == (number == 7))
    }
    #expect(state.slotsEpoch == 3 && fill(at: 1) == 2)
    // Renewed at 1 s: at 7 s the even deal counts, too, and from 17 s on alone.
    #expect(fill(at: 6) == 2 && fill(at: 7) == 2 && state.slotsEpoch == 3)
    let hasLapsed = state.lapse(now: .seconds(17))
    #expect(hasLapsed && state.slots == 5 && state.slotsEpoch == nil && fill(at: 17) == 5)
  }

  @Test("A deal among other gateways is forgotten with them")
  func otherGateways() throws {
    var state = Self.state([try replica("a", slots: 10)], share: GatewayShare(identity: "b", among: ["a"]))
    _ = state.take(try Self.deal([0, 1], epoch: 2), now: .zero)
    #expect(state.slots == 10)
    _ = state.update([try replica("a", slots: 10)], share: GatewayShare(identity: "b", among: ["c"]))
    #expect(state.slots == 5 && state.slotsEpoch == nil)
  }
}

extension ReplicaSetState {
  /// Takes a slot that must be there.
  mutating func take(now: Duration) throws -> Lease {
    let lease = acquire(order: [.dedicated, .burst], now: now)
    return try #require(lease)
  }
}
