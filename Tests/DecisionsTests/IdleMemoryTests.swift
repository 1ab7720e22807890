import Testing

@testable import Decisions

@Suite struct IdleMemoryTests {
  /// A learner and a model that have seen so many silences; the last one goes on.
  private func learned(
    _ silences: Int, pending: Bool = true, wakesAhead: Bool = false
  ) -> (IdleWindowLearner, IdleMemory) {
    var (learner, memory) = (IdleWindowLearner(), IdleMemory())
    var now = 1_750_000_000.0
    for index in 0..<silences {
      memory.choice = learner.begin(
        &memory.history, at: now, loadSeconds: 30, waitingPrice: 300, wakesAhead: wakesAhead)
      now += [90.0, 4.5, 1300, 260, 40_000][index % 5]
      learner.end(&memory.history, at: now)
      now += 2
    }
    if pending {
      memory.choice = learner.begin(
        &memory.history, at: now, loadSeconds: 30, waitingPrice: 300, wakesAhead: wakesAhead)
    }
    memory.meanWaiters = 2.5
    memory.loadSeconds = 41
    return (learner, memory)
  }

  @Test(
    "What was learned survives as bytes, and the next windows are the same", arguments: [0, 1, 7, 200, 2000],
    [false, true])
  func survives(silences: Int, wakesAhead: Bool) throws {
    let (learner, memory) = learned(silences, wakesAhead: wakesAhead)
    #expect(memory.packed.count <= IdleMemory.mostBytes)
    #expect(learner.packed.count < 27_000)
    var restored = try IdleMemory(packed: memory.packed)
    var again = try IdleWindowLearner(packed: learner.packed)
    #expect(again.learned == learner.learned)
    #expect(restored.history.pending == memory.history.pending && restored.history.gaps == memory.history.gaps)
    #expect(restored.choice?.window == memory.choice?.window && restored.choice?.gaps == memory.choice?.gaps)
    #expect(restored.meanWaiters == 2.5 && restored.loadSeconds == 41)
    var (whole, before) = (learner, memory)
    var now = 1_790_000_000.0
    for index in 0..<100 {
      whole.end(&before.history, at: now)
      again.end(&restored.history, at: now)
      let one = whole.begin(
        &before.history, at: now + 5, loadSeconds: 30, waitingPrice: 300, wakesAhead: wakesAhead)
      let other = again.begin(
        &restored.history, at: now + 5, loadSeconds: 30, waitingPrice: 300, wakesAhead: wakesAhead)
      #expect(one.window == other.window && one.ahead == other.ahead, "silence \(index)")
      #expect(abs(one.wakePrice - other.wakePrice) < 1e-3 && one.gaps == other.gaps)
      now += [200.0, 3000, 70][index % 3]
    }
    // What is kept of it then is the same, too.
    #expect(try IdleMemory(packed: restored.packed).packed == restored.packed)
  }

  @Test("Bytes of another version, too few, too many, or no numbers are refused with a reason")
  func refused() throws {
    let (learner, memory) = learned(50)
    for bytes in [
      memory.packed, learned(200, wakesAhead: true).1.packed, learned(3, pending: false).1.packed, IdleMemory().packed,
    ] {
      for length in 0..<bytes.count {
        #expect(throws: UnreadableIdleMemory.self) { try IdleMemory(packed: Array(bytes.prefix(length))) }
      }
      #expect(throws: UnreadableIdleMemory.self) { try IdleMemory(packed: bytes + [0]) }
    }
    var other = memory.packed
    other[0] = 9
    let error = #expect(throws: UnreadableIdleMemory.self) { try IdleMemory(packed: other) }
    #expect(error?.description == "version 9; this program reads version 3")
    for place in 2..<40 {
      var broken = memory.packed
      broken.replaceSubrange(place..<place + 4, with: [0xff, 0xff, 0xff, 0xff])
      #expect(throws: UnreadableIdleMemory.self) { try IdleMemory(packed: broken) }
    }
    for length in [0, 1, 100, learner.packed.count - 1] {
      #expect(throws: UnreadableIdleMemory.self) { try IdleWindowLearner(packed: Array(learner.packed.prefix(length))) }
    }
    #expect(throws: UnreadableIdleMemory.self) { try IdleWindowLearner(packed: learner.packed + [1]) }
    // Squares of zero would divide by zero.
    #expect(throws: UnreadableIdleMemory.self) {
      try IdleWindowLearner(packed: learner.packed.prefix(5) + [UInt8](repeating: 0, count: learner.packed.count - 5))
    }
  }

  @Test("Whatever bytes are taken, windows stay between a minute and a day")
  func anyBytes() {
    var random: UInt64 = 7
    func next() -> UInt8 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: random >> 40)
    }
    let (learner, memory) = learned(30)
    var taken = 0
    for _ in 0..<3000 {
      var bytes = memory.packed
      for _ in 0..<Int(next() % 4) + 1 { bytes[1 + Int(next()) * Int(next()) % (bytes.count - 1)] = next() }
      guard var read = try? IdleMemory(packed: bytes) else { continue }
      taken += 1
      var copy = learner
      copy.end(&read.history, at: 1_800_000_000)
      let choice = copy.begin(&read.history, at: 1_800_000_100, loadSeconds: 30, waitingPrice: 300)
      #expect(choice.window >= 60 && choice.window <= 86_400)
    }
    #expect(taken > 100)
  }
}
