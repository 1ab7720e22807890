/// Finds the single idle window, the same for all models, that would have cost least over a whole trace.
///
/// Runs many windows at once: windows under which a model is in the same state share one ``LoneReplica``, and part only where
/// an idle period is longer than some and shorter than others. Needs settings with one replica per model.
public struct BestFixedSearch {
  /// Windows under which the model is in one and the same state.
  private struct Group {
    var replica = LoneReplica()
    /// Indices into `windows`.
    var members: [Int32]
  }
  private struct Model {
    var groups: [Group]
    var requests = 0
  }

  /// In microseconds, ascending.
  public let windows: [Int64]
  /// Cost per window in replica-microseconds, cold starts at their price; complete after ``finish(at:)``.
  public private(set) var costs: [Int64]
  private let settings: SimulationSettings
  private let price: Int64
  private var models: [Model] = []
  private var tally: RequestTally
  private var scratch = ModelAccount()

  public init(windows: [Int64], _ settings: SimulationSettings) {
    self.windows = windows.sorted()
    costs = Array(repeating: 0, count: windows.count)
    self.settings = settings
    price = Int64((settings.costs.coldStartPrice * 1e6).rounded())
    tally = RequestTally(settings)
  }

  /// Zero, then from 1 s to 14 days in steps of 5 %, then for good.
  public static var coarseGrid: [Int64] {
    var grid: [Int64] = [0]
    var window = 1e6
    while window < 14 * 86_400e6 {
      grid.append(Int64(window))
      window *= 1.05
    }
    return grid + [1 << 53]
  }

  /// Windows between the neighbours of the best one so far, it among them.
  public var refinedGrid: [Int64] {
    let best = bestIndex
    let (low, high) = (windows[max(0, best - 1)], windows[min(windows.count - 1, best + 1)])
    let step = max(1, min(high, 14 * 86_400_000_000) - low) / 64
    return Set((0...64).map { low + Int64($0) * step } + [windows[best]]).sorted()
  }

  private var bestIndex: Int { costs.indices.min { (costs[$0], $0) < (costs[$1], $1) } ?? 0 }
  /// The cheapest window, in microseconds; of equal ones the shortest.
  public var best: Int64 { windows[bestIndex] }

  public mutating func add(_ requests: [TraceRequest]) {
    for request in requests { add(PendingRequest(request), to: Int(request.model)) }
  }

  private mutating func add(_ request: PendingRequest, to model: Int) {
    while models.count <= model { models.append(Model(groups: [Group(members: windows.indices.map(Int32.init))])) }
    let loadTime = settings.loadTimes.draw(model: model, request: models[model].requests, ordinal: 0)
    models[model].requests += 1
    var (warm, cold): ([Int32], [Int32]) = ([], [])
    var next: [Group] = []
    var groups: [Group] = []
    swap(&groups, &models[model].groups)
    for index in groups.indices {
      groups[index].replica.settle(to: request.arrival, settings.service, &tally, &scratch)
      if groups[index].replica.isIdle {
        part(groups[index], at: request.arrival, loadTime, &warm, &cold)
      } else {
        groups[index].replica.take(
          request, limit: settings.maxConcurrency, settings.service, &tally, &scratch)
        next.append(groups[index])
      }
    }
    if !warm.isEmpty { next.append(started(request, at: request.arrival, warm)) }
    if !cold.isEmpty { next.append(started(request, at: request.arrival + loadTime, cold)) }
    models[model].groups = next
  }

  private mutating func started(_ request: PendingRequest, at moment: Int64, _ members: [Int32]) -> Group {
    var group = Group(members: members)
    group.replica.startsAt = moment
    group.replica.take(request, limit: settings.maxConcurrency, settings.service, &tally, &scratch)
    return group
  }

  /// Counts the busy and the idle period that end now, and says which windows outlast the idle one.
  private mutating func part(
    _ group: Group, at now: Int64, _ loadTime: Int64, _ warm: inout [Int32], _ cold: inout [Int32]
  ) {
    let replica = group.replica
    guard replica.hasRun else {
      for member in group.members { costs[Int(member)] += loadTime + price }
      cold += group.members
      return
    }
    let busy = replica.latestEnd - replica.busySince
    let gap = now - replica.latestEnd
    for member in group.members {
      let window = windows[Int(member)]
      if gap <= window {
        costs[Int(member)] += busy + gap
        warm.append(member)
      } else {
        costs[Int(member)] += busy + window + loadTime + price
        cold.append(member)
      }
    }
  }

  /// Counts what the trace's end leaves, as ``LoneReplicaRun`` does.
  public mutating func finish(at end: Int64) {
    for model in models.indices {
      for index in models[model].groups.indices where models[model].groups[index].replica.hasRun {
        models[model].groups[index].replica.settle(to: .max, settings.service, &tally, &scratch)
        let group = models[model].groups[index]
        let left = max(0, end - group.replica.latestEnd)
        for member in group.members {
          costs[Int(member)] +=
            group.replica.latestEnd - group.replica.busySince + min(left, windows[Int(member)])
        }
      }
    }
  }
}
