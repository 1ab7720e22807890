import ControllerRuntime
import Decisions
import FoundationEssentials
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import Telemetry

/// Takes one service a step towards what its owner wants: observe, decide, act, tell.
///
/// A round may be run at any time and as often as one likes. Scaling comes first, because callers wait for it; a round in
/// which nothing differs writes nothing.
struct Reconciler: Sendable {
  let view: ClusterView
  let state: ControllerState
  let writer: ClusterWriter
  let check: TemplateCheck
  let lastWords: LastWords
  let events: EventRecorder
  let configuration: OperatorConfiguration
  let clock: any ClockSource
  let log: Log
  let metrics: OperatorMetrics
  let ledgerMetrics: LedgerMetrics
  /// Wants rounds for other services: names change hands.
  let enqueue: @Sendable (Set<ObjectKey>) -> Void

  func reconcile(_ key: ObjectKey) async -> Outcome {
    do {
      guard let service = view.services.store[key], !service.metadata.isBeingDeleted else {
        try await forget(key)
        return .done
      }
      return try await round(service)
    } catch let invalid as InvalidInferenceService {
      return await tellInvalid(key, invalid.description)
    } catch is CancellationError {
      return .done
    } catch let status as KubernetesStatus where status.isConflict {
      // Somebody was first; the informer is about to tell.
      return .conflicted
    } catch {
      return .retry(reason: "\(error)")
    }
  }

  private func round(_ service: KubernetesObject) async throws -> Outcome {
    var known = try state.known(service)
    known.intent = known.intent.scheduled(at: clock.now().wall)
    let intent = known.intent
    let key = intent.key
    let lease = view.lease(key, in: configuration.namespace)
    var pools = observePools(known)
    let words = await readLastWords(key, pools)
    let round = decide(intent, service, &pools, isActivated: lease != nil, lastWords: words)

    tellRollout(round, intent, service)
    let scaled = try await perform(round, intent, service, pools)
    let (template, conflict) = try await applyObjects(known, pools, round)
    let pause = try await tell(
      intent, service, pools, round,
      Telling(scaled: scaled, template: template, conflict: conflict, dedicatedTrouble: words.dedicated))
    if let lease, isFulfilled(round, pools, intent) { try await writer.deleteLease(lease) }
    let waits = [pause, intent.scheduleWait(at: clock.now().wall), expectedWait(round, intent)].compactMap(\.self)
    return waits.min().map { .again(after: $0) } ?? .done
  }

  /// Until the next look at a service that may have to be woken without a request; at most ten minutes, as the wall clock may
  /// move.
  private func expectedWait(_ round: Round, _ intent: ServiceIntent) -> Duration? {
    guard intent.wakesAhead, intent.unsupported == nil, !intent.policy.isSuspended else { return nil }
    return round.untilExpected.map { min(.seconds(600), max(.milliseconds(50), $0)) }
  }

  // MARK: - Observe

  private func observePools(_ known: KnownService) -> PerPool<PoolObservation> {
    let intent = known.intent
    func observe(_ pool: Pool) -> PoolObservation {
      guard let deployment = view.deployment(intent.key, pool),
        deployment.metadata.controller?.uid == intent.owner.uid
      else { return PoolObservation() }
      let live = Deployment(deployment).template[path: DesiredObjects.templateHashPath]
      let isCurrent = live == known.templateHash(pool)
      let hash = pool == .canary ? known.templateHash(pool) : live
      let pods = view.pods(intent.key, pool).map { pod in
        var observation = PodObservation(pod)
        observation.isUpdated = pod.object.json[path: DesiredObjects.templateHashPath] == hash
        return observation
      }
      return PoolObservation(
        exists: true, wanted: Deployment(deployment).replicas, pods: pods, isCurrent: isCurrent,
        resourceVersion: deployment.metadata.resourceVersion)
    }
    return PerPool(observe)
  }

  /// Reads the log of a crash once.
  private func readLastWords(_ key: ObjectKey, _ pools: PerPool<PoolObservation>) async -> PerPool<String?> {
    var words = PerPool<String?>(dedicated: nil, burst: nil)
    for pool in Pool.allCases {
      guard let pod = pools[pool].pods.first(where: { !$0.isTerminating && $0.trouble?.isFatal == true }),
        let trouble = pod.trouble
      else { continue }
      let crash = "\(pod.uid)/\(trouble.restartCount)"
      if let known = state.withLock({ $0.memories[key]?.lastWords[crash] }) {
        words[pool] = known
        continue
      }
      let text = await lastWords.read(trouble, of: ObjectKey(namespace: key.namespace, name: pod.name))
      state.withLock { contents in
        // Only crashes of now: a model that crashes for days must not fill memory.
        if contents.memories[key]?.lastWords.count ?? 0 >= 8 { contents.memories[key]?.lastWords = [:] }
        contents.memories[key]?.lastWords[crash] = text
      }
      words[pool] = text
    }
    return words
  }

  // MARK: - Decide

  private func decide(
    _ intent: ServiceIntent, _ service: KubernetesObject, _ pools: inout PerPool<PoolObservation>, isActivated: Bool,
    lastWords: PerPool<String?>
  ) -> Round {
    let now = clock.now()
    let observed = pools
    let canaryFailure = Self.replicaFailure(view.deployment(intent.key, .canary))
    let (round, corrected, unreadable) = state.withLock { contents -> (Round, PerPool<PoolObservation>, String?) in
      var pools = observed
      var memory =
        contents.memories[intent.key].flatMap { $0.uid == intent.owner.uid ? $0 : nil }
        ?? ServiceMemory(intent, service: service, leadingSince: contents.leadingSince, now: now)
      memory.stableWindow = intent.policy.stableWindow
      let unreadable = contents.restoreIdleMemory(intent, &memory)
      contents.board.reserve(memory.stableWindow, for: intent.key)
      contents.board.watchBursts(of: intent.key, for: intent.policy.objective, now: now.monotonic)
      let load = contents.board.load(of: intent.key, policy: intent.policy, now: now.monotonic)
      for pool in Pool.allCases {
        pools[pool].wanted = memory.wantedReplicas(pool, live: pools[pool].wanted, now: now.monotonic)
        for index in pools[pool].pods.indices {
          pools[pool].pods[index].inFlight = load.inFlightByPod[pools[pool].pods[index].uid] ?? 0
        }
      }
      let round = memory.advance(
        RoundInputs(
          intent: intent, pools: pools, load: load, isActivated: isActivated, lastWords: lastWords,
          canaryFailure: canaryFailure, now: now), &contents.idleWindows)
      contents.memories[intent.key] = memory
      if let record = round.record { contents.decisions.append(record, of: intent.key) }
      account(intent, pools, round, drain: memory.drain, in: &contents.ledger, now: now.wall.milliseconds)
      if round.needsTicks(pools) {
        contents.active.insert(intent.key)
      } else {
        contents.active.remove(intent.key)
      }
      return (round, pools, unreadable)
    }
    if let unreadable {
      log.warning(
        "what was noted of the service's silences cannot be read; sleepAfter: Auto begins anew",
        ["service": intent.key.description, "problem": unreadable])
    }
    pools = corrected
    return round
  }

  /// Counts what the round saw.
  private func account(
    _ intent: ServiceIntent, _ pools: PerPool<PoolObservation>, _ round: Round, drain: DrainPlan,
    in ledger: inout Ledger, now: Int
  ) {
    let key = intent.key
    let pods = Pool.allCases.flatMap { pools[$0].pods }.compactMap { pod -> PodTimes? in
      guard var times = pod.times else { return nil }
      if times.drainingSince == nil, drain.pods.contains(pod.uid) { times.drainingSince = now }
      return times
    }
    let before = ledger.summary(of: key.name, in: key.namespace, now: now)
    ledger.advance(
      LedgerObservation(
        model: key.name, created: Timestamp.parse(intent.created)?.milliseconds ?? now, pods: pods,
        wanted: round.wanted.dedicated + round.wanted.burst,
        needed: ReplicaSlots(intent.policy).replicas(for: round.load.unhindered),
        floor: intent.policy.dedicatedReplicas, rates: intent.rates, advice: round.load.reading.advice),
      in: key.namespace, now: now)
    guard let after = ledger.summary(of: key.name, in: key.namespace, now: now), let before else { return }
    ledgerMetrics.count(key, from: before, to: after)
  }

  /// The Lease has done its work: somebody is awake and nobody waits; or nobody is to be waited for.
  private func isFulfilled(_ round: Round, _ pools: PerPool<PoolObservation>, _ intent: ServiceIntent) -> Bool {
    if intent.unsupported != nil || round.decision.reason == .suspended || round.decision.reason == .noCapacity {
      return true
    }
    if round.decision.reason == .wakeBackOff { return true }
    return pools.dedicated.ready + pools.burst.ready > 0 && round.load.held == 0
  }

  // MARK: - Forget

  private func forget(_ key: ObjectKey) async throws {
    let pods = Pool.allCases.flatMap { view.pods(key, $0) }.filter { !$0.nodeName.isEmpty }.map { PodTimes($0) }
    let now = clock.now().wall.milliseconds
    let affected = state.withLock { contents in
      if contents.ledger.knows(key.name, in: key.namespace) {
        // Pods may outlive their service for a while.
        var last = LedgerObservation(
          model: key.name, created: now, pods: pods, wanted: 0, needed: 0, floor: 0, rates: [:])
        last.isGone = true
        contents.ledger.advance(last, in: key.namespace, now: now)
        if pods.isEmpty { contents.ledger.retire(key.name, in: key.namespace) }
      }
      contents.memories[key] = nil
      contents.known.remove(key)
      contents.board.remove(key)
      contents.decisions.remove(key)
      contents.active.remove(key)
      return contents.claims.set([], of: key, created: "")
    }
    enqueue(affected)
    if view.services.store[key] == nil, let lease = view.lease(key, in: configuration.namespace) {
      try await writer.deleteLeaseForGood(lease)
    }
  }
}

extension Round {
  /// Something may change without an event: windows move, drains and wakes time out.
  fileprivate func needsTicks(_ pools: PerPool<PoolObservation>) -> Bool {
    if load.held + load.inFlight > 0 || !plan.drain.pods.isEmpty || !plan.draining.isEmpty { return true }
    if wanted.canary > 0 || pools.canary.wanted > 0 { return true }
    return wanted.burst > 0 || pools.burst.wanted > 0 || pools.dedicated.ready < wanted.dedicated
  }
}
