import Decisions

/// Replays any number of replicas per model, both pools and an overflow endpoint, under a policy that decides how many.
///
/// Models share nothing, so each is advanced when its own next request comes; only a policy that learns across models makes
/// them advance together.
struct ScaledRun<Policy: ReplicaPolicy>: PolicyRun {
  private let name: String
  private let note: String?
  private let settings: SimulationSettings
  private var policy: Policy
  private let isOrdered: Bool
  private let isBaseline: Bool
  private var models: [ModelFleet] = []
  /// Moments at which models must be advanced, where order matters; the earliest of each model is in it.
  private var agenda = EventHeap<Int>()
  private var queuedAt: [Int64] = []
  private var tally: RequestTally
  private var start: Int64?
  /// How long after the trace's end something may still wait: a policy that never serves it must not run for ever.
  private static var patience: Int64 { 30 * 86_400_000_000 }

  init(_ name: String, _ policy: Policy, _ settings: SimulationSettings, note: String? = nil) {
    self.name = name
    self.note = note
    self.policy = policy
    self.settings = settings
    isOrdered = policy.learnsAcrossModels
    isBaseline = policy.baseline != nil
    tally = RequestTally(settings)
  }

  mutating func add(_ requests: [TraceRequest]) {
    if start == nil, let first = requests.first {
      start = first.timeMicroseconds
      if settings.keepsTimeline { tally.timeline = Timeline(start: first.timeMicroseconds) }
    }
    for request in requests { add(PendingRequest(request), to: Int(request.model)) }
  }

  private mutating func add(_ request: PendingRequest, to model: Int) {
    while models.count <= model {
      models.append(
        ModelFleet(
          start: start ?? request.arrival, dedicatedReplicas: settings.scaling.dedicatedReplicas,
          baseline: policy.baseline, slots: ReplicaSlots(settings.productionPolicy)))
      queuedAt.append(.max)
    }
    if isOrdered { advanceAll(to: request.arrival) }
    advance(model, to: request.arrival)
    if let since = models[model].idleSince,
      let next = policy.becameBusy(model: model, idleSince: since, now: request.arrival)
    {
      models[model].decisionAt = min(models[model].decisionAt, next)
    }
    models[model].take(request, settings, &tally)
    if models[model].decisionAt == .max || models[model].isWaitingAsleep { decide(model, at: request.arrival) }
    enqueue(model)
  }

  /// Lets happen what happens at a model until `now`; a decision that is due now comes after what arrives now.
  private mutating func advance(_ model: Int, to now: Int64) {
    while true {
      let (event, decision) = (models[model].events.firstTime, models[model].decisionAt)
      if event <= now, event <= decision {
        if event == .max { return }
        step(model)
      } else if decision < now {
        decide(model, at: decision)
      } else {
        return
      }
    }
  }

  private mutating func step(_ model: Int) {
    let becameIdle = models[model].step(settings, &tally)
    guard becameIdle, let since = models[model].idleSince else { return }
    if let next = policy.becameIdle(model: model, now: since) {
      models[model].decisionAt = min(models[model].decisionAt, next)
    }
  }

  private mutating func decide(_ model: Int, at now: Int64) {
    models[model].accrue(to: now, &tally)
    let seen = models[model].observation(dedicatedReplicas: settings.scaling.dedicatedReplicas)
    let wanted = policy.wanted(model, seen, now: now)
    models[model].scale(to: wanted, model: model, now: now, instantly: isBaseline, settings, &tally)
    let isActive = models[model].hasBurst || models[model].demand > 0
    models[model].decisionAt =
      isActive ? policy.nextDecision(model: model, after: now) : policy.nextDecisionAtRest(model: model, after: now)
  }

  // MARK: In order over all models

  private mutating func enqueue(_ model: Int) {
    guard isOrdered else { return }
    let next = min(models[model].events.firstTime, models[model].decisionAt)
    guard next < queuedAt[model] else { return }
    queuedAt[model] = next
    agenda.add(model, at: next, order: Int64(model))
  }

  private mutating func advanceAll(to now: Int64) {
    while agenda.firstTime < now, let (time, model) = agenda.popFirst() {
      guard queuedAt[model] == time else { continue }
      queuedAt[model] = .max
      advance(model, to: time)
      if models[model].decisionAt == time { decide(model, at: time) }
      enqueue(model)
    }
  }

  // MARK: The end

  mutating func finish(at end: Int64) -> PolicyOutcome {
    if isOrdered { advanceAll(to: end) }
    for model in models.indices {
      advance(model, to: end)
      models[model].endPeriod(at: end, &tally)
      if let start { models[model].countBaseline(over: end - start) }
      serveRest(of: model, until: end + Self.patience)
    }
    return PolicyOutcome(
      policy: name, models: models.map(\.account), waits: tally.waits, firstTokens: tally.firstTokens,
      timeline: tally.timeline, note: note)
  }

  private mutating func serveRest(of model: Int, until limit: Int64) {
    while models[model].demand > 0 {
      let (event, decision) = (models[model].events.firstTime, models[model].decisionAt)
      if min(event, decision) > limit { return }
      if event <= decision { step(model) } else { decide(model, at: decision) }
    }
  }
}
