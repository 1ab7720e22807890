/// Chooses how long an idle model stays awake (`sleepAfter: Auto`), and learns from how its silences ended.
///
/// One learner serves all models of an installation: each has an ``IdleHistory`` of its own. The window chosen has the least
/// expected cost, in replica-seconds: the replica's time until the next request or the end of the window, and what waiting for
/// a wake is worth if the request comes later. This is the ski rental problem with a learned distribution (Karlin et al.,
/// 1994). The time of the load is left out of a wake's price: it puts off the next silence, and on the logs that were
/// looked at that is worth about as much.
///
/// Where it may do more than wait for a window of ``leastWindow`` or more, it also makes a plan that may sleep sooner and wake
/// the model ahead of a request that is expected. When the silence is over, it is known what both would have cost, whichever
/// was followed. The plan is followed while that has been worth it: for this model, or for all models as long as it has shown
/// little (to follow the leader of two experts with full information; Cesa-Bianchi and Lugosi, "Prediction, Learning, and
/// Games", 2006).
public struct IdleWindowLearner: Hashable, Sendable {
  /// `sleepAfter: Auto` is no shorter, in seconds: each sleep and wake is work for the cluster that no price tells.
  public static let leastWindow = 60.0

  private var model = ReturnModel()
  /// Of all models.
  private var ahead = AheadRecord()
  /// Share by which each silence ages those before it, of all models: half is forgotten after 1,386.
  private static let memory = 0.9995

  public init() {}

  /// Goes on from what an earlier one had learned. - Throws: ``UnreadableIdleMemory``.
  public init(packed bytes: [UInt8]) throws(UnreadableIdleMemory) {
    model = try ReturnModel(packed: Array(bytes.prefix(ReturnModel.packedBytes)))
    guard let record = AheadRecord(packed: Array(bytes.dropFirst(ReturnModel.packedBytes))) else {
      throw UnreadableIdleMemory("its record of wakes ahead has not two numbers, or one is out of range")
    }
    ahead = record
  }

  /// All that was learned, in some 27 KB: numbers with seven digits, and a version.
  public var packed: [UInt8] {
    var writer = PackedWriter()
    ahead.pack(into: &writer)
    return model.packed + writer.bytes
  }

  /// Silences of more than a second learned from, of all models.
  public var learned: Int { model.learned }

  /// A model has become idle.
  /// - Parameters:
  ///   - moment: when its last request ended, in seconds since 1970.
  ///   - loadSeconds: from the start of a replica until it takes requests.
  ///   - waitingPrice: what the waiting for one wake is worth, in replica-seconds.
  ///   - wakesAhead: a replica may be started for a request that is only expected, and go sooner than ``leastWindow``.
  public func begin(
    _ history: inout IdleHistory, at moment: Double, loadSeconds: Double, waitingPrice: Double, wakesAhead: Bool = false
  ) -> IdleWindowChoice {
    let idle = history.begin(at: moment)
    let (load, price) = (max(0, loadSeconds), max(0, waitingPrice))
    let chances = model.chances(idle, history)
    let windows = WindowCosts(chances, wakePrice: price)
    var choice = windows.best
    history.rivals = nil
    if wakesAhead {
      let plan = SilencePlan.leastCost(chances: chances, loadSeconds: load, wakePrice: price)
      history.rivals = RivalPlans(
        staying: SilencePlan(window: choice.window), ahead: plan, loadSeconds: load, wakePrice: price)
      if history.ahead.meanGain(beside: ahead) > 0 {
        choice = windows.choice(of: plan.window)
        choice.ahead = plan.ahead
      }
    }
    choice.gaps = history.gaps
    choice.shareEnded = history.shareEnded(within: choice.window)
    return choice
  }

  /// The next request came. Does nothing if no silence was begun.
  public mutating func end(_ history: inout IdleHistory, at moment: Double) {
    guard let idle = history.pending else { return }
    let gap = max(0, moment - idle.start)
    model.learn(gap, idle, history)
    if let gain = history.rivals?.gain(of: gap), gain != 0 {
      ahead.add(gain, memory: Self.memory)
      history.ahead.add(gain, memory: IdleHistory.memory)
    }
    history.end(after: gap, from: idle.start)
  }
}

/// What each window of ``IdleGrid`` is expected to cost in a silence that has lasted its first second.
private struct WindowCosts {
  private let price: Double
  /// By edge: the chance that the silence lasts longer, and what is paid on average where it does not.
  private var goesOn = [1.0]
  private var paid = [0.0]

  init(_ chances: [Double], wakePrice: Double) {
    price = wakePrice
    let edges = IdleGrid.edges
    for step in 0..<IdleGrid.steps {
      paid.append(paid[step] + goesOn[step] * chances[step] * (edges[step] + edges[step + 1]) / 2)
      goesOn.append(goesOn[step] * (1 - chances[step]))
    }
  }

  /// The window of least cost, of those that ``IdleWindowLearner/leastWindow`` allows.
  var best: IdleWindowChoice {
    let allowed = IdleGrid.edges.indices.filter { IdleGrid.edges[$0] >= IdleWindowLearner.leastWindow }
    return choice(at: allowed.min { cost(at: $0) < cost(at: $1) } ?? IdleGrid.steps)
  }

  /// - Parameter window: an edge of the grid.
  func choice(of window: Double) -> IdleWindowChoice {
    choice(at: IdleGrid.edges.firstIndex { $0 >= window } ?? IdleGrid.steps)
  }

  private func cost(at edge: Int) -> Double { paid[edge] + goesOn[edge] * (IdleGrid.edges[edge] + price) }

  private func choice(at edge: Int) -> IdleWindowChoice {
    IdleWindowChoice(
      window: IdleGrid.edges[edge], wakePrice: price, returnChance: 1 - goesOn[edge], expectedCost: cost(at: edge))
  }
}
