import Testing

@testable import Gateway

struct HoldQueueTests {
  /// xorshift64*: the same numbers in every run.
  private struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return state &* 2_685_821_657_736_338_717
    }
  }

  @Test("Urgency goes before arrival, and arrival decides within an urgency")
  func order() {
    var queue = HoldQueue<Int>()
    for (number, urgency) in [3, 1, 3, 7, 1, 0].enumerated() {
      _ = queue.insert(.init(payload: number, arrival: .seconds(number), urgency: urgency))
    }
    let all = queue.removeAll().map(\.payload)
    #expect(all == [5, 1, 4, 0, 2, 3])
  }

  @Test("Who has been in line before goes to the front of the same urgency only")
  func front() {
    var queue = HoldQueue<Int>()
    _ = queue.insert(.init(payload: 1, arrival: .zero, urgency: 1))
    _ = queue.insert(.init(payload: 2, arrival: .zero, urgency: 3))
    _ = queue.insert(.init(payload: 3, arrival: .zero, urgency: 3), first: true)
    let all = queue.removeAll().map(\.payload)
    #expect(all == [1, 3, 2])
  }

  @Test("A ticket works once, and never for whoever got its place later")
  func tickets() throws {
    var queue = HoldQueue<Int>()
    let ticket = queue.insert(.init(payload: 1, arrival: .zero, bytes: 10))
    let first = queue.remove(ticket)
    #expect(first?.payload == 1 && queue.bytes == 0)
    _ = queue.insert(.init(payload: 2, arrival: .zero, bytes: 20))
    let second = queue.remove(ticket)
    #expect(second == nil)
    #expect(queue.bytes == 20 && queue.count == 1)
  }

  @Test("Tenants take turns within an urgency, whoever came with many; each is served in the order of arrival")
  func turns() {
    var queue = HoldQueue<String>()
    for number in 0..<6 { _ = queue.insert(.init(payload: "a\(number)", arrival: .seconds(number), tenant: 1)) }
    for number in 0..<2 { _ = queue.insert(.init(payload: "b\(number)", arrival: .seconds(9), tenant: 2)) }
    _ = queue.insert(.init(payload: "c0", arrival: .seconds(9), urgency: 1, tenant: 3))
    #expect(queue.count(ofTenant: 1) == 6 && queue.count(ofTenant: 2) == 2 && queue.count(ofTenant: 9) == 0)
    let all = queue.removeAll().map(\.payload)
    #expect(all == ["c0", "a0", "b0", "a1", "b1", "a2", "a3", "a4", "a5"])
  }

  @Test("A tenant with large requests gets as many bytes, not as many requests")
  func deficits() {
    var queue = HoldQueue<String>()
    for number in 0..<4 {
      _ = queue.insert(.init(payload: "large", arrival: .seconds(number), bytes: 3 * 8192, tenant: 1))
      for _ in 0..<4 { _ = queue.insert(.init(payload: "small", arrival: .seconds(number), tenant: 2)) }
    }
    var served: [String] = []
    for _ in 0..<15 { served.append(queue.popFirst()?.payload ?? "") }
    #expect(served.filter { $0 == "large" }.count == 3 && served.filter { $0 == "small" }.count == 12)
  }

  @Test("Who waits for a place that there is none of keeps nobody waiting")
  func kinds() {
    var queue = HoldQueue<Int>()
    for number in 0..<4 { _ = queue.insert(.init(payload: number, arrival: .seconds(number), kind: UInt8(number % 2))) }
    var taken: [Int?] = []
    for _ in 0..<3 { taken.append(queue.popFirst { $0 == 1 }?.payload) }
    #expect(taken == [1, 3, nil] && queue.count == 2)
    let rest = queue.removeAll().map(\.payload)
    #expect(rest == [0, 2])
    for pools in [[.dedicated], [.burst], [.dedicated, .burst], [.burst, .dedicated]] as [[Pool]] {
      #expect(PoolOrder(pools).pools(own: []) == pools && PoolOrder(kind: PoolOrder(pools).code) == PoolOrder(pools))
    }
    #expect(PoolOrder(nil).pools(own: [.burst]) == [.burst])
  }

  @Test("A ticket of a burst that is over names nobody of the next, however large both are")
  func ticketsOfABurst() {
    var queue = HoldQueue<Int>()
    let old = (0..<200).map { queue.insert(.init(payload: $0, arrival: .zero)) }
    while queue.popFirst() != nil {}
    for number in 0..<200 { _ = queue.insert(.init(payload: 1000 + number, arrival: .zero)) }
    for ticket in old {
      let found = queue.remove(ticket)
      #expect(found == nil)
    }
    #expect(queue.count == 200)
  }

  @Test("A tenant that waits for several kinds of places has one share of the turns")
  func oneShare() {
    var queue = HoldQueue<String>()
    for number in 0..<6 {
      for kind in 0..<4 {
        _ = queue.insert(.init(payload: "a", arrival: .seconds(number), tenant: 1, kind: UInt8(kind)))
      }
      _ = queue.insert(.init(payload: "b", arrival: .seconds(number), tenant: 2, kind: 3))
    }
    var served: [String] = []
    for _ in 0..<12 { served.append(queue.popFirst()?.payload ?? "") }
    #expect(served.filter { $0 == "a" }.count == 6)
    let order = queue.removeAll().map(\.payload)
    #expect(order == Array(repeating: "a", count: 18))
  }

  @Test("With a place for nobody, each kind is asked for once, however many tenants wait")
  func asksOnce() {
    var queue = HoldQueue<Int>()
    for number in 0..<3000 {
      _ = queue.insert(.init(payload: number, arrival: .zero, tenant: UInt64(number), kind: UInt8(number % 2)))
    }
    var asked: [UInt8] = []
    let nobody = queue.popFirst { kind in
      asked.append(kind)
      return false
    }
    #expect(nobody == nil && asked == [0, 1])
    asked = []
    let isWaiting = queue.isWaiting { kind in
      asked.append(kind)
      return kind == 1
    }
    #expect(isWaiting && asked == [0, 1])
  }

  @Test("Who leaves and comes back has saved up nothing, and goes behind those who waited")
  func savesNothing() {
    var queue = HoldQueue<String>()
    _ = queue.insert(.init(payload: "a", arrival: .zero, tenant: 1))
    let ticket = queue.insert(.init(payload: "b", arrival: .zero, tenant: 2))
    _ = queue.insert(.init(payload: "c", arrival: .zero, tenant: 3))
    _ = queue.remove(ticket)
    _ = queue.insert(.init(payload: "b again", arrival: .seconds(1), tenant: 2))
    let all = queue.removeAll().map(\.payload)
    #expect(all == ["a", "c", "b again"])
  }

  @Test("Between two tenants that always wait the difference is a turn and a request at most", arguments: 1...10)
  func isFair(seed: Int) {
    var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
    var queue = HoldQueue<(tenant: Int, cost: Int)>()
    var served = [0, 0, 0]
    func add(_ tenant: Int, _ step: Int) {
      let cost = Int.random(in: 1...8, using: &random)
      _ = queue.insert(
        .init(payload: (tenant, cost), arrival: .seconds(step), bytes: (cost - 1) * 8192, tenant: UInt64(tenant)))
    }
    for tenant in 0..<3 { for step in 0..<5 { add(tenant, step) } }
    for step in 0..<400 {
      guard let entry = queue.popFirst() else { break }
      served[entry.payload.tenant] += entry.payload.cost
      add(entry.payload.tenant, step)
      let (least, most) = (served.min() ?? 0, served.max() ?? 0)
      #expect(most - least <= HoldQueue<Int>.quantum + 2 * HoldQueue<Int>.maxCost)
    }
  }

  @Test("Whatever is inserted, removed and taken, the queue agrees with a sorted list", arguments: 1...20)
  func agreesWithModel(seed: Int) throws {
    var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
    var queue = HoldQueue<Int>()
    var model: [(order: (Int, Int), payload: Int, ticket: HoldQueue<Int>.Ticket)] = []
    for step in 0..<600 {
      // Grows for the first half, shrinks for the second, so that memory is given back on the way.
      switch Int.random(in: 0..<(step < 300 ? 4 : 12), using: &random) {
      case 0, 1:
        let urgency = Int.random(in: 0...7, using: &random)
        let ticket = queue.insert(.init(payload: step, arrival: .seconds(step), bytes: step, urgency: urgency))
        model.append(((urgency, step), step, ticket))
      case 2 where !model.isEmpty:
        let gone = model.remove(at: Int.random(in: model.indices, using: &random))
        let (removed, again) = (queue.remove(gone.ticket), queue.remove(gone.ticket))
        #expect(removed?.payload == gone.payload && again == nil)
      default:
        let first = model.min { $0.order < $1.order }
        let taken = queue.popFirst()
        #expect(taken?.payload == first?.payload)
        model.removeAll { $0.payload == first?.payload }
      }
      #expect(queue.count == model.count)
      #expect(queue.bytes == model.reduce(0) { $0 + $1.payload })
      #expect(queue.oldestArrival == model.map(\.payload).min().map { .seconds($0) })
    }
  }
}
