/// What the bursts of the recent past would have asked for: a distribution of slots, over requests.
///
/// A queueing formula knows arrivals by a mean and a variation, and underrates bursts: with few requests between them its
/// formula says that almost nobody waits. So each second with arrivals is looked at in the light of those before it. If `A`
/// requests came within the last `t` seconds, each occupies a slot for `S`, and all `c` slots were busy, then the last of
/// them starts once `A - c` have ended, which takes `A S / c - S`: it waits at most `b` if `c >= A S / (t + S + b)`. The most
/// that any `t` asks for is what that second needed (a service curve bound, R. L. Cruz, "A calculus for network delay", IEEE
/// Transactions on Information Theory 37/1, 1991, for servers that work on one request at a time).
///
/// Bounded: a ring of 272 s and five distributions of 128 classes.
struct BurstHistory: Hashable, Sendable {
  /// Spans of time that are looked at, in seconds.
  private static let spans = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
  private static let ringLength = 272
  /// Waits that are allowed, as parts of the objective.
  private static let budgets = [0, 0.25, 0.5, 0.75, 1]
  /// Classes per doubling of the slots.
  private static let classesPerDoubling = 8.0
  private static let classes = 128
  /// After so long a request counts half.
  static let halfLife = 1800.0
  /// Fewer requests say nothing of bursts.
  static let fewest = 50.0
  /// Gateways' reports of a second are in by then, in seconds.
  private static let settling: Int64 = 2

  private var arrivals = LoadWindow(span: .seconds(8))
  /// Arrivals until the end of a second, by its number modulo the length.
  private var totals = [Double](repeating: 0, count: ringLength)
  /// The last second that was looked at.
  private var settled: Int64?
  private var counts = [Float](repeating: 0, count: budgets.count * classes)
  private var decayedAt: Int64 = 0

  /// Arrivals, spread evenly between two moments.
  mutating func add(_ count: Double, from start: Duration, to end: Duration) {
    arrivals.add(count, from: max(start, end - .seconds(6)), to: end)
  }

  /// Looks at the seconds that are over by `now`.
  /// - Parameters:
  ///   - occupied: mean time that a request occupies a slot, in seconds; nil: not known yet, and what came is not judged.
  ///   - objective: seconds to the first token.
  mutating func advance(to now: Duration, occupied: Double?, objective: Double) {
    let last = now.components.seconds - Self.settling
    let first = max(settled.map { $0 + 1 } ?? last, last - Int64(Self.ringLength) + 1)
    guard first <= last else { return }
    decay(to: last)
    // After a long silence nothing of it is within reach.
    if let settled, settled < first - 1 {
      let total = totals[Self.place(settled)]
      for index in totals.indices { totals[index] = total }
    }
    for second in first...last {
      let count = arrivals.amount(in: second)
      totals[Self.place(second)] = totals[Self.place(second - 1)] + count
      settled = second
      if count > 0, let occupied { judge(second, count, occupied, objective) }
    }
    // Sums stay small enough to be exact.
    if totals[Self.place(last)] > 1e12 { rebase(to: totals[Self.place(last)]) }
  }

  private mutating func judge(_ second: Int64, _ count: Double, _ occupied: Double, _ objective: Double) {
    for (budget, part) in Self.budgets.enumerated() {
      var most = 0.0
      for span in Self.spans {
        let came = totals[Self.place(second)] - totals[Self.place(second - Int64(span))]
        // Those of one second may have come at one moment.
        most = max(most, came * occupied / (Double(span - 1) + occupied + part * objective))
      }
      counts[budget * Self.classes + Self.class(of: most)] += Float(count)
    }
  }

  /// The least slots with which the objective would have been met for the requests that it can be met for; nil: too few were
  /// seen.
  func slots(for objective: LatencyObjective, _ firstToken: SampleSums) -> Double? {
    let total = counts[..<Self.classes].reduce(0) { $0 + Double($1) }
    guard total >= Self.fewest else { return nil }
    // Which part of the objective is left for waiting, by share of the requests: linear between the budgets.
    var weights = [Double](repeating: 0, count: Self.budgets.count)
    var best = 0.0
    let steps = Double(Self.budgets.count - 1)
    for (time, weight) in FirstTokenTimes(firstToken).points where time <= objective.seconds {
      best += weight
      let place = (objective.seconds - time) / objective.seconds * steps
      let below = min(Self.budgets.count - 2, Int(place))
      weights[below] += weight * (Double(below + 1) - place)
      weights[below + 1] += weight * (place - Double(below))
    }
    var share = 0.0
    for index in 0..<Self.classes {
      for budget in Self.budgets.indices {
        share += weights[budget] * Double(counts[budget * Self.classes + index]) / total
      }
      if share >= objective.share * best - 1e-9 { return Self.slots(of: index) }
    }
    return Self.slots(of: Self.classes - 1)
  }

  private mutating func decay(to second: Int64) {
    guard decayedAt > 0 else {
      decayedAt = second
      return
    }
    guard second - decayedAt >= 60 else { return }
    let weight = ElementaryFunctions.exponential(-0.6931471805599453 * Double(second - decayedAt) / Self.halfLife)
    for index in counts.indices { counts[index] *= Float(weight) }
    decayedAt = second
  }

  private mutating func rebase(to total: Double) {
    for index in totals.indices { totals[index] -= total }
  }

  private static func place(_ second: Int64) -> Int {
    let place = Int(second % Int64(ringLength))
    return place < 0 ? place + ringLength : place
  }

  private static func `class`(of slots: Double) -> Int {
    guard slots > 1 else { return 0 }
    let doublings = ElementaryFunctions.logarithm(slots) / 0.6931471805599453
    return min(classes - 1, Int((doublings * classesPerDoubling - 1e-9).rounded(.up)))
  }

  /// The most slots of a class.
  private static func slots(of index: Int) -> Double {
    ElementaryFunctions.exponential(Double(index) / classesPerDoubling * 0.6931471805599453)
  }
}
