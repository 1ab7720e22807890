import Decisions
import FleetProtocol
import FoundationEssentials
import KubernetesAPI
import Telemetry

/// What the controller remembers of one service between rounds. All of it can be lost: a new leader rebuilds it from the
/// cluster, and holds scale until it knows enough.
struct ServiceMemory {
  /// Of the object that this is about: another one may come by the same name without its predecessor's end being seen.
  let uid: String
  var scaling: ScalingState
  var wake: WakeTracker
  var rollout: RolloutTracker
  /// For `sleepAfter: Auto`.
  var sleep = AutomaticSleep()
  /// What the status says, or will say once the informer has caught up.
  var drain: DrainPlan
  var drainBegan: Duration
  /// What was asked of `/scale` last, and when: informers lag behind our own writes.
  var scaled: PerPool<(replicas: Int, at: Duration)?> = PerPool(dedicated: nil, burst: nil)
  /// The schedule that held last, in this generation.
  var schedule: (generation: Int, last: WeeklySchedule)?
  var lastDecision: JSONValue?
  var lastStatusWrite: Duration?
  /// The decision that was recorded last.
  private var lastRecord: (reason: ScalingReason, at: Duration)?
  /// The API server's verdict on templates, by their hash.
  var template: (hash: String, verdict: TemplateVerdict)?
  /// What containers said before they crashed, by pod UID and restart.
  var lastWords: [String: String] = [:]
  /// Versions of objects as they were applied. One that still differs from what we ask for (the API server writes quantities
  /// its own way) is not applied again until somebody changes it.
  var settled: [String: (version: String, hash: String, at: Duration)] = [:]
  /// The status as this controller wrote it last.
  var status: JSONValue?
  var stableWindow: Duration

  /// - Parameter leadingSince: when this controller began to lead; it has seen nothing of what was before.
  init(_ intent: ServiceIntent, service: KubernetesObject, leadingSince: Duration, now: Now) {
    uid = intent.owner.uid
    stableWindow = intent.policy.stableWindow
    scaling = ScalingState(
      startedAt: now.monotonic, holdScaleDownUntil: leadingSince + intent.policy.stableWindow)
    let status = service.status
    wake = WakeTracker(
      template: intent.templateHash, coldStarts: status["coldStart"]?["samples"]?.intValue ?? 0)
    if let failure = StatusDocument.failure(in: service) {
      wake.resume(failure, template: intent.templateHash, now: now)
    }
    rollout = RolloutTracker(StatusDocument.rollout(in: status))
    drain = DrainPlan(
      epoch: status["drain"]?["epoch"]?.intValue ?? 0,
      pods: (status["drain"]?["pods"]?.arrayValue ?? []).compactMap(\.stringValue))
    drainBegan = now.monotonic
  }

  /// The status names a drain: from now on it counts.
  mutating func begin(_ drain: DrainPlan, at now: Duration) {
    if drain.epoch != self.drain.epoch { drainBegan = now }
    self.drain = drain
  }

  /// `spec.replicas` as it will be: our last scale, until the informer shows it or 5 s have passed.
  mutating func wantedReplicas(_ pool: Pool, live: Int, now: Duration) -> Int {
    guard let last = scaled[pool] else { return live }
    if live == last.replicas || now - last.at > .seconds(5) {
      scaled[pool] = nil
      return live
    }
    return last.replicas
  }
}

/// Everything that one round needs, read at one moment.
struct RoundInputs {
  var intent: ServiceIntent
  var pools: PerPool<PoolObservation>
  var load: ServiceLoadView
  /// An activation Lease is there.
  var isActivated: Bool
  /// The last words of a crashed replica, by pool.
  var lastWords: PerPool<String?>
  /// Why the canary's Deployment makes no pods.
  var canaryFailure: String?
  var now: Now
}

/// What one round decided.
struct Round {
  var decision: ScalingDecision
  var plan: ScalePlan
  var verdict: WakeTracker.Verdict
  /// What each pool should have in the end.
  var wanted: PerPool<Int>
  /// Why the dedicated pool should have so many.
  var floor: Floor
  /// What was known of the load.
  var load: ServiceLoadView
  /// How far a change of template has come; nil: nothing is done about the service.
  var rollout: CanaryRollout?
  /// What happened to it in this round.
  var rolloutEvent: RolloutEvent?
  /// The decision with its inputs, if it is one to be kept.
  var record: DecisionRecord?
  /// How long until a replica should be started for a request that is expected; nil: none is.
  var untilExpected: Duration?

  /// Why a pool is scaled.
  func reason(_ pool: Pool) -> ScalingReason {
    if isOfRollout(pool) { return .canary }
    return isOfLoad(pool) ? decision.reason : floor.reason
  }

  /// The same as a sentence, for a change to `replicas`.
  func message(_ pool: Pool, _ replicas: Int) -> String {
    if isOfRollout(pool) { return "The new template takes \(rollout?.trafficPercent ?? 0)% of the requests." }
    return isOfLoad(pool) ? decision.message : floor.message(replicas)
  }

  /// The numbers behind it.
  func inputs(_ pool: Pool) -> [String: String] {
    pool == .dedicated && !isOfLoad(pool) ? decision.inputs.merging(floor.inputs) { $1 } : decision.inputs
  }

  private func isOfLoad(_ pool: Pool) -> Bool { pool == .burst || decision.reason == .suspended }

  private func isOfRollout(_ pool: Pool) -> Bool { pool == .canary && decision.reason != .suspended }
}

extension ServiceMemory {
  /// Decides and plans one round, and remembers it.
  mutating func advance(_ inputs: RoundInputs, _ idleWindows: inout IdleWindowLearner) -> Round {
    let (intent, pools, now) = (inputs.intent, inputs.pools, inputs.now)
    wake.setTemplate(intent.templateHash)
    if pools.burst.wanted > 0 && pools.burst.ready == 0 { wake.begin(at: pools.burst.startBegan(now)) }
    let verdict = wake.judge(
      pools.burst, startupTimeout: intent.startupTimeout, lastWords: inputs.lastWords.burst, now: now)

    let policy = intent.wakePrice == nil ? intent.policy : sleep.applied(to: intent.policy)
    let before = scaling
    let observation = observation(inputs)
    let decision = decideScale(policy, &scaling, observation, now: now.monotonic)
    let record = recorded(decision, intent.key, before, observation, now)
    noteSilence(inputs, decision, &idleWindows)
    var wanted = PerPool(dedicated: decision.dedicated, burst: decision.burst)
    if intent.unsupported != nil {
      // Nothing of such an object is applied: what runs stays as it is.
      wanted = PerPool { pools[$0].wanted }
    }
    let event = intent.unsupported == nil ? rollout.advance(tracked(inputs)) : nil
    // It comes beside the pools, which keep what they need without it: going back must not wait for a start.
    if intent.unsupported == nil { wanted.canary = rollout.replicas(beside: wanted.dedicated + wanted.burst) }
    let plan = planScale(
      pools, wanted: wanted,
      drain: DrainObservation(
        plan: drain, age: now.monotonic - drainBegan, timeout: intent.drainTimeout,
        epochSeen: inputs.load.drainEpochSeen,
        mustKeep: decision.reason == .startingUp || decision.reason == .noData))
    return Round(
      decision: decision, plan: plan, verdict: verdict, wanted: wanted, floor: floor(intent), load: inputs.load,
      rollout: rollout.rollout, rolloutEvent: event, record: record,
      untilExpected: intent.wakesAhead ? untilExpected(now) : nil)
  }

  /// What an earlier controller knew is looked for until the ledger is there.
  private func untilExpected(_ now: Now) -> Duration? {
    sleep.isRestored ? sleep.untilExpected(at: now.wall) : .seconds(10)
  }

  /// For `sleepAfter: Auto`: learns from the service's silences.
  private mutating func noteSilence(
    _ inputs: RoundInputs, _ decision: ScalingDecision, _ idleWindows: inout IdleWindowLearner
  ) {
    guard let price = inputs.intent.wakePrice, decision.reason != .suspended else { return }
    let burst = inputs.pools.burst
    sleep.watch(
      held: inputs.load.held, isWaking: burst.wanted > 0 && burst.ready == 0, now: inputs.now.monotonic)
    sleep.note(
      idleFor: decision.evidence.idleFor, price: price, loadTime: wake.coldStarts.percentile(50),
      wakesAhead: inputs.intent.wakesAhead, &idleWindows, now: inputs.now)
  }

  /// Remembers the schedule that holds: its end is a reason, too.
  private mutating func floor(_ intent: ServiceIntent) -> Floor {
    guard let nextChange = intent.nextChange else { return .owner }
    if let present = intent.schedule {
      schedule = (intent.generation, present)
      return .schedule(present, nextChange: nextChange)
    }
    guard let schedule, schedule.generation == intent.generation else { return .owner }
    return .ended(schedule.last, nextChange: nextChange)
  }

  private func tracked(_ inputs: RoundInputs) -> RolloutTracker.Inputs {
    RolloutTracker.Inputs(
      plan: inputs.intent.rollout, pools: inputs.pools, answers: inputs.load.answers,
      startupTimeout: inputs.intent.startupTimeout, lastWords: inputs.lastWords.canary,
      replicaFailure: inputs.canaryFailure, now: inputs.now)
  }

  private func observation(_ inputs: RoundInputs) -> ScalingObservation {
    let (load, dedicated, burst) = (inputs.load, inputs.pools.dedicated, inputs.pools.burst)
    let hopeless = dedicated.live.count { $0.unschedulable != nil || $0.trouble?.isFatal == true }
    var observation = ScalingObservation(
      held: load.held, inFlight: load.inFlight, stableAverage: load.reading.stableAverage,
      panicAverage: load.reading.panicAverage, lastActivity: load.lastActivity, isComplete: load.isComplete,
      isActivated: inputs.isActivated,
      dedicatedReplicas: max(dedicated.ready, inputs.intent.policy.dedicatedReplicas - hopeless),
      dedicatedReady: dedicated.ready, burstWanted: burst.wanted, burstReady: burst.ready,
      wakeNotBefore: wake.blockedUntil(now: inputs.now.monotonic), service: load.reading.service,
      advisedTarget: load.reading.advice?.target)
    observation.isExpected = inputs.intent.wakesAhead && sleep.isExpected(at: inputs.now.wall)
    return observation
  }

  /// How often a decision that changes nothing is recorded: enough to see what was known before a change.
  static let steadyRecordInterval: Duration = .seconds(60)

  /// The decision with its inputs, if it changes something, decides for another reason, or it is time; else nil.
  private mutating func recorded(
    _ decision: ScalingDecision, _ key: ObjectKey, _ before: ScalingState, _ observation: ScalingObservation,
    _ now: Now
  ) -> DecisionRecord? {
    let isNews = decision.burst != observation.burstWanted || decision.reason != lastRecord?.reason
    if let lastRecord, !isNews, now.monotonic - lastRecord.at < Self.steadyRecordInterval { return nil }
    lastRecord = (decision.reason, now.monotonic)
    return DecisionRecord(
      namespace: key.namespace, name: key.name, timeUnix: now.wall.timeIntervalSince1970,
      policy: decision.evidence.policy, state: before, observation: observation, decision: decision, now: now.monotonic)
  }
}

extension PoolObservation {
  /// Pods on a node that have not ended: somebody pays for them.
  var paid: Int { pods.count { $0.isScheduled && !$0.isFinished } }
}
