/// Finds in which idle periods one model's lone replica should have stayed, and in which it should have gone at once: the least
/// cost of all ways to choose, if only requests wake it.
///
/// A request that finds the replica empty finds it awake or asleep, and what comes after depends on nothing else. So the
/// cheapest way is a shortest path (Viterbi, 1967): where several ways lead to the same of the two, the cheapest is kept. Only
/// what is still busy or loading differs; those few ways are held side by side until one has won.
///
/// A replica that stayed can do whatever one that is woken does, at the same moments or sooner. So no way is begun in which it
/// went, where staying costs no more than waking. Where more requests at once make each slower (``ServiceTimes/secondsPerBatchedRequest``), "or sooner"
/// need not hold, and there may be a way that is cheaper by a little.
struct ClairvoyantSearch: Sendable {
  private struct Way {
    var replica = LoneReplica()
    /// Of all that is over, in replica-microseconds.
    var cost: Int64 = 0
    /// What it chose in the idle periods that are not settled yet: it stayed.
    var choices: [Bool] = []
    /// What its replica cost until it became idle.
    var untilIdle: Int64 { cost + replica.latestEnd - replica.busySince }
  }

  /// What is known after a request.
  enum Progress {
    /// Not more than before.
    case open
    /// All idle periods before the one that this request ends.
    case before([Bool])
    /// That one too.
    case all([Bool])
  }

  /// More ways at once are not held: the dearest are dropped. It takes a cold start that costs next to nothing to have so many.
  static let mostWays = 64

  private let price: Int64
  private let limit: Int
  private let service: ServiceTimes
  private var ways = [Way()]
  private var tally: RequestTally
  private var account = ModelAccount()

  /// - Parameter price: of a cold start, beside its load time, in replica-microseconds.
  init(price: Int64, _ settings: SimulationSettings) {
    self.price = price
    limit = settings.maxConcurrency
    service = settings.service
    tally = RequestTally(settings)
  }

  /// - Parameter loadTime: of a replica that this request wakes.
  mutating func take(_ request: PendingRequest, loadTime: Int64) -> Progress {
    var (idle, busy): ([Way], [Way]) = ([], [])
    for index in ways.indices {
      ways[index].replica.settle(to: request.arrival, service, &tally, &account)
      if ways[index].replica.isIdle {
        idle.append(ways[index])
      } else {
        ways[index].replica.take(request, limit: limit, service, &tally, &account)
        busy.append(ways[index])
      }
    }
    let begun = begun(idle, request, loadTime)
    ways = busy + begun
    if ways.count > Self.mostWays {
      ways = Array(ways.sorted { $0.untilIdle < $1.untilIdle }.prefix(Self.mostWays))
    }
    return progress(isForked: begun.count == 2 && busy.isEmpty)
  }

  /// The cheapest ways on which the request finds the replica awake, and asleep.
  private mutating func begun(_ idle: [Way], _ request: PendingRequest, _ loadTime: Int64) -> [Way] {
    guard let first = idle.first else { return [] }
    guard first.replica.hasRun else {
      return [next(Way(), choice: nil, cost: loadTime + price, request, startsAt: request.arrival + loadTime)]
    }
    func staying(_ way: Way) -> Int64 { way.untilIdle + request.arrival - way.replica.latestEnd }
    let stays = idle.dropFirst().reduce(first) { staying($1) < staying($0) ? $1 : $0 }
    let goes = idle.dropFirst().reduce(first) { $1.untilIdle < $0.untilIdle ? $1 : $0 }
    var begun = [next(stays, choice: true, cost: staying(stays), request, startsAt: request.arrival)]
    if staying(stays) > goes.untilIdle + price {
      let cost = goes.untilIdle + loadTime + price
      begun.append(next(goes, choice: false, cost: cost, request, startsAt: request.arrival + loadTime))
    }
    return begun
  }

  private mutating func next(
    _ way: Way, choice: Bool?, cost: Int64, _ request: PendingRequest, startsAt: Int64
  ) -> Way {
    var next = Way(cost: cost, choices: way.choices + (choice.map { [$0] } ?? []))
    next.replica.startsAt = startsAt
    next.replica.take(request, limit: limit, service, &tally, &account)
    return next
  }

  private mutating func progress(isForked: Bool) -> Progress {
    if ways.count == 1 {
      defer { ways[0].choices = [] }
      return .all(ways[0].choices)
    }
    guard isForked, ways[0].choices.dropLast() == ways[1].choices.dropLast() else { return .open }
    let settled = Array(ways[0].choices.dropLast())
    for index in ways.indices { ways[index].choices.removeFirst(settled.count) }
    return .before(settled)
  }

  /// What the cheapest way chose in the idle periods that are not settled yet: no more requests come.
  mutating func finish() -> [Bool] {
    for index in ways.indices { ways[index].replica.settle(to: .max, service, &tally, &account) }
    return ways.min { $0.untilIdle < $1.untilIdle }?.choices ?? []
  }
}
