/// Names what ``decideScale(_:_:_:now:)`` decides: a change by which it may decide otherwise from the same inputs adds one, so
/// that recorded decisions say by which rules they were made. A recorded set of decisions in the tests guards it.
public let decideScaleVersion = 5

/// Decides how many replicas a model should have, from what its owner wants and what is known of its load.
///
/// The algorithm is Knative's KPA (stable and panic windows, rates per tick, scale-down delay) on what the dedicated
/// pool cannot carry, with these differences: the first request wakes at once; the last replica goes after `sleepAfter`;
/// a replica may be there ahead of an expected request; nothing goes down on missing data or within one stable window of the
/// start. An objective asks for replicas like a metric does, for as many as the arrivals of late would have needed while the
/// pool is awake, and counts what waits as the work that it is.
public func decideScale(
  _ policy: ScalingPolicy, _ state: inout ScalingState, _ observation: ScalingObservation, now: Duration
) -> ScalingDecision {
  let load = BurstLoad(policy, observation)
  state.noteNeed(load, observation, now: now)
  let lastNeeded = state.lastNeeded ?? state.startedAt
  let evidence = ScalingEvidence(
    policy: policy, observation: observation, stableNeed: load.stableNeed, panicNeed: load.panicNeed,
    objective: load.objective, idleFor: state.lastNeeded.map { max(.zero, now - $0) })
  func decision(burst: Int, _ reason: ScalingReason, dedicated: Int? = nil) -> ScalingDecision {
    ScalingDecision(dedicated: dedicated ?? policy.dedicatedReplicas, burst: burst, reason: reason, evidence: evidence)
  }

  if policy.isSuspended {
    state.forgetLoad()
    return decision(burst: 0, .suspended, dedicated: 0)
  }
  if policy.maxBurstReplicas <= 0 {
    if observation.burstWanted > 0 { return decision(burst: 0, .ceilingChanged) }
    return decision(burst: 0, policy.dedicatedReplicas > 0 ? .steady : .noCapacity)
  }
  if let notBefore = observation.wakeNotBefore, now < notBefore, observation.burstReady == 0 {
    state.forgetLoad()
    return decision(burst: 0, .wakeBackOff)
  }

  let present = min(observation.burstWanted, policy.maxBurstReplicas)
  if present == 0 && !load.isNeeded && !observation.isExpected { return decision(burst: 0, .steady) }

  let mayGoDown = observation.isComplete && observation.stableAverage != nil
  let isIdle = !load.isNeeded && !observation.isExpected && now - lastNeeded >= policy.sleepAfter
  if isIdle && mayGoDown && now >= state.holdScaleDownUntil {
    state.forgetLoad()
    return decision(burst: 0, .idle)
  }

  let calm = max(state.panicAware(load, policy, observation, now: now), load.objective?.bursts ?? 0)
  let awake = min(policy.maxBurstReplicas, max(1, calm) + policy.spareBurstReplicas)
  let delayed = state.largestWish(awake, within: evidence.scaleDownDelay, now: now)
  let wanted = min(policy.maxBurstReplicas, delayed)
  if observation.burstWanted > policy.maxBurstReplicas {
    // Down to the ceiling by the owner's word; below it only by what is known of the load.
    return decision(burst: mayGoDown ? wanted : max(wanted, present), .ceilingChanged)
  }

  if wanted > present {
    if present == 0 && !load.isNeeded { return decision(burst: wanted, .expected) }
    if present == 0 && observation.dedicatedReplicas == 0 { return decision(burst: wanted, .activated) }
    if load.metricNeed + policy.spareBurstReplicas <= present || load.isOfObjective {
      return decision(burst: wanted, .objective)
    }
    return decision(burst: wanted, state.isPanicking ? .panic : .loadAboveTarget)
  }
  if wanted < present {
    if !mayGoDown { return decision(burst: present, .noData) }
    if now < state.holdScaleDownUntil { return decision(burst: present, .startingUp) }
    return decision(burst: wanted, .loadBelowTarget)
  }
  if awake < wanted { return decision(burst: wanted, state.isPanicking ? .panic : .scaleDownDelayed) }
  return decision(burst: wanted, .steady)
}

/// What the dedicated replicas leave to the burst pool.
private struct BurstLoad {
  /// Burst replicas for the averages, before limits.
  var stableNeed: Int
  var panicNeed: Int
  /// The larger of the two by the policy's metric alone.
  var metricNeed: Int
  /// The objective counts what waits for less than the metric does, and asks for no fewer replicas.
  var isOfObjective: Bool
  /// What the objective asks for, a part of the two needs; nil: there is none, or it cannot be said.
  var objective: ObjectiveEvidence?
  /// Replicas of both pools for the panic average: the numerator of the panic threshold.
  var totalPanicNeed: Int
  /// Something needs at least one burst replica now.
  var isNeeded: Bool

  init(_ policy: ScalingPolicy, _ observation: ScalingObservation) {
    let capacity = Double(observation.dedicatedReplicas) * policy.dedicatedTarget
    func need(_ load: Double) -> Int { replicas(for: load - capacity, each: policy.target) }
    objective = ObjectiveEvidence(policy, observation)
    // A request that waits is counted as a whole one by the metric; an objective knows what it is worth.
    func worth(_ average: Double?, _ work: Double?) -> Double {
      let average = average ?? 0
      guard policy.metric == .concurrency, let work else { return average }
      return min(average, work)
    }
    let panicAverage = worth(observation.panicAverage, objective?.panicWork)
    let byMetric = (
      stable: need(worth(observation.stableAverage, objective?.stableWork)), panic: need(panicAverage)
    )
    metricNeed = max(byMetric.stable, byMetric.panic)
    let largest = max(observation.panicAverage ?? 0, observation.stableAverage ?? 0)
    isOfObjective =
      policy.metric == .concurrency && metricNeed < need(largest) && metricNeed <= objective?.largestNeed ?? 0
    stableNeed = max(byMetric.stable, objective?.stableNeed ?? 0)
    panicNeed = max(byMetric.panic, objective?.panicNeed ?? 0)
    totalPanicNeed =
      panicNeed > 0
      ? observation.dedicatedReplicas + panicNeed : replicas(for: panicAverage, each: policy.dedicatedTarget)
    if observation.dedicatedReplicas > 0 {
      isNeeded = stableNeed > 0 || panicNeed > 0
    } else {
      isNeeded = observation.held > 0 || observation.inFlight > 0 || observation.isActivated
    }
  }
}

/// Least number of replicas that carry a load; a rounding error of a billionth makes no replica.
private func replicas(for load: Double, each target: Double) -> Int {
  guard load > 0, target > 0 else { return 0 }
  let count = (load / target - 1e-9).rounded(.up)
  return count < 1_000_000 ? max(0, Int(count)) : 1_000_000
}

extension ScalingState {
  /// Moves `lastNeeded` on. Without dedicated replicas, every request needs the burst pool; with them, only what is too much
  /// for them does.
  fileprivate mutating func noteNeed(_ load: BurstLoad, _ observation: ScalingObservation, now: Duration) {
    if load.isNeeded {
      lastNeeded = now
    } else if observation.dedicatedReplicas == 0, let activity = observation.lastActivity {
      lastNeeded = max(lastNeeded ?? activity, activity)
    }
  }

  /// Replicas by the averages, with Knative's rates and panic mode; before floor, ceiling and delay.
  fileprivate mutating func panicAware(
    _ load: BurstLoad, _ policy: ScalingPolicy, _ observation: ScalingObservation, now: Duration
  ) -> Int {
    let ready = Double(max(1, observation.burstReady))
    let most = Int((ScalingPolicy.maxScaleUpRate * ready).rounded(.up))
    let least = Int((Double(observation.burstReady) / ScalingPolicy.maxScaleDownRate).rounded(.down))
    func limited(_ need: Int) -> Int { min(most, max(least, need)) }

    let allReady = max(1, observation.dedicatedReady + observation.burstReady)
    if load.totalPanicNeed * 100 >= policy.panicThresholdPercent * allReady {
      panicSince = now
    } else if let since = panicSince, since + policy.stableWindow < now {
      panicSince = nil
      panicPeak = 0
    }
    guard panicSince != nil else { return limited(load.stableNeed) }
    panicPeak = max(panicPeak, limited(load.stableNeed), limited(load.panicNeed))
    return panicPeak
  }
}
