import Testing

@testable import Gateway

struct AffinityRingTests {
  private static func names(_ count: Int) -> [String] { (0..<count).map { "pod-\($0)" } }

  @Test("A replica that goes moves its own keys and no others, and each has about its share")
  func movesLittle() {
    let names = Self.names(10)
    let all = AffinityRing(names)
    let fewer = AffinityRing(Array(names.dropLast()))
    var moved = 0
    var counts = Array(repeating: 0, count: 10)
    for key in 0..<10_000 {
      let before = all.replica(for: UInt64(key)) { _ in true }
      let after = fewer.replica(for: UInt64(key)) { _ in true }
      counts[before ?? 0] += 1
      if before != after {
        moved += 1
        #expect(before == 9)
      }
    }
    #expect(moved == counts[9])
    #expect(counts.allSatisfy { (700...1300).contains($0) })
  }

  @Test("The same key finds the same replica whatever the order of the others")
  func isStable() {
    let names = Self.names(5)
    let ring = AffinityRing(names)
    let reversed = AffinityRing(names.reversed())
    for key in UInt64(0)..<100 {
      let one = ring.replica(for: key) { _ in true }.map { names[$0] }
      let other = reversed.replica(for: key) { _ in true }.map { names.reversed()[$0] }
      #expect(one == other)
    }
  }

  @Test("With one hot key no replica carries more than a quarter above the average")
  func isBounded() throws {
    var state = ReplicaSetState()
    _ = state.update(try (0..<4).map { try replica("pod-\($0)", slots: 100) }, share: GatewayShare())
    state.passAll()
    for placed in 1...100 {
      let lease = state.acquire(order: [.burst], affinity: 42, now: .zero)
      #expect(lease != nil)
      let most = state.inFlightByPod.values.max() ?? 0
      #expect(most <= AffinityRing.bound(inFlight: placed - 1, replicas: 4))
    }
    #expect(state.inFlightByPod.count == 4)
  }

  @Test("Without load the key's replica is taken each time; one without a slot is passed over")
  func prefersItsOwn() throws {
    var state = ReplicaSetState()
    _ = state.update(try (0..<4).map { try replica("pod-\($0)", slots: 1) }, share: GatewayShare())
    state.passAll()
    let one = state.next(7)
    let first = try #require(one)
    _ = state.release(first)
    let two = state.next(7)
    let second = try #require(two)
    #expect(first.replica.podUID == second.replica.podUID)
    let three = state.next(7)
    let third = try #require(three)
    #expect(third.replica.podUID != first.replica.podUID)
    let none = [state.next(7), state.next(7), state.next(7)]
    #expect(none[2] == nil)
  }
}

extension ReplicaSetState {
  fileprivate mutating func next(_ key: UInt64) -> Lease? { acquire(order: [.burst], affinity: key, now: .zero) }
}
