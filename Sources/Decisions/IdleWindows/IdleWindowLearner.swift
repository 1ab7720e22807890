/// Chooses how long an idle model stays awake (`sleepAfter: Auto`), and learns from how its silences ended.
///
/// One learner serves all models of an installation: each has an ``IdleHistory`` of its own. The window chosen has the least
/// expected cost, in replica-seconds: the replica's time until the next request or the end of the window, and the price of a
/// wake if the request comes later. This is the ski rental problem with a learned distribution (Karlin et al., 1994); a
/// window equal to the price of a wake, which never costs more than twice the best, is what comes out while nothing is known.
public struct IdleWindowLearner: Hashable, Sendable {
  private var model = ReturnModel()

  public init() {}

  /// Goes on from what an earlier one had learned. - Throws: ``UnreadableIdleMemory``.
  public init(packed: [UInt8]) throws(UnreadableIdleMemory) { model = try ReturnModel(packed: packed) }

  /// All that was learned, in some 14 KB: numbers with seven digits, and a version.
  public var packed: [UInt8] { model.packed }

  /// Silences of more than a minute learned from, of all models.
  public var learned: Int { model.learned }

  /// A model has become idle.
  ///
  /// A wake costs the waiting of its callers, and the load time as far as the replica would not have run then anyway: where
  /// a wake's first request brings others, it would have.
  /// - Parameters:
  ///   - moment: when its last request ended, in seconds since 1970.
  ///   - loadSeconds: from the start of a replica until it takes requests.
  ///   - waitingPrice: what the waiting for one wake is worth, in replica-seconds.
  public func begin(
    _ history: inout IdleHistory, at moment: Double, loadSeconds: Double, waitingPrice: Double
  ) -> IdleWindowChoice {
    let idle = history.begin(at: moment)
    let price = max(0, waitingPrice) + max(0, loadSeconds) * history.loneShare
    return choose(idle, history, wakePrice: price)
  }

  /// The next request came. Does nothing if no silence was begun.
  public mutating func end(_ history: inout IdleHistory, at moment: Double) {
    guard let idle = history.pending else { return }
    let gap = max(0, moment - idle.start)
    model.learn(gap, idle, history)
    history.end(after: gap, from: idle.start)
  }

  private func choose(_ idle: IdleMoment, _ history: IdleHistory, wakePrice price: Double) -> IdleWindowChoice {
    let chances = model.chances(idle, history)
    let edges = IdleGrid.edges
    var best = IdleWindowChoice(window: edges[0], wakePrice: price, returnChance: 0, expectedCost: edges[0] + price)
    // Of a silence that has lasted one minute: the chance that it goes on, and what was paid for those that ended.
    var (goesOn, paid) = (1.0, 0.0)
    for step in 0..<IdleGrid.steps {
      paid += goesOn * chances[step] * (edges[step] + edges[step + 1]) / 2
      goesOn *= 1 - chances[step]
      let window = edges[step + 1]
      let cost = paid + goesOn * (window + price)
      if cost < best.expectedCost {
        best = IdleWindowChoice(window: window, wakePrice: price, returnChance: 1 - goesOn, expectedCost: cost)
      }
    }
    best.gaps = history.gaps
    best.shareEnded = history.shareEnded(within: best.window)
    return best
  }
}
