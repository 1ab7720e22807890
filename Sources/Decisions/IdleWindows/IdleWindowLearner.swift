/// Chooses how long an idle model stays awake (`sleepAfter: Auto`), and learns from how its silences ended.
///
/// One learner serves all models of an installation: each has an ``IdleHistory`` of its own. The window chosen has the least
/// expected cost, in replica-seconds: the replica's time until the next request or the end of the window, and the price of a
/// wake if the request comes later. This is the ski rental problem with a learned distribution (Karlin et al., 1994); a
/// window equal to the price of a wake, which never costs more than twice the best, is what comes out while nothing is known.
///
/// Where it may wake models ahead of a request that is expected, it plans a silence twice, with such wakes and without. When
/// the silence is over, it is known what each plan would have cost, whichever was followed. A model is woken ahead while that
/// has been worth it: for it, or for all models as long as it has shown little (to follow the leader of two experts with full
/// information; Cesa-Bianchi and Lugosi, "Prediction, Learning, and Games", 2006).
public struct IdleWindowLearner: Hashable, Sendable {
  private var model = ReturnModel()
  /// Of all models.
  private var ahead = AheadRecord()
  /// Share by which each silence ages those before it, of all models: half is forgotten after 1,386.
  private static let memory = 0.9995

  public init() {}

  /// Goes on from what an earlier one had learned. - Throws: ``UnreadableIdleMemory``.
  public init(packed bytes: [UInt8]) throws(UnreadableIdleMemory) {
    // What was kept before wakes ahead were known ends with the model.
    model = try ReturnModel(packed: Array(bytes.prefix(ReturnModel.packedBytes)))
    guard bytes.count > ReturnModel.packedBytes else { return }
    guard let record = AheadRecord(packed: Array(bytes.dropFirst(ReturnModel.packedBytes))) else {
      throw UnreadableIdleMemory("its record of wakes ahead has not two numbers, or one is out of range")
    }
    ahead = record
  }

  /// All that was learned, in some 14 KB: numbers with seven digits, and a version.
  public var packed: [UInt8] {
    var writer = PackedWriter()
    ahead.pack(into: &writer)
    return model.packed + writer.bytes
  }

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
  ///   - wakesAhead: a replica may be started for a request that is only expected.
  public func begin(
    _ history: inout IdleHistory, at moment: Double, loadSeconds: Double, waitingPrice: Double, wakesAhead: Bool = false
  ) -> IdleWindowChoice {
    let idle = history.begin(at: moment)
    let load = max(0, loadSeconds)
    let price = max(0, waitingPrice) + load * history.loneShare
    let chances = model.chances(idle, history)
    var choice = choose(chances, wakePrice: price)
    choice.gaps = history.gaps
    history.rivals = nil
    if wakesAhead {
      let plan = SilencePlan.leastCost(chances: chances, loadSeconds: load, wakePrice: price)
      history.rivals = RivalPlans(
        staying: SilencePlan(window: choice.window), ahead: plan, loadSeconds: load, wakePrice: price)
      if !plan.ahead.isEmpty, history.ahead.meanGain(beside: ahead) > 0 {
        (choice.window, choice.ahead) = (plan.window, plan.ahead)
      }
    }
    choice.shareEnded = history.shareEnded(within: choice.window)
    return choice
  }

  /// The next request came. Does nothing if no silence was begun.
  public mutating func end(_ history: inout IdleHistory, at moment: Double) {
    guard let idle = history.pending else { return }
    let gap = max(0, moment - idle.start)
    model.learn(gap, idle, history)
    if gap > IdleGrid.edges[0], let gain = history.rivals?.gain(of: gap) {
      ahead.add(gain, memory: Self.memory)
      history.ahead.add(gain, memory: IdleHistory.memory)
    }
    history.end(after: gap, from: idle.start)
  }

  private func choose(_ chances: [Double], wakePrice price: Double) -> IdleWindowChoice {
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
    return best
  }
}
