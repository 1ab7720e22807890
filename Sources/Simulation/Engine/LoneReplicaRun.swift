/// Replays idle windows for models of one replica each: exact, and without an event for anything but a request.
struct LoneReplicaRun<Policy: IdleWindowPolicy>: PolicyRun {
  private let name: String
  private let note: String?
  private let service: ServiceTimes
  private let loadTimes: LoadTimes
  private let limit: Int
  private var policy: Policy
  private let isOrdered: Bool
  private let isAlwaysOn: Bool
  private var models: [LoneReplica] = []
  private var accounts: [ModelAccount] = []
  private var tally: RequestTally
  private var start: Int64?
  private let keepsTimeline: Bool
  /// When models may become idle, for policies that must be asked in order of time.
  private var agenda = EventHeap<Int>()

  init(_ name: String, _ policy: Policy, _ settings: SimulationSettings, note: String? = nil) {
    self.name = name
    self.note = note
    self.policy = policy
    service = settings.service
    loadTimes = settings.loadTimes
    limit = settings.maxConcurrency
    isOrdered = policy.learnsAcrossModels
    isAlwaysOn = policy.isAlwaysOn
    tally = RequestTally(settings)
    keepsTimeline = settings.keepsTimeline
  }

  mutating func add(_ requests: [TraceRequest]) {
    if start == nil, let first = requests.first {
      start = first.timeMicroseconds
      if keepsTimeline { tally.timeline = Timeline(start: first.timeMicroseconds) }
    }
    for request in requests { add(PendingRequest(request), to: Int(request.model)) }
  }

  @inline(__always)
  private mutating func add(_ request: PendingRequest, to model: Int) {
    while models.count <= model {
      models.append(LoneReplica())
      accounts.append(ModelAccount())
    }
    if isOrdered { makePlans(until: request.arrival) }
    models[model].settle(to: request.arrival, service, &tally, &accounts[model])
    let begins = models[model].isIdle
    if begins { endIdlePeriod(of: model, at: request.arrival) }
    accounts[model].noteArrival(request, service)
    models[model].take(request, limit: limit, service, &tally, &accounts[model])
    if begins && isOrdered { agenda.add(model, at: models[model].nextCheck, order: Int64(model)) }
  }

  /// Accounts for the busy and the idle period before a request, and wakes the model unless it is awake.
  private mutating func endIdlePeriod(of model: Int, at now: Int64) {
    let loadTime = loadTimes.draw(model: model, request: accounts[model].requests, ordinal: 0)
    guard models[model].hasRun else {
      accounts[model].peakReplicas = 1
      if isAlwaysOn { return addIdle(model, from: start ?? now, to: now) }
      return wake(model, at: now, loadTime)
    }
    let since = models[model].latestEnd
    addBusy(model)
    let gap = now - since
    let plan: IdlePlan
    if let made = models[model].plan {
      plan = made
    } else {
      plan = policy.plan(model: model, idleSince: since)
    }
    models[model].plan = nil
    policy.noteGap(model: model, idleSince: since, gap: gap)
    addIdle(model, from: since, to: since + min(gap, plan.keep))
    if gap <= plan.keep { return }
    for prewarm in plan.prewarms where gap > prewarm.after {
      let begin = since + prewarm.after
      let load = prewarmLoad(model)
      if gap > prewarm.until {
        addPrewarm(model, from: begin, load: load, to: since + prewarm.until)
        continue
      }
      addPrewarm(model, from: begin, load: load, to: max(now, begin + load))
      models[model].startsAt = begin + load
      if begin + load > now { accounts[model].coldStarts += 1 }
      return
    }
    wake(model, at: now, loadTime)
  }

  private mutating func wake(_ model: Int, at now: Int64, _ loadTime: Int64) {
    models[model].wake(at: now, loadTime, &tally, &accounts[model])
  }

  private func prewarmLoad(_ model: Int) -> Int64 {
    loadTimes.draw(model: model, request: accounts[model].requests, ordinal: 1)
  }

  /// A replica that was started for an expected request, from its start to that request or its end.
  private mutating func addPrewarm(_ model: Int, from begin: Int64, load: Int64, to end: Int64) {
    accounts[model].prewarms += 1
    let loaded = min(end, begin + load)
    accounts[model].burst.loading += max(0, loaded - begin)
    tally.addReplica(from: begin, to: loaded)
    addIdle(model, from: loaded, to: end)
  }

  private mutating func addBusy(_ model: Int) {
    models[model].countBusy(&tally, &accounts[model])
  }

  @inline(__always)
  private mutating func addIdle(_ model: Int, from: Int64, to: Int64) {
    LoneReplica.countIdle(from: from, to: to, &tally, &accounts[model])
  }

  /// Asks the policy for every model that has become idle by now, in order.
  private mutating func makePlans(until now: Int64) {
    while agenda.firstTime <= now, let (time, model) = agenda.popFirst() {
      models[model].settle(to: time, service, &tally, &accounts[model])
      if models[model].isIdle {
        models[model].plan = policy.plan(model: model, idleSince: models[model].latestEnd)
      } else {
        agenda.add(model, at: models[model].nextCheck, order: Int64(model))
      }
    }
  }

  mutating func finish(at end: Int64) -> PolicyOutcome {
    if isOrdered { makePlans(until: .max - 1) }
    for model in models.indices where models[model].hasRun {
      models[model].settle(to: .max, service, &tally, &accounts[model])
      addBusy(model)
      addLastIdle(model, end)
    }
    return PolicyOutcome(
      policy: name, models: accounts, waits: tally.waits, firstTokens: tally.firstTokens, timeline: tally.timeline,
      note: note)
  }

  /// The idle period that the trace's end cuts off.
  private mutating func addLastIdle(_ model: Int, _ end: Int64) {
    let since = models[model].latestEnd
    guard end > since else { return }
    let plan = models[model].plan ?? policy.plan(model: model, idleSince: since)
    let left = end - since
    addIdle(model, from: since, to: since + min(left, plan.keep))
    for prewarm in plan.prewarms where plan.keep < left && prewarm.after < left {
      addPrewarm(
        model, from: since + prewarm.after, load: prewarmLoad(model), to: since + min(left, prewarm.until))
    }
  }
}
