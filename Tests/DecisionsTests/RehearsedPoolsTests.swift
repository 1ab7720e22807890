import Testing

@testable import Decisions

@Suite struct RehearsedPoolsTests {
  /// Pools that have seen `arrivals` in each second, with answers that take `occupied` seconds.
  static func pools(_ arrivals: [Double], occupied: Double?, objective: Double, from start: Int = 0) -> RehearsedPools {
    var pools = RehearsedPools()
    for (second, count) in arrivals.enumerated() {
      pools.add(count, from: .seconds(start + second), to: .seconds(Double(start + second) + 0.999))
      pools.advance(to: .seconds(start + second + 1), occupied: occupied, objective: objective)
    }
    pools.advance(to: .seconds(start + arrivals.count + 5), occupied: occupied, objective: objective)
    return pools
  }

  static func objective(_ seconds: Double, _ percentile: Int = 99) -> LatencyObjective {
    LatencyObjective(timeToFirstToken: .seconds(seconds), percentile: percentile)
  }

  static let instant = SampleSums(count: 100, sum: 1e-6, squares: 1e-14)

  @Test("A burst of 60 with 1 s each and 2 s of patience: (60 + sqrt(30)) / (1 + 2) = 21.8 slots")
  func oneBurst() throws {
    var arrivals = [Double](repeating: 0, count: 300)
    for second in stride(from: 10, to: 300, by: 60) { arrivals[second] = 60 }
    let pools = Self.pools(arrivals, occupied: 1, objective: 2)
    let slots = try #require(pools.slots(lateShare: 0.01, Self.objective(2), Self.instant))
    // All are late below, none above: the answer lies between the two pools about it, a twelfth apart.
    #expect(slots >= 20.7 && slots <= 22.7, "\(slots)")
    // A time at the replica of half the objective leaves half the patience: (60 + sqrt(30)) / 2 = 32.7.
    let slow = SampleSums(count: 100, sum: 100, squares: 100)
    let more = try #require(pools.slots(lateShare: 0.01, Self.objective(2), slow))
    #expect(more >= 31 && more <= 35, "\(more)")
  }

  @Test("A steady stream needs what it occupies; rare bursts count by their share of the requests")
  func shares() throws {
    let steady = Self.pools([Double](repeating: 10, count: 600), occupied: 2, objective: 1)
    let base = try #require(steady.slots(lateShare: 0.2, Self.objective(1), Self.instant))
    #expect(base >= 19 && base <= 24, "\(base)")
    var arrivals = [Double](repeating: 10, count: 600)
    arrivals[400] = 300
    let rare = Self.pools(arrivals, occupied: 2, objective: 1)
    // A seventh of the requests came in the burst or while 30 slots would work it off: a fifth may be late.
    #expect(try #require(rare.slots(lateShare: 0.2, Self.objective(1), Self.instant)) < 30)
    #expect(try #require(rare.slots(lateShare: 0.01, Self.objective(1), Self.instant)) > 150)
  }

  @Test("A smaller share that may be late, longer answers or more requests never need fewer slots")
  func monotone() throws {
    var random = SplitMix(seed: 9)
    for _ in 0..<20 {
      let arrivals = (0..<300).map { _ in random.next() % 5 == 0 ? Double(random.next() % 40) : 1 }
      let occupied = Double(random.next() % 100 + 1) / 10
      func slots(_ share: Double, _ factor: Double = 1, _ longer: Double = 1) throws -> Double {
        let pools = Self.pools(arrivals.map { $0 * factor }, occupied: occupied * longer, objective: 1)
        return try #require(pools.slots(lateShare: share, Self.objective(1), Self.instant))
      }
      let some = try slots(0.02)
      #expect(try slots(0.01) >= some - 1e-6 && slots(0.2) <= some + 1e-6)
      #expect(try slots(0.02, 1.5) >= some - 1e-6 && slots(0.02, 1, 2) >= some - 1e-6)
    }
  }

  @Test("The slots that it names do meet the objective when the same arrivals are queued, and half of them do not")
  func suffices() throws {
    var random = SplitMix(seed: 3)
    var arrivals = [Double](repeating: 0, count: 1200)
    for second in arrivals.indices where random.next() % 20 == 0 { arrivals[second] = Double(random.next() % 40) }
    let pools = Self.pools(arrivals, occupied: 1.5, objective: 2)
    let slots = try #require(pools.slots(lateShare: 0.05, Self.objective(2, 95), Self.instant))
    func inTime(_ servers: Int) -> Double {
      var free = [Double](repeating: 0, count: servers)
      var (met, all) = (0.0, 0.0)
      for (second, count) in arrivals.enumerated() {
        for _ in 0..<Int(count) {
          let index = free.indices.min { free[$0] < free[$1] } ?? 0
          let start = max(Double(second), free[index])
          // Exponential with a mean of 1.5 s.
          let uniform = (Double(random.next() % 1_000_000) + 0.5) / 1_000_000
          free[index] = start - 1.5 * ElementaryFunctions.logarithm(uniform)
          all += 1
          if start - Double(second) <= 2 { met += 1 }
        }
      }
      return met / all
    }
    #expect(inTime(Int(slots.rounded(.up))) >= 0.95)
    #expect(inTime(Int(slots / 2)) < 0.95)
  }

  @Test(
    "Few requests say nothing, nor do those whose times are not known; old ones fade, a long silence is stepped over")
  func memory() throws {
    let objective = Self.objective(1, 95)
    func slots(_ pools: RehearsedPools) -> Double? { pools.slots(lateShare: 0.05, objective, Self.instant) }
    #expect(slots(Self.pools([5, 5, 5], occupied: 1, objective: 1)) == nil)
    #expect(slots(Self.pools([500, 500], occupied: nil, objective: 1)) == nil)
    var pools = Self.pools([0, 0, 500], occupied: 1, objective: 1)
    #expect(try #require(slots(pools)) > 200)
    for second in 200_000..<200_600 {
      pools.add(2, from: .seconds(second), to: .seconds(Double(second) + 0.999))
      pools.advance(to: .seconds(second + 1), occupied: 1, objective: 1)
    }
    #expect(try #require(slots(pools)) < 5)
  }

  @Test("At another time of the clock it is the same")
  func translation() {
    var random = SplitMix(seed: 4)
    let arrivals = (0..<400).map { _ in Double(random.next() % 9) }
    func slots(from start: Int) -> Double? {
      Self.pools(arrivals, occupied: 3, objective: 1, from: start)
        .slots(lateShare: 0.02, Self.objective(1), Self.instant)
    }
    #expect(slots(from: 10) == slots(from: 90_010))
  }
}

@Suite struct LateRequestsTests {
  static func window(_ arrivals: [Double]) -> LoadWindow {
    var window = LoadWindow(span: .seconds(60))
    for (second, count) in arrivals.enumerated() {
      window.add(count, from: .seconds(second), to: .seconds(Double(second) + 0.999))
    }
    return window
  }

  @Test("Of the 10 who came 2 to 3 s ago, those are late who are held beside the ones that came since")
  func counts() {
    let requests = Self.window([10, 3, 2])
    for (held, late) in [(0, 0.0), (5, 0), (9, 4), (15, 10), (99, 10)] {
      var record = LateRequests()
      record.note(requests, held: held, patience: 2, now: .seconds(3))
      #expect(abs(record.total - 10) < 1e-9 && abs(record.late - late) < 1e-9, "\(held): \(record.late)")
      // A second look at the same moment adds nothing.
      record.note(requests, held: held, patience: 2, now: .seconds(3))
      #expect(abs(record.total - 10) < 1e-9)
    }
  }

  @Test("What was spent is saved, what was saved may be spent, within bounds")
  func allowed() {
    let objective = RehearsedPoolsTests.objective(2, 99)
    // 1000 requests, n of them late: 1 % + (10 - n) / 1000, between 0.02 % and 2 %.
    for (late, share) in [(0.0, 0.02), (5, 0.015), (10, 0.01), (15, 0.005), (200, 0.0002)] {
      var record = LateRequests()
      record.note(Self.window([1000, 0]), held: Int(late), patience: 1, now: .seconds(2))
      #expect(abs(record.allowedShare(objective) - share) < 1e-9, "\(late)")
      #expect(abs((record.inTimeShare ?? 0) - (1 - late / 1000)) < 1e-9)
    }
    #expect(abs(LateRequests().allowedShare(objective) - 0.01) < 1e-12)
    #expect(LateRequests().inTimeShare == nil)
  }

  @Test("After an hour it counts half: half of the deficit is forgotten")
  func fades() {
    var record = LateRequests()
    record.note(Self.window([1000, 0]), held: 100, patience: 1, now: .seconds(2))
    record.note(LoadWindow(span: .seconds(60)), held: 0, patience: 1, now: .seconds(3602))
    #expect(abs(record.late - 50) < 1e-9 && abs(record.total - 500) < 1e-9)
  }
}
