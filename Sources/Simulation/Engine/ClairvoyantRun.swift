/// The clairvoyant optimum: replays the choices that a ``ClairvoyantSearch`` finds for each model. Requests are held back until
/// it is settled what they find, which is a few idle periods later.
struct ClairvoyantRun: PolicyRun {
  private struct Model {
    var search: ClairvoyantSearch
    var heldBack: [TraceRequest] = []
    var requests = 0
  }

  private let price: Int64
  private let settings: SimulationSettings
  private var run: LoneReplicaRun<ChosenPeriods>
  private var models: [Model] = []

  init(_ name: String, _ settings: SimulationSettings) {
    self.settings = settings
    price = Int64((settings.costs.coldStartPrice * 1e6).rounded())
    run = LoneReplicaRun(name, ChosenPeriods(), settings)
  }

  mutating func add(_ requests: [TraceRequest]) {
    for request in requests { add(request, to: Int(request.model)) }
  }

  private mutating func add(_ request: TraceRequest, to index: Int) {
    while models.count <= index { models.append(Model(search: ClairvoyantSearch(price: price, settings))) }
    let loadTime = settings.loadTimes.draw(model: index, request: models[index].requests, ordinal: 0)
    models[index].requests += 1
    switch models[index].search.take(PendingRequest(request), loadTime: loadTime) {
    case .open:
      models[index].heldBack.append(request)
    case .before(let choices):
      replay(index, choices)
      models[index].heldBack = [request]
    case .all(let choices):
      models[index].heldBack.append(request)
      replay(index, choices)
      models[index].heldBack.removeAll(keepingCapacity: true)
    }
  }

  private mutating func replay(_ index: Int, _ choices: [Bool]) {
    run.policy.add(choices, for: index)
    run.add(models[index].heldBack)
  }

  mutating func finish(at end: Int64) -> PolicyOutcome {
    for index in models.indices { replay(index, models[index].search.finish()) }
    return run.finish(at: end)
  }
}

/// Stays or goes as it was told, in order of each model's idle periods.
struct ChosenPeriods: IdleWindowPolicy {
  /// By model: those that are to come, the next one last.
  private var choices: [[Bool]] = []

  mutating func add(_ more: [Bool], for model: Int) {
    while choices.count <= model { choices.append([]) }
    choices[model] = more.reversed() + choices[model]
  }

  /// The last idle period, which nothing ends.
  mutating func plan(model: Int, idleSince: Int64) -> IdlePlan { IdlePlan(keep: 0) }

  mutating func plan(model: Int, idleSince: Int64, knowing gap: Int64?, loadTime: Int64) -> IdlePlan {
    guard let gap, model < choices.count, choices[model].popLast() == true else { return IdlePlan(keep: 0) }
    return IdlePlan(keep: gap)
  }
}
