import Decisions
import Testing

@Suite struct SlotTests {
  /// The same numbers in each run.
  struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return value ^ (value >> 31)
    }
  }

  static func weights(_ parts: [Int], turn: Int = 0) throws -> SlotWeights { try SlotWeights(parts: parts, turn: turn) }

  static func deal(_ weights: SlotWeights, _ limit: Int, _ pod: String) -> [Int] {
    weights.parts.indices.map { weights.slots(of: limit, podUID: pod, index: $0) }
  }

  @Test(
    "Whatever the weights, gateways' slots of a replica add up to its limit, each near its quota", arguments: 0..<200)
  func sums(seed: UInt64) throws {
    var random = Random(state: seed)
    let count = Int.random(in: 1...12, using: &random)
    var parts = (0..<count).map { _ in
      Bool.random(using: &random) ? 0 : Int.random(in: 0...SlotWeights.largestPart, using: &random)
    }
    parts[0] += parts.allSatisfy { $0 == 0 } ? 1 : 0
    let weights = try Self.weights(parts, turn: Int.random(in: 0...100, using: &random))
    for pod in 0..<20 {
      let limit = Int.random(in: 0...300, using: &random)
      let slots = Self.deal(weights, limit, "pod-\(pod)")
      #expect(slots.reduce(0, +) == limit)
      let base = limit / (20 * count)
      for (index, mine) in slots.enumerated() {
        let quota = Double(base) + weights.fraction(index) * Double(limit - base * count)
        #expect(abs(Double(mine) - quota) < 1)
      }
    }
  }

  @Test(
    "A gateway with all the demand gets nine tenths of every replica or more; the others keep a trickle of large ones")
  func allToOne() throws {
    for count in 2...10 {
      let weights = try Self.weights((0..<count).map { $0 == 1 ? 7 : 0 })
      for limit in 1...200 {
        let slots = Self.deal(weights, limit, "pod")
        #expect(Double(slots[1]) >= 0.9 * Double(limit))
        #expect(slots[0] == limit / (20 * count))
      }
    }
  }

  @Test(
    "Replicas with one slot are dealt out in proportion to the weights, and one replica's slot goes from turn to turn")
  func singles() throws {
    let pods = (0..<1000).map { "pod-\($0)" }
    let mine = pods.filter { Self.deal(try! Self.weights([60, 40]), 1, $0)[1] == 1 }
    #expect((350...450).contains(mine.count))
    let turns = try (0..<100).filter { try Self.deal(Self.weights([60, 40], turn: $0), 1, "pod")[1] == 1 }
    #expect((35...45).contains(turns.count))
  }

  @Test(
    "Weights that mean nothing are refused by name",
    arguments: [
      ([], "no gateway has a weight, one must be above 0"), ([0, 0], "no gateway has a weight, one must be above 0"),
      ([1, -1], "a weight is -1, must be from 0 to 1000000"),
      (Array(repeating: 1, count: 1001), "weights of 1001 gateways, at most 1000 are taken"),
    ] as [([Int], String)])
  func refused(parts: [Int], message: String) {
    #expect {
      try SlotWeights(parts: parts)
    } throws: {
      "\($0)" == message
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Held, in flight, slots.
    var demand: [(Int, Int, Int)]
    var capacity = 100
    var present = [1, 1]
    var sinceChange: Duration = .seconds(1)
    var wanted: [Int]?
    var turn = 0
  }

  @Test(
    "Slots follow demand when somebody waits, and stay where they are otherwise",
    arguments: [
      Case(testDescription: "nobody waits", demand: [(0, 50, 50), (0, 0, 50)], wanted: nil),
      Case(testDescription: "all on one", demand: [(1, 50, 50), (0, 0, 50)], wanted: [10_000, 0]),
      Case(testDescription: "asleep", demand: [(9, 0, 0), (1, 0, 0)], capacity: 0, wanted: [9000, 1000]),
      Case(testDescription: "as it is", demand: [(30, 50, 50), (30, 50, 50)], wanted: nil),
      Case(testDescription: "not worth it", demand: [(32, 50, 50), (24, 50, 50)], wanted: nil),
      Case(testDescription: "worth it", demand: [(100, 50, 50), (0, 50, 50)], wanted: [6250, 3750]),
      Case(
        testDescription: "too soon", demand: [(100, 50, 50), (0, 50, 50)], sinceChange: .milliseconds(249), wanted: nil),
      Case(
        testDescription: "never too soon for one that has nothing", demand: [(1, 0, 0), (0, 99, 100)], present: [0, 1],
        sinceChange: .zero, wanted: [100, 9900]),
      Case(
        testDescription: "long requests leave a quarter at a time", demand: [(900, 20, 20), (0, 80, 80)],
        present: [1, 4], wanted: [4000, 6000]),
      Case(
        testDescription: "a slot for each that wants one", demand: [(950, 50, 50), (1, 0, 50)], present: [1, 0],
        wanted: [9901, 99]),
      Case(
        testDescription: "little that is wasted", demand: [(9, 96, 96), (0, 0, 4)], present: [96, 4],
        sinceChange: .milliseconds(500), wanted: [10_000, 0]),
      Case(
        testDescription: "little that is wasted, not at once", demand: [(9, 96, 96), (0, 0, 4)], present: [96, 4],
        sinceChange: .milliseconds(499), wanted: nil),
      Case(
        testDescription: "turns where there is one slot for two", demand: [(9, 1, 1), (10, 0, 0)], capacity: 1,
        present: [3, 1], wanted: [7500, 2500], turn: 1),
    ])
  func decides(example: Case) throws {
    let demand = example.demand.map { SlotDemand(held: $0.0, inFlight: $0.1, slots: $0.2) }
    let decided = decideSlots(
      demand, capacity: example.capacity, present: try Self.weights(example.present), sinceChange: example.sinceChange)
    #expect(decided?.parts == example.wanted)
    #expect(decided == nil || decided?.turn == example.turn)
  }

  @Test("Whatever the demand, weights go to those that want something, and all of them get some", arguments: 0..<300)
  func weightsFollow(seed: UInt64) throws {
    var random = Random(state: seed)
    let count = Int.random(in: 2...8, using: &random)
    let demand = (0..<count).map { _ in
      Bool.random(using: &random)
        ? SlotDemand()
        : SlotDemand(
          held: Int.random(in: 0...2000, using: &random), inFlight: Int.random(in: 0...100, using: &random), slots: 0)
    }
    let capacity = Int.random(in: 0...500, using: &random)
    guard
      let decided = decideSlots(
        demand, capacity: capacity, present: .even(count), sinceChange: .seconds(9))
    else { return }
    for (part, wish) in zip(decided.parts, demand) { #expect((part > 0) == (wish.all > 0)) }
    let inFlight = demand.reduce(0) { $0 + $1.inFlight }
    guard inFlight <= capacity else { return }
    for (index, wish) in demand.enumerated() {
      let slots = decided.fraction(index) * Double(capacity)
      #expect(slots >= Double(wish.inFlight) * 0.75 - Double(capacity) * 0.001)
    }
  }

  @Test(
    "Even shares come back when they would do with room to spare",
    arguments: [
      ([(0, 0), (0, 0)], 0, true), ([(0, 40), (0, 0)], 100, true), ([(0, 41), (0, 0)], 100, false),
      ([(1, 0), (0, 0)], 100, false), ([(0, 1), (0, 0)], 0, false),
    ] as [([(Int, Int)], Int, Bool)])
  func calm(demand: [(Int, Int)], capacity: Int, expected: Bool) {
    let demand = demand.map { SlotDemand(held: $0.0, inFlight: $0.1) }
    #expect(evenSlotsSuffice(demand, capacity: capacity) == expected)
  }
}
