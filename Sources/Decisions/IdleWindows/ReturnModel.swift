import Glibc

/// How likely it is that a silence ends in each step of ``IdleGrid``, given that it has lasted until then.
///
/// A discrete-time hazard model (Singer and Willett, 1993): the log-odds of each step are a sum of one weight for the step, one
/// per thing known when the silence began, and what the model's own silences say against those of all. The weights are shared
/// by all models and learned from every silence of every model, each once and as it ends, by stochastic gradient descent with
/// AdaGrad's step sizes (Duchi et al., 2011). A model that nothing is known of yet is thus told from the others.
struct ReturnModel: Hashable, Sendable {
  /// What the log-odds depend on.
  private enum Feature {
    static let scale = 0
    static let age = 1
    static let peak = 2
    static let yesterday = 3
    static let timer = 4
    static let phase = 5
    static let turns = 6
    static let count = 7
    static let buckets = 24
  }
  private static let rate = 0.15
  /// Timers repeat exactly: what they say is learned faster.
  private static let timerRate = 0.4
  /// Log-odds before anything was seen: one silence in ten ends in a step, as with a Pareto tail of exponent 0.6.
  private static let prior = -2.2
  /// Silences of all that count beside a model's own.
  private static let weightOfAll = 5.0
  /// Many callers are timers, on the minutes of a clock: seconds into ten minutes, in steps of 25.
  private static let timerPeriod = 600.0

  private var base = [Double](repeating: prior, count: IdleGrid.steps)
  private var baseSquares = [Double](repeating: 1, count: IdleGrid.steps)
  private var weights = [Double](repeating: 0, count: Feature.count * Feature.buckets * IdleGrid.groups)
  private var squares = [Double](repeating: 0.3, count: Feature.count * Feature.buckets * IdleGrid.groups)
  /// Silences of all models that reached a step, and that ended in it; begun with the prior.
  private var reached = [Double](repeating: 5, count: IdleGrid.steps)
  private var ended = [Double](repeating: 0.5, count: IdleGrid.steps)
  /// Silences of more than a second learned from.
  private(set) var learned = 0

  /// One step, seen from one silence.
  private struct Sight {
    var logit: Double
    /// Where the weights of each feature are, the timer last.
    var slots: (Int, Int, Int, Int, Int, Int, Int)
    var probability: Double { 1 / (1 + exp(-logit)) }
  }

  /// For each step, the chance that a silence which has lasted until then ends in it.
  func chances(_ idle: IdleMoment, _ history: IdleHistory) -> [Double] {
    var survivors = history.counted
    return (0..<IdleGrid.steps).map { step in
      defer { survivors -= history.counts[step] }
      return sight(step, idle, history, survivors: survivors).probability
    }
  }

  /// Learns from a silence of more than a second.
  mutating func learn(_ gap: Double, _ idle: IdleMoment, _ history: IdleHistory) {
    guard let end = IdleGrid.step(of: gap) else { return }
    learned += 1
    var survivors = history.counted
    for step in 0...min(end, IdleGrid.steps - 1) {
      let sight = sight(step, idle, history, survivors: survivors)
      survivors -= history.counts[step]
      let outcome = step == end ? 1.0 : 0
      let gradient = sight.probability - outcome
      baseSquares[step] += gradient * gradient
      base[step] -= Self.rate * gradient / baseSquares[step].squareRoot()
      let slots = sight.slots
      descend(slots.0, gradient, Self.rate)
      descend(slots.1, gradient, Self.rate)
      descend(slots.2, gradient, Self.rate)
      descend(slots.3, gradient, Self.rate)
      descend(slots.4, gradient, Self.rate)
      descend(slots.5, gradient, Self.rate)
      descend(slots.6, gradient, Self.timerRate)
      reached[step] += 1
      ended[step] += outcome
    }
  }

  private mutating func descend(_ slot: Int, _ gradient: Double, _ rate: Double) {
    squares[slot] += gradient * gradient
    weights[slot] -= rate * gradient / squares[slot].squareRoot()
  }

  private func sight(_ step: Int, _ idle: IdleMoment, _ history: IdleHistory, survivors: Double) -> Sight {
    let (from, to) = (idle.start + IdleGrid.edges[step], idle.start + IdleGrid.edges[step + 1])
    let group = IdleGrid.group(of: step)
    let slots = (
      Self.slot(Feature.scale, idle.scale, group), Self.slot(Feature.age, idle.age, group),
      Self.slot(Feature.peak, idle.peak, group),
      Self.slot(Feature.yesterday, history.yesterday(from: from, to: to).rawValue, group),
      Self.slot(Feature.phase, Self.phase(of: idle.start), group), Self.slot(Feature.turns, idle.turns, group),
      Self.slot(Feature.timer, Self.phase(of: from), group)
    )
    var logit = base[step] + weights[slots.0] + weights[slots.1] + weights[slots.2] + weights[slots.3]
    logit += weights[slots.4] + weights[slots.5] + weights[slots.6]
    let all = ended[step] / reached[step]
    let own = (history.counts[step] + Self.weightOfAll * all) / (max(0, survivors) + Self.weightOfAll)
    logit += Self.logOdds(own) - Self.logOdds(all)
    return Sight(logit: logit, slots: slots)
  }

  private static func logOdds(_ chance: Double) -> Double { log(chance / max(1e-9, 1 - chance)) }

  /// The bucket of a moment's place within ten minutes of the clock.
  private static func phase(of moment: Double) -> Int {
    Int(moment.truncatingRemainder(dividingBy: timerPeriod) / timerPeriod * Double(Feature.buckets))
  }

  private static func slot(_ feature: Int, _ bucket: Int, _ group: Int) -> Int {
    (feature * Feature.buckets + min(Feature.buckets - 1, max(0, bucket))) * IdleGrid.groups + group
  }
}

// MARK: - Kept through restarts

extension ReturnModel {
  private static let version: UInt8 = 2

  var packed: [UInt8] {
    var writer = PackedWriter()
    writer.put(Self.version)
    writer.put(UInt32(clamping: learned))
    for value in base + baseSquares + weights + squares + reached + ended { writer.put(single: value) }
    return writer.bytes
  }

  init(packed bytes: [UInt8]) throws(UnreadableIdleMemory) {
    var reader = PackedReader(bytes)
    let version = reader.integer(UInt8.self)
    guard version == Self.version else {
      throw UnreadableIdleMemory(
        "version \(version.map { "\($0)" } ?? "none"); this program reads version \(Self.version)")
    }
    // Squares and counts only grow from where they begin: less would divide by next to nothing.
    guard let learned = reader.integer(UInt32.self), let base = reader.singles(self.base.count),
      let baseSquares = reader.singles(self.baseSquares.count, least: 0.1),
      let weights = reader.singles(self.weights.count),
      let squares = reader.singles(self.squares.count, least: 0.1),
      let reached = reader.singles(self.reached.count, least: 1),
      let ended = reader.singles(self.ended.count, least: 0.1), zip(ended, reached).allSatisfy({ $0 <= $1 }),
      reader.isAtEnd
    else {
      throw UnreadableIdleMemory("\(bytes.count) bytes that are no \(Self.packedBytes), or a number is out of range")
    }
    (self.base, self.baseSquares, self.weights, self.squares) = (base, baseSquares, weights, squares)
    (self.reached, self.ended, self.learned) = (reached, ended, Int(learned))
  }

  /// Length of ``packed``.
  static let packedBytes = 5 + 4 * (4 * IdleGrid.steps + 2 * Feature.count * Feature.buckets * IdleGrid.groups)
}

extension IdleHistory {
  /// Whether there was activity a day before a time span.
  fileprivate func yesterday(from: Double, to: Double) -> ActivityBits.Share {
    guard let firstSeen, from - 86_400 >= firstSeen else { return .unknown }
    return activity.share(from: from - 86_400, to: to - 86_400)
  }
}
