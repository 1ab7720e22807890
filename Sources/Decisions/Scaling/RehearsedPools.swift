/// How pools of every size would have done with the arrivals of late: the share of requests that each would have kept waiting.
///
/// A queueing formula knows arrivals by a mean and a variation, and underrates bursts: with few requests between them it says
/// that almost nobody waits. So the arrivals themselves are played through imagined pools, second by second. A pool of `c`
/// slots has `x` requests; of those in a slot a share `1 - exp(-1/S)` ends per second, where each takes `S` seconds, so that a
/// full pool ends `c / S` of them (a fluid model of the queue M/M/c). Who comes while `x` are there waits about
/// `(x - c) S / c` seconds, which is at most `b` if `x <= c (1 + b / S)`. Requests of one second may have come at one moment,
/// and how long they take varies: `x` is taken with all of them, and one standard deviation of that larger
/// (`sqrt(x / 2)`: the half of a Poisson number's variance that comes from the times in a slot; the other half is in the
/// arrivals themselves).
///
/// Bounded: 128 pools, each with a number and five counts.
struct RehearsedPools: Hashable, Sendable {
  /// Waits that are allowed, as parts of the objective: 0, 1/4, 1/2, 3/4 and all of it.
  private static let budgets = 5
  /// Pools per doubling of the slots.
  private static let poolsPerDoubling = 8.0
  private static let pools = 128
  /// After so long, in seconds, a request counts half.
  static let halfLife = 1800.0
  /// Fewer requests say nothing.
  static let fewest = 20.0
  /// Gateways' reports of a second are in by then, in seconds.
  private static let settling: Int64 = 2
  /// Seconds that are made up for after a silence.
  private static let longest: Int64 = 200

  private static let slots: [Float] = (0..<pools).map {
    Float(ElementaryFunctions.exponential(Double($0) / poolsPerDoubling * 0.6931471805599453))
  }

  private var arrivals = LoadWindow(span: .seconds(8))
  /// Requests at each pool, waiting ones included.
  private var present = [Float](repeating: 0, count: pools)
  /// Requests that would have waited for longer, by allowed wait and pool.
  private var late = [Float](repeating: 0, count: budgets * pools)
  private var total = 0.0
  /// The last second that was played.
  private var settled: Int64?
  private var decayedAt: Int64 = 0

  /// Arrivals, spread evenly between two moments.
  mutating func add(_ count: Double, from start: Duration, to end: Duration) {
    arrivals.add(count, from: max(start, end - .seconds(6)), to: end)
  }

  /// Plays the seconds that are over by `now`.
  /// - Parameters:
  ///   - occupied: mean time that a request occupies a slot, in seconds; nil: not known yet, and what came is not judged.
  ///   - objective: seconds to the first token.
  mutating func advance(to now: Duration, occupied: Double?, objective: Double) {
    let last = now.components.seconds - Self.settling
    let first = max(settled.map { $0 + 1 } ?? last, last - Self.longest + 1)
    guard first <= last else { return }
    decay(to: last)
    settled = last
    guard let occupied, occupied > 0 else { return }
    let staying = Float(ElementaryFunctions.exponential(-1 / occupied))
    for second in first...last {
      let count = Float(arrivals.amount(in: second))
      // The smallest pool is the last to be empty.
      if count == 0, present[0] < 1e-3 { continue }
      if count > 0 { judge(count, Float(occupied), Float(objective)) }
      play(count, Float(occupied), staying)
    }
  }

  private mutating func judge(_ count: Float, _ occupied: Float, _ objective: Float) {
    total += Double(count)
    for budget in 0..<Self.budgets {
      let patience = 1 + Float(budget) / Float(Self.budgets - 1) * objective / occupied
      for pool in 0..<Self.pools {
        let there = present[pool] + count
        let most = there + (there / 2).squareRoot()
        // The slots only grow, and what is there only falls: the rest is in time.
        if most <= Self.slots[pool] * patience { break }
        late[budget * Self.pools + pool] += count
      }
    }
  }

  private mutating func play(_ count: Float, _ occupied: Float, _ staying: Float) {
    for pool in 0..<Self.pools {
      let slots = Self.slots[pool]
      let there = present[pool] + count
      if there <= slots {
        present[pool] = there * staying
        continue
      }
      let ended = slots / occupied
      let waiting = there - slots
      // Who waits fills the slots for as much of the second as it takes.
      present[pool] =
        waiting >= ended ? there - ended : slots * (staying + (1 - staying) * waiting / ended)
    }
  }

  /// The least slots with which no more than a share of the requests would have been late, of those that can be in time at all.
  /// - Returns: nil: too few were seen, or none can be in time.
  func slots(lateShare: Double, _ objective: LatencyObjective, _ firstToken: SampleSums) -> Double? {
    guard total >= Self.fewest else { return nil }
    let (weights, best) = Self.weights(objective, firstToken)
    guard best > 0 else { return nil }
    var before = 1.0
    for pool in 0..<Self.pools {
      var share = 0.0
      for budget in 0..<Self.budgets { share += weights[budget] * Double(late[budget * Self.pools + pool]) }
      share /= best * total
      guard share <= lateShare else {
        before = share
        continue
      }
      let slots = Double(Self.slots[pool])
      guard pool > 0, before > share else { return slots }
      let below = Double(Self.slots[pool - 1])
      return below + (slots - below) * min(1, max(0, (before - lateShare) / (before - share)))
    }
    return Double(Self.slots[Self.pools - 1])
  }

  /// Which part of the objective is left for waiting, by share of the requests: linear between the budgets. And the share for
  /// which any is left.
  private static func weights(_ objective: LatencyObjective, _ firstToken: SampleSums) -> ([Double], Double) {
    var weights = [Double](repeating: 0, count: budgets)
    var best = 0.0
    let steps = Double(budgets - 1)
    for (time, weight) in FirstTokenTimes(firstToken).points where time <= objective.seconds {
      best += weight
      let place = (objective.seconds - time) / objective.seconds * steps
      let below = min(budgets - 2, Int(place))
      weights[below] += weight * (Double(below + 1) - place)
      weights[below + 1] += weight * (place - Double(below))
    }
    return (weights, best)
  }

  private mutating func decay(to second: Int64) {
    guard decayedAt > 0 else {
      decayedAt = second
      return
    }
    guard second - decayedAt >= 60 else { return }
    let weight = ElementaryFunctions.exponential(-0.6931471805599453 * Double(second - decayedAt) / Self.halfLife)
    for index in late.indices { late[index] *= Float(weight) }
    total *= weight
    decayedAt = second
  }
}
