import Testing

@testable import Decisions

@Suite struct LeastReplicasTests {
  /// Measurements of `count` answers with these means (seconds) and squared coefficients of variation.
  static func service(
    firstToken: Double = 0.2, firstTokenVariation: Double = 0, occupied: Double = 1, occupiedVariation: Double = 1,
    arrivalVariation: Double = 1, count: Double = 1000
  ) -> ServiceObservation {
    func sums(_ mean: Double, _ variation: Double) -> SampleSums {
      SampleSums(count: count, sum: mean * count, squares: (variation + 1) * mean * mean * count)
    }
    return ServiceObservation(
      firstToken: sums(firstToken, firstTokenVariation), occupied: sums(occupied, occupiedVariation),
      arrivalVariation: arrivalVariation)
  }

  @Test(
    "Erlang's delay formula, against the published tables (R. B. Cooper, Introduction to Queueing Theory, appendix)",
    arguments: [
      (1, 0.5, 0.5), (2, 1, 0.333333), (3, 2, 0.444444), (5, 4, 0.554113), (10, 8, 0.409180), (20, 16, 0.256078),
      (30, 25, 0.249893), (50, 45, 0.363864), (100, 90, 0.216940), (4, 4, 1), (3, 7, 1), (5, 0, 0),
    ])
  func erlang(servers: Int, offered: Double, expected: Double) {
    #expect(abs(WaitingLine.erlangC(servers: servers, offered: offered) - expected) < 1e-6)
  }

  @Test("The exponential function and the logarithm are right to the last digits")
  func elementary() {
    for (x, value) in [(0.0, 1.0), (1, 2.718281828459045), (-1, 0.36787944117144233), (10, 22026.465794806718)] {
      #expect(abs(ElementaryFunctions.exponential(x) / value - 1) < 1e-14)
    }
    for x in [1e-9, 0.1, 0.5, 1, 1.4142, 3, 1e6] {
      #expect(abs(ElementaryFunctions.exponential(ElementaryFunctions.logarithm(x)) / x - 1) < 1e-13)
    }
    #expect(ElementaryFunctions.exponential(-1000) == 0)
  }

  @Test(
    "The least replicas of one slot each for an M/M/c queue, computed by hand",
    arguments: [
      // Arrivals/s of 1 s each, objective beyond the 0.2 s at the replica, percentile, replicas: the least c with
      // C(c, a) exp(-(c - a) t) <= 1 - p.
      (0.5, 1.0, 90, 2),  // c = 1: 0.5 e^-0.5 = 0.303; c = 2: 0.1 e^-1.5 = 0.022
      (2.0, 1.0, 95, 4),  // c = 3: 0.444 e^-1 = 0.163; c = 4: 0.174 e^-2 = 0.0235
      (8.0, 1.0, 95, 11),  // c = 10: 0.409 e^-2 = 0.0554; c = 11: 0.245 e^-3 = 0.0122
      (16.0, 0.5, 99, 22),  // c = 21: 0.171 e^-2.5 = 0.0140; c = 22: 0.111 e^-3 = 0.0055
    ])
  func table(arrivals: Double, wait: Double, percentile: Int, expected: Int) throws {
    let objective = LatencyObjective(timeToFirstToken: .seconds(0.2 + wait), percentile: percentile)
    let need = try #require(
      leastReplicas(objective, arrivals: arrivals, Self.service(), slots: 1, within: 0...100))
    func late(_ servers: Int) -> Double {
      WaitingLine.erlangC(servers: servers, offered: arrivals)
        * ElementaryFunctions.exponential(-(Double(servers) - arrivals) * wait)
    }
    #expect(late(need.replicas) <= 1 - objective.share + 1e-9)
    #expect(late(need.replicas - 1) > 1 - objective.share || Double(need.replicas - 1) <= arrivals)
    #expect(abs(need.expectedShare - (1 - late(need.replicas))) < 1e-6)
    #expect(need.replicas == expected)
  }

  @Test("Allen and Cunneen: variability stretches waits by (Ca2 + Cs2) / 2, none of it shortens them")
  func variability() {
    func line(_ variability: Double) -> WaitingLine {
      WaitingLine(
        servers: 10, arrivals: 8, service: 1, variability: variability,
        blocking: WaitingLine.erlangB(servers: 10, offered: 8))
    }
    // The mean wait of M/M/10 at 80 % is C / (c - a) = 0.2046 s; that of those who wait 0.5 s.
    #expect(abs(line(1).waitingShare / line(1).decay - 0.20459) < 1e-4)
    #expect(abs(line(3).waitingShare / line(3).decay - 3 * 0.20459) < 3e-4)
    #expect(line(0).share(waitingLongerThan: 1) < 1e-9)
  }

  @Test("Where the time at the replica alone is too long for some, the percentile is asked of the rest")
  func unreachable() throws {
    let objective = LatencyObjective(timeToFirstToken: .seconds(1), percentile: 99)
    let slow = Self.service(firstToken: 1, firstTokenVariation: 1)
    let need = try #require(leastReplicas(objective, arrivals: 3, slow, slots: 4, within: 0...100))
    #expect(need.bestShare < 0.9 && need.expectedShare >= 0.99 * need.bestShare - 1e-12)
    #expect(need.replicas < 10)
    #expect(leastReplicas(objective, arrivals: 3, Self.service(count: 0), slots: 4, within: 0...100) == nil)
  }

  @Test(
    "Never below the floor nor above the ceiling, monotone in load, no less for more company, and free of the unit of time"
  )
  func properties() throws {
    var random = SplitMix(seed: 7)
    func number(_ range: ClosedRange<Double>) -> Double {
      range.lowerBound + Double(random.next() % 10_000) / 10_000 * (range.upperBound - range.lowerBound)
    }
    for _ in 0..<400 {
      let seconds = number(0.05...3)
      let percentile = Int(random.next() % 50) + 50
      let objective = LatencyObjective(timeToFirstToken: .seconds(seconds), percentile: percentile)
      let means = (first: number(0.01...2), occupied: number(0.01...20))
      let variations = (number(0...3), number(0...3), number(0.1...50))
      func measured(_ scale: Double) -> ServiceObservation {
        Self.service(
          firstToken: means.first * scale, firstTokenVariation: variations.0, occupied: means.occupied * scale,
          occupiedVariation: variations.1, arrivalVariation: variations.2)
      }
      let arrivals = number(0...40)
      let slots = Int(random.next() % 32) + 1
      let floor = Int(random.next() % 3)
      let ceiling = floor + Int(random.next() % 60)
      func need(_ arrivals: Double, beside: Int = 0, scale: Double = 1) throws -> Int {
        let goal = LatencyObjective(timeToFirstToken: .seconds(seconds * scale), percentile: percentile)
        return try #require(
          leastReplicas(
            goal, arrivals: arrivals / scale, measured(scale), slots: slots, slotsBeside: beside,
            within: floor...ceiling)
        ).replicas
      }
      let least = try need(arrivals)
      #expect((floor...ceiling).contains(least))
      #expect(try need(arrivals * 1.3) >= least)
      #expect(try need(arrivals, beside: 5) <= least)
      #expect(try need(arrivals, scale: 4) == least)
      _ = objective
    }
  }

  @Test("Very many servers are computed in parts, and still enough")
  func large() throws {
    let objective = LatencyObjective(timeToFirstToken: .seconds(1), percentile: 99)
    var last = 0
    for arrivals in [1000.0, 4000, 4095, 4097, 8193, 20_000] {
      let need = try #require(
        leastReplicas(objective, arrivals: arrivals, Self.service(), slots: 16, within: 0...10_000))
      #expect(Double(need.replicas * 16) > arrivals && Double(need.replicas * 16) < arrivals * 1.1 + 100)
      #expect(need.replicas >= last)
      last = need.replicas
    }
  }

  @Test("The expected time to first token is what the objective was computed for, and nil where the queue grows")
  func expectation() throws {
    let service = Self.service(firstTokenVariation: 0.5)
    let objective = LatencyObjective(timeToFirstToken: .seconds(1), percentile: 95)
    let need = try #require(leastReplicas(objective, arrivals: 6, service, slots: 2, within: 0...50))
    func expected(_ replicas: Int) -> Duration? {
      expectedFirstToken(percentile: 95, arrivals: 6, service, slots: replicas * 2)
    }
    #expect(try #require(expected(need.replicas)) <= .seconds(1))
    #expect((expected(need.replicas - 1) ?? .seconds(9)) > .seconds(1))
    #expect(expected(3) == nil)
  }
}
