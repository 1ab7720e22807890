/// A replica that is started in a silence, ahead of a request that is expected. Seconds from the silence's beginning.
public struct WakeAhead: Codable, Hashable, Sendable {
  /// When it is started: a load time before the request is expected at the earliest.
  public var from: Double
  /// When it goes, if no request has come.
  public var until: Double
  public init(from: Double, until: Double) {
    self.from = from
    self.until = until
  }
}

/// What an idle model does while its silence lasts: it stays awake for a window, and may be awake again later.
struct SilencePlan: Hashable, Sendable {
  /// More are not planned: each is one more replica that may be started for nothing.
  static let mostWakes = 4

  /// Seconds from the silence's beginning.
  var window: Double
  /// In order of time, apart from each other and past the window; at most ``mostWakes``.
  var ahead: [WakeAhead] = []

  /// What a silence of so many seconds costs under it, in replica-seconds.
  /// - Parameters:
  ///   - loadSeconds: of it, a replica that is started ahead takes no requests.
  ///   - wakePrice: of a request that finds no replica.
  func cost(of gap: Double, loadSeconds: Double, wakePrice: Double) -> Double {
    guard gap > window else { return gap }
    var paid = window
    for wake in ahead where gap > wake.from {
      if gap > wake.until {
        paid += wake.until - wake.from
      } else if gap < wake.from + loadSeconds {
        return paid + loadSeconds + wakePrice
      } else {
        return paid + gap - wake.from
      }
    }
    return paid + wakePrice
  }
}

extension SilencePlan {
  /// The plan of least expected cost: found backwards from the end of ``IdleGrid``, since what is best in a step depends only
  /// on whether a replica is there and on what is best after it (R. Bellman, "Dynamic Programming", 1957).
  ///
  /// - Parameters:
  ///   - chances: for each step, that a silence which has lasted until then ends in it.
  ///   - loadSeconds: what starting a replica costs, and how long before a step it must be started.
  static func leastCost(chances: [Double], loadSeconds: Double, wakePrice: Double) -> SilencePlan {
    let edges = IdleGrid.edges
    // What is still to come where a replica is there, and where none is; past the grid none is.
    var (awake, asleep) = (wakePrice, wakePrice)
    var staysAwake = [Bool](repeating: false, count: IdleGrid.steps)
    var wakes = staysAwake
    for step in (0..<IdleGrid.steps).reversed() {
      let (chance, length) = (chances[step], edges[step + 1] - edges[step])
      let there = chance * length / 2 + (1 - chance) * (length + awake)
      let away = chance * wakePrice + (1 - chance) * asleep
      staysAwake[step] = there <= away
      wakes[step] = loadSeconds + there < away
      awake = min(there, away)
      asleep = min(loadSeconds + there, away)
    }
    return followed(staysAwake, wakes, loadSeconds)
  }

  private static func followed(_ staysAwake: [Bool], _ wakes: [Bool], _ loadSeconds: Double) -> SilencePlan {
    let edges = IdleGrid.edges
    var plan = SilencePlan(window: edges[0])
    var (isAwake, isFirst) = (true, true)
    for step in 0..<IdleGrid.steps {
      if isAwake {
        if staysAwake[step] {
          plan.extend(to: edges[step + 1], isFirst: isFirst)
        } else {
          (isAwake, isFirst) = (false, false)
        }
      } else if wakes[step], plan.ahead.count < mostWakes {
        let end = plan.ahead.last?.until ?? plan.window
        plan.ahead.append(WakeAhead(from: max(end, edges[step] - loadSeconds), until: edges[step + 1]))
        isAwake = true
      }
    }
    return plan
  }

  private mutating func extend(to edge: Double, isFirst: Bool) {
    if isFirst { window = edge } else { ahead[ahead.count - 1].until = edge }
  }
}
