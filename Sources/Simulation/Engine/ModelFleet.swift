import Decisions

/// One model: its replicas in both pools, what waits, and what will happen.
struct ModelFleet: Sendable {
  enum Phase: Sendable {
    case loading
    case ready
    case draining
  }
  struct Replica: Sendable {
    var id: Int
    var isDedicated: Bool
    var phase: Phase
    var inFlight = 0
  }
  enum Event: Sendable {
    case loaded(replica: Int)
    case finished(replica: Int, service: Int64, firstToken: Int64)
    case overflowFinished
  }
  /// Replicas of a pool by what they do; the unit of ``PoolAccount``.
  private struct Counts: Sendable {
    var loading: Int64 = 0
    var busy: Int64 = 0
    var idle: Int64 = 0
    var draining: Int64 = 0
    var all: Int64 { loading + busy + idle + draining }
  }

  private(set) var replicas: [Replica] = []
  private(set) var events = EventHeap<Event>()
  private(set) var pending = PendingQueue()
  private(set) var account = ModelAccount()
  private(set) var wanted = 0
  private(set) var inFlight = 0
  private(set) var overflowInFlight = 0
  private(set) var concurrency: Int64 = 0
  private(set) var finished = 0
  private(set) var serviceTime: Int64 = 0
  private(set) var squaredServiceSeconds = 0.0
  /// Of those that have finished, for a policy with an objective.
  private(set) var serviceTotals = ServiceTotals()
  private var lastArrival: Int64?
  /// When the policy is asked next; `Int64.max`: when a request comes.
  var decisionAt = Int64.max
  /// When it became idle; nil: it is not, or never had a request.
  private(set) var idleSince: Int64?
  private var dedicated = Counts()
  private var burst = Counts()
  private var nextID = 0
  private var accruedAt: Int64
  /// The trace has ended: from now on only what serves requests counts.
  private var isPastEnd = false
  /// What requests need, where a baseline is counted.
  private var need: Need?
  private struct Need {
    let baseline: Baseline
    let slots: ReplicaSlots
    var course = BaselineDemand()
  }

  init(start: Int64, dedicatedReplicas: Int, baseline: Baseline? = nil, slots: ReplicaSlots? = nil) {
    accruedAt = start
    if let baseline, let slots { need = Need(baseline: baseline, slots: slots) }
    for _ in 0..<dedicatedReplicas {
      replicas.append(Replica(id: nextID, isDedicated: true, phase: .ready))
      nextID += 1
    }
    dedicated.idle = Int64(dedicatedReplicas)
    account.peakReplicas = dedicatedReplicas
  }

  /// Held, in flight or at an overflow endpoint.
  var demand: Int { pending.count + inFlight + overflowInFlight }
  var burstReady: Int { Int(burst.busy + burst.idle) }
  /// Requests want a replica, and none is wanted for them yet.
  var isWaitingAsleep: Bool { wanted == 0 && (!pending.isEmpty || overflowInFlight > 0) }
  var hasBurst: Bool { burst.all > 0 }

  func observation(dedicatedReplicas: Int) -> ModelObservation {
    ModelObservation(
      held: pending.count, inFlight: inFlight + overflowInFlight, requests: account.requests,
      promptTokens: account.promptTokens, outputTokens: account.outputTokens, concurrency: concurrency,
      finished: finished, serviceTime: serviceTime, squaredServiceSeconds: squaredServiceSeconds,
      serviceTotals: serviceTotals,
      dedicatedReplicas: dedicatedReplicas, burstWanted: wanted, burstReady: burstReady)
  }

  // MARK: Time

  mutating func accrue(to now: Int64, _ tally: inout RequestTally) {
    let passed = now - accruedAt
    guard passed > 0 else { return }
    add(dedicated, passed, to: \.dedicated)
    add(burst, passed, to: \.burst)
    concurrency += passed * Int64(demand)
    holdNeed(for: passed)
    if tally.timeline != nil {
      let all = isPastEnd ? 0 : need.map(replicas) ?? dedicated.all + burst.all
      if all > 0 { tally.timeline?.addReplicas(Double(all), from: accruedAt, to: now) }
      if !pending.isEmpty { tally.timeline?.addHeld(Double(pending.count), from: accruedAt, to: now) }
    }
    accruedAt = now
  }

  private mutating func add(_ counts: Counts, _ passed: Int64, to pool: WritableKeyPath<ModelAccount, PoolAccount>) {
    if counts.all == 0 { return }
    account[keyPath: pool].busy += counts.busy * passed
    account[keyPath: pool].draining += counts.draining * passed
    if !isPastEnd || !pending.isEmpty { account[keyPath: pool].loading += counts.loading * passed }
    if !isPastEnd { account[keyPath: pool].idle += counts.idle * passed }
  }

  mutating func endPeriod(at end: Int64, _ tally: inout RequestTally) {
    accrue(to: end, &tally)
    isPastEnd = true
  }

  private mutating func holdNeed(for passed: Int64) {
    guard let slots = need?.slots, !isPastEnd else { return }
    let needed = slots.replicas(for: demand)
    need?.course.hold(needed, floor: slots.dedicatedReplicas, for: Int(passed))
  }

  /// What a baseline has now, for the chart: how large the peak will be is not known yet.
  private func replicas(_ need: Need) -> Int64 {
    need.baseline == .alwaysOnPeak
      ? dedicated.all + burst.all : Int64(max(1, need.slots.replicas(for: demand)))
  }

  /// Counts the period as the baseline's: its replicas are busy as far as those were that ran, and idle else.
  mutating func countBaseline(over period: Int64) {
    guard let need, account.requests > 0 else { return }
    let whole = Int64(need.course.replicaTime(of: need.baseline, over: Int(period)).burst)
    account.burst.busy = min(account.burst.busy, whole)
    account.burst.idle = whole - account.burst.busy
  }

  // MARK: Requests

  /// Takes a request that came now: to a replica, to the overflow endpoint, or into the queue.
  mutating func take(_ request: PendingRequest, _ settings: SimulationSettings, _ tally: inout RequestTally) {
    accrue(to: request.arrival, &tally)
    account.noteArrival(request, settings.service)
    if settings.objective != nil {
      if let lastArrival { serviceTotals.addGap(Double(request.arrival - lastArrival) / 1e6) }
      lastArrival = request.arrival
    }
    let wasIdle = idleSince != nil
    idleSince = nil
    defer { holdNeed(for: 0) }
    if pending.isEmpty, let place = freePlace(settings) {
      return start(request, at: place, now: request.arrival, settings, &tally)
    }
    let isWaking = dedicated.busy + dedicated.idle + burst.busy + burst.idle == 0
    if let overflow = settings.overflow, isWaking ? overflow.takesWaking : overflow.takesSaturated {
      return send(request, to: overflow, settings, &tally)
    }
    // A replica that was started for an expected request is still loading.
    if wasIdle, isWaking, wanted > 0 { account.coldStarts += 1 }
    pending.append(request)
  }

  private mutating func send(
    _ request: PendingRequest, to overflow: OverflowEndpoint, _ settings: SimulationSettings,
    _ tally: inout RequestTally
  ) {
    let service = settings.service
    let whole = service.service(
      promptTokens: request.promptTokens, outputTokens: request.outputTokens, duration: request.duration, batch: 1)
    let own = service.firstToken(promptTokens: request.promptTokens, duration: request.duration)
    account.overflowRequests += 1
    account.overflowPromptTokens += Int64(
      request.promptTokens < 0 ? Int32(service.defaultPromptTokens) : request.promptTokens)
    account.overflowOutputTokens += Int64(
      request.outputTokens < 0 ? Int32(service.defaultOutputTokens) : request.outputTokens)
    overflowInFlight += 1
    tally.note(wait: 0, firstToken: overflow.firstTokenMicroseconds, in: &account)
    events.add(.overflowFinished, at: request.arrival + overflow.firstTokenMicroseconds + max(0, whole - own))
  }

  /// The replica that takes the next request: dedicated before burst, then the least busy, then the oldest.
  private func freePlace(_ settings: SimulationSettings) -> Int? {
    var best: Int?
    for (index, replica) in replicas.enumerated() where replica.phase == .ready {
      guard replica.inFlight < (replica.isDedicated ? settings.dedicatedMaxConcurrency : settings.maxConcurrency) else {
        continue
      }
      guard let chosen = best else {
        best = index
        continue
      }
      if replica.isDedicated != replicas[chosen].isDedicated {
        if replica.isDedicated { best = index }
      } else if replica.inFlight < replicas[chosen].inFlight {
        best = index
      }
    }
    return best
  }

  private mutating func start(
    _ request: PendingRequest, at index: Int, now: Int64, _ settings: SimulationSettings, _ tally: inout RequestTally
  ) {
    replicas[index].inFlight += 1
    inFlight += 1
    if replicas[index].inFlight == 1 { move(index, idle: -1, busy: 1) }
    let service = settings.service.service(
      promptTokens: request.promptTokens, outputTokens: request.outputTokens, duration: request.duration,
      batch: replicas[index].inFlight)
    tally.note(request, wait: now - request.arrival, in: &account)
    let firstToken = settings.service.firstToken(promptTokens: request.promptTokens, duration: request.duration)
    events.add(
      .finished(replica: replicas[index].id, service: service, firstToken: firstToken), at: now + service)
  }

  private mutating func release(now: Int64, _ settings: SimulationSettings, _ tally: inout RequestTally) {
    while !pending.isEmpty, let place = freePlace(settings), let request = pending.popFirst() {
      start(request, at: place, now: now, settings, &tally)
    }
  }

  // MARK: Replicas

  /// The first thing that will happen, happens.
  /// - Returns: whether it made the model idle.
  mutating func step(_ settings: SimulationSettings, _ tally: inout RequestTally) -> Bool {
    guard let (now, event) = events.popFirst() else { return false }
    accrue(to: now, &tally)
    switch event {
    case .overflowFinished:
      overflowInFlight -= 1
    case .loaded(let id):
      guard let index = replicas.firstIndex(where: { $0.id == id }), replicas[index].phase == .loading else {
        return false
      }
      replicas[index].phase = .ready
      burst.loading -= 1
      burst.idle += 1
      release(now: now, settings, &tally)
      return false
    case .finished(let id, let service, let firstToken):
      finished += 1
      if settings.objective != nil {
        serviceTotals.add(firstToken: Double(firstToken) / 1e6, occupied: Double(service) / 1e6, concurrency: 1)
      }
      serviceTime += service
      squaredServiceSeconds += Double(service) / 1e6 * (Double(service) / 1e6)
      inFlight -= 1
      guard let index = replicas.firstIndex(where: { $0.id == id }) else { return false }
      replicas[index].inFlight -= 1
      if replicas[index].inFlight == 0 {
        if replicas[index].phase == .draining { remove(index) } else { move(index, idle: 1, busy: -1) }
      }
      release(now: now, settings, &tally)
    }
    guard demand == 0 else { return false }
    idleSince = now
    return true
  }

  /// Starts or drains burst replicas until as many are wanted.
  /// - Parameter instantly: they take requests at once.
  mutating func scale(
    to target: Int, model: Int, now: Int64, instantly: Bool, _ settings: SimulationSettings, _ tally: inout RequestTally
  ) {
    guard target != wanted || instantly else { return }
    accrue(to: now, &tally)
    if wanted == 0, target > 0, !instantly {
      if demand > 0 { account.coldStarts += 1 } else { account.prewarms += 1 }
    }
    let ordinal = demand == 0 ? 1 : 0
    wanted = target
    var serving = replicas.count { !$0.isDedicated && $0.phase != .draining }
    var started = ordinal
    while serving < target {
      let load = instantly ? 0 : settings.loadTimes.draw(model: model, request: loadKey, ordinal: started)
      replicas.append(Replica(id: nextID, isDedicated: false, phase: instantly ? .ready : .loading))
      if instantly { burst.idle += 1 } else { burst.loading += 1 }
      if !instantly { events.add(.loaded(replica: nextID), at: now + load) }
      nextID += 1
      serving += 1
      started += 1
    }
    while serving > target, let index = victim() {
      drain(index)
      serving -= 1
    }
    account.peakReplicas = max(account.peakReplicas, replicas.count)
    if instantly { release(now: now, settings, &tally) }
  }

  /// Requests before the one that woke the model: what a load time is drawn by.
  private var loadKey: Int { demand > 0 && wanted > 0 ? account.requests - 1 : account.requests }

  /// Not ready first, then the least busy, then the youngest, as the controller drains.
  private func victim() -> Int? {
    replicas.indices.filter { !replicas[$0].isDedicated && replicas[$0].phase != .draining }.min {
      let (left, right) = (replicas[$0], replicas[$1])
      return (left.phase == .ready ? 1 : 0, left.inFlight, -left.id)
        < (right.phase == .ready ? 1 : 0, right.inFlight, -right.id)
    }
  }

  private mutating func drain(_ index: Int) {
    switch replicas[index].phase {
    case .loading: burst.loading -= 1
    case .ready: if replicas[index].inFlight > 0 { burst.busy -= 1 } else { burst.idle -= 1 }
    case .draining: return
    }
    replicas[index].phase = .draining
    burst.draining += 1
    if replicas[index].inFlight == 0 { remove(index) }
  }

  private mutating func remove(_ index: Int) {
    burst.draining -= 1
    replicas.remove(at: index)
  }

  private mutating func move(_ index: Int, idle: Int64, busy: Int64) {
    guard replicas[index].phase == .ready else { return }
    if replicas[index].isDedicated {
      dedicated.idle += idle
      dedicated.busy += busy
    } else {
      burst.idle += idle
      burst.busy += busy
    }
  }
}
