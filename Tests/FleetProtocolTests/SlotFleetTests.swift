import Decisions
import Testing

@testable import FleetProtocol

@Suite struct SlotFleetTests {
  static func pods(_ count: Int, _ limit: Int) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: (0..<count).map { ("pod-\($0)", limit) })
  }

  @Test(
    "All callers on one gateway: it has nine tenths of the slots within two seconds",
    arguments: [(2, 1, 1), (2, 1, 8), (2, 4, 16), (3, 1, 4), (3, 3, 64), (10, 2, 64), (10, 5, 1), (10, 1, 7)])
  func converges(gateways: Int, pods: Int, limit: Int) throws {
    var fleet = SlotFleet(gateways: gateways, pods: Self.pods(pods, limit))
    try fleet.run(for: .seconds(3))
    fleet.gateways[1].callers = 2 * fleet.capacity
    try fleet.run(for: .seconds(2))
    #expect(10 * fleet.slots(1) >= 9 * fleet.capacity)
    #expect(10 * fleet.gateways[1].inFlightTotal >= 9 * fleet.capacity)
    // They all go to another one; requests take less than half a second.
    fleet.gateways[0].callers = 2 * fleet.capacity
    fleet.gateways[1].callers = 0
    try fleet.run(for: .seconds(2))
    #expect(10 * fleet.slots(0) >= 9 * fleet.capacity)
    // A first one at a gateway without slots is not left waiting, however many wait elsewhere.
    fleet.gateways[1].callers = 1
    var waited = Duration.zero
    while fleet.gateways[1].inFlightTotal == 0 {
      try fleet.step()
      waited += SlotFleet.tick
    }
    #expect(waited < .seconds(limit * pods == 1 ? 4 : 2))
  }

  @Test("Callers spread evenly change nothing, and after a while of calm the even shares are back")
  func returns() throws {
    var fleet = SlotFleet(gateways: 3, pods: Self.pods(2, 16))
    for index in 0..<3 { fleet.gateways[index].callers = 40 }
    try fleet.run(for: .seconds(5))
    #expect(fleet.gateways.allSatisfy { $0.table == nil } && fleet.coordinator?.services.isEmpty == true)
    for index in 0..<2 { fleet.gateways[index].callers = 0 }
    try fleet.run(for: .seconds(2))
    #expect(fleet.slots(2) == fleet.capacity)
    fleet.gateways[2].callers = 3
    try fleet.run(for: .seconds(12))
    #expect((0..<3).allSatisfy { (10...11).contains(fleet.slots($0)) })
    try fleet.run(for: SlotTable.life)
    #expect(fleet.gateways.allSatisfy { $0.table == nil })
    #expect(fleet.coordinator?.isActive == false)
  }

  @Test("Requests that run for long leave their slots to others as they end, not when the last of them has ended")
  func longRequests() throws {
    var fleet = SlotFleet(gateways: 2, pods: Self.pods(1, 64))
    fleet.requestMilliseconds = 20_000...60_000
    fleet.gateways[0].callers = 64
    try fleet.run(for: .seconds(3))
    #expect(fleet.gateways[0].inFlightTotal > 60)
    fleet.gateways[0].callers = 0
    fleet.gateways[1].callers = 64
    try fleet.run(for: .seconds(40))
    let both = fleet.gateways[0].inFlightTotal + fleet.gateways[1].inFlightTotal
    #expect(fleet.gateways[0].inFlightTotal > 10 && both > 48)
    try fleet.run(for: .seconds(25))
    #expect(fleet.gateways[1].inFlightTotal > 60)
  }

  @Test("Without its leader the fleet comes back to even shares, and the next leader goes on within two seconds")
  func leaderDies() throws {
    var fleet = SlotFleet(gateways: 3, pods: Self.pods(2, 30))
    fleet.gateways[2].callers = 100
    try fleet.run(for: .seconds(3))
    fleet.coordinator = nil
    try fleet.run(for: .seconds(4))
    #expect(fleet.slots(2) >= 56)
    try fleet.run(for: .seconds(13))
    #expect(fleet.gateways.allSatisfy { $0.table == nil } && fleet.slots(2) == 20)
    fleet.elect()
    try fleet.run(for: .seconds(2))
    #expect(fleet.slots(2) >= 56)
    // The next one finds tables in force, and higher epochs than its own.
    try fleet.run(for: .seconds(5))
    fleet.elect()
    try fleet.run(for: .seconds(2))
    #expect(fleet.slots(2) >= 56)
  }

  @Test("Another gateway: deals among the others are over, and new ones count it in")
  func gatewayJoins() throws {
    var fleet = SlotFleet(gateways: 2, pods: Self.pods(2, 30))
    fleet.gateways[1].callers = 100
    try fleet.run(for: .seconds(3))
    fleet.add("gateway-00")
    try fleet.run(for: .milliseconds(500))
    fleet.gateways[1].callers = 0
    fleet.gateways[2].callers = 100
    try fleet.run(for: .seconds(2))
    #expect(fleet.slots(2) >= 54)
  }

  @Test("A gateway that starts again is told anew within two seconds")
  func gatewayRestarts() throws {
    var fleet = SlotFleet(gateways: 2, pods: Self.pods(2, 30))
    fleet.gateways[1].callers = 100
    try fleet.run(for: .seconds(3))
    fleet.restart(0)
    fleet.unstableUntil = fleet.now + .seconds(2)
    try fleet.run(for: .seconds(4))
    #expect(fleet.slots(1) >= 57 && fleet.slots(0) + fleet.slots(1) <= 60)
  }

  @Test("One gateway that the leader cannot reach: the whole fleet shares evenly until it can")
  func oneIsCutOff() throws {
    var fleet = SlotFleet(gateways: 3, pods: Self.pods(1, 30))
    fleet.gateways[0].callers = 100
    try fleet.run(for: .seconds(3))
    #expect(fleet.slots(0) >= 27)
    fleet.gateways[2].cutUntil = fleet.now + .seconds(40)
    try fleet.run(for: .seconds(30))
    #expect((0..<3).allSatisfy { fleet.slots($0) == 10 })
    try fleet.run(for: .seconds(14))
    #expect(fleet.slots(0) >= 27)
  }

  @Test("Whatever is lost, late, cut off, restarted or re-elected: never more than maxConcurrency", arguments: 1...60)
  func chaos(seed: UInt64) throws {
    var random = SlotRandom(state: seed &* 977)
    var fleet = SlotFleet(
      gateways: 3, pods: ["a": Int.random(in: 1...3, using: &random), "b": Int.random(in: 4...40, using: &random)],
      seed: seed)
    fleet.loss = 20
    fleet.delay = 1...Int.random(in: 20...1900, using: &random)
    fleet.requestMilliseconds = 10...Int.random(in: 100...8000, using: &random)
    let end = fleet.now + .seconds(240)
    while fleet.now < end {
      let index = Int.random(in: 0..<3, using: &random)
      switch Int.random(in: 0..<20, using: &random) {
      case 0: fleet.coordinator = nil
      case 1, 2: fleet.elect()
      case 3: fleet.gateways[index].cutUntil = fleet.now + .seconds(Int.random(in: 1...30, using: &random))
      case 4 where fleet.unstableUntil <= fleet.now - .seconds(60): fleet.restart(index)
      default: fleet.gateways[index].callers = Bool.random(using: &random) ? 0 : Int.random(in: 0...80, using: &random)
      }
      try fleet.run(for: .milliseconds(Int.random(in: 50...3000, using: &random)))
    }
  }
}
