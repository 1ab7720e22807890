@testable import Simulation

/// The least cost of one model by plain dynamic programming, from the last request backwards: nothing is left out,
/// everything is held.
struct ShortestPath {
  /// In replica-microseconds.
  private(set) var cost: Int64 = 0
  /// Whether the replica stays, for each idle period that a request ends.
  private(set) var keeps: [Bool] = []
  /// There are several cheapest ways.
  private(set) var hasTies = false

  init(_ trace: [TraceRequest], _ settings: SimulationSettings) {
    struct Node {
      var cost: Int64 = 0
      var next: Int?
      var stays = false
      var isTie = false
    }
    let price = Int64((settings.costs.coldStartPrice * 1e6).rounded())
    let requests = trace.map { PendingRequest($0) }
    // By the request that finds the replica empty: asleep, awake.
    var nodes = Array(repeating: [Node(), Node()], count: requests.count)
    for first in requests.indices.reversed() {
      for isAwake in [false, true] {
        let model = Int(trace[first].model)
        let load = settings.loadTimes.draw(model: model, request: first, ordinal: 0)
        let (idleSince, next) = Self.busyPeriod(requests, from: first, startsAfter: isAwake ? 0 : load, settings)
        var node = Node(cost: idleSince - requests[first].arrival + (isAwake ? 0 : price), next: next)
        if let next {
          let (goes, stays) = (nodes[next][0].cost, nodes[next][1].cost + requests[next].arrival - idleSince)
          node.isTie = goes == stays
          node.stays = stays <= goes
          node.cost += min(goes, stays)
        }
        nodes[first][isAwake ? 1 : 0] = node
      }
    }
    guard var node = nodes.first?[0] else { return }
    cost = node.cost
    while let next = node.next {
      keeps.append(node.stays)
      hasTies = hasTies || node.isTie
      node = nodes[next][node.stays ? 1 : 0]
    }
  }

  /// When the replica is empty again, and the request that finds it so.
  private static func busyPeriod(
    _ requests: [PendingRequest], from first: Int, startsAfter load: Int64, _ settings: SimulationSettings
  ) -> (idleSince: Int64, next: Int?) {
    var (tally, account) = (RequestTally(settings), ModelAccount())
    var replica = LoneReplica()
    replica.startsAt = requests[first].arrival + load
    for index in first..<requests.count {
      replica.settle(to: requests[index].arrival, settings.service, &tally, &account)
      if index > first, replica.isIdle { return (replica.latestEnd, index) }
      replica.take(requests[index], limit: settings.maxConcurrency, settings.service, &tally, &account)
    }
    replica.settle(to: .max, settings.service, &tally, &account)
    return (replica.latestEnd, nil)
  }
}

/// Stays or goes as it was told, in order of each model's idle periods; goes in those that it was told nothing of.
struct ChosenPeriods: IdleWindowPolicy {
  /// By model: those that are to come, the next one last.
  private var choices: [[Bool]]

  init(_ choices: [[Bool]]) { self.choices = choices.map { $0.reversed() } }

  mutating func plan(model: Int, idleSince: Int64) -> IdlePlan {
    IdlePlan(keep: choices[model].popLast() == true ? .max : 0)
  }
}
