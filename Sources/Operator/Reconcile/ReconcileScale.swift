import ControllerRuntime
import Decisions
import FoundationEssentials
import KubernetesAPI
import Telemetry

extension Reconciler {
  /// Makes the scale changes of a round. - Returns: the last of them as `status.lastDecision`; nil: none was made.
  func perform(
    _ round: Round, _ intent: ServiceIntent, _ service: KubernetesObject, _ pools: PerPool<PoolObservation>
  ) async throws -> JSONValue? {
    if round.verdict == .failed { tellFailure(intent, service) }
    if case .awake(let duration) = round.verdict {
      metrics.coldStart.observe(duration)
      log.info("awake", ["service": intent.key.description, "seconds": duration.inSeconds])
    }
    var record: JSONValue?
    for change in round.plan.scales {
      let deployment = ObjectKey(
        namespace: intent.key.namespace, name: change.pool.deploymentName(of: intent.key.name))
      try await writer.scale(change, deployment, seen: pools[change.pool], intent.key)
      metrics.scaleWrites.increment()
      let now = clock.now()
      let decision = state.withLock { contents -> JSONValue in
        contents.memories[intent.key]?.scaled[change.pool] = (change.to, now.monotonic)
        if change.pool == .burst && change.from == 0 {
          contents.memories[intent.key]?.wake.begin(at: now.monotonic - waited(round, at: now))
        }
        let decision = StatusDocument.decision(
          round, pool: change.pool, from: change.from, to: change.to,
          failure: contents.memories[intent.key]?.wake.failure, wall: now.wall)
        contents.memories[intent.key]?.lastDecision = decision
        contents.active.insert(intent.key)
        return decision
      }
      record = decision
      tellScale(change, round, intent, service, at: now)
    }
    return record
  }

  private func tellScale(
    _ change: PoolScale, _ round: Round, _ intent: ServiceIntent, _ service: KubernetesObject, at now: Now
  ) {
    let reason = round.reason(change.pool)
    events.record(
      .normal, about: service, reason: change.to > change.from ? "ScaledUp" : "ScaledDown",
      message:
        "\(change.pool.rawValue) \(change.from) -> \(change.to), \(reason.rawValue): \(round.message(change.pool, change.to))"
    )
    let log = log.with("service", intent.key.description).with("pool", change.pool.rawValue)
    guard change.pool == .burst, change.from == 0, let since = round.load.heldSinceUnix else {
      log.info("scaled", ["from": change.from, "to": change.to, "reason": reason.rawValue])
      return
    }
    let seconds = max(0, now.wall.timeIntervalSince1970 - since)
    metrics.requestToPatch.observe(seconds)
    log.info(
      "scaled",
      [
        "from": change.from, "to": change.to, "reason": reason.rawValue,
        "requestToPatchMs": (seconds * 100_000).rounded() / 100,
      ])
  }

  /// How long the oldest held request has waited. Two hosts' clocks may differ: within bounds.
  private func waited(_ round: Round, at now: Now) -> Duration {
    let since = round.load.heldSinceUnix ?? now.wall.timeIntervalSince1970
    return .seconds(min(600, max(0, now.wall.timeIntervalSince1970 - since)))
  }

  private func tellFailure(_ intent: ServiceIntent, _ service: KubernetesObject) {
    guard let failure = state.withLock({ $0.memories[intent.key]?.wake.failure }) else { return }
    metrics.failedWakes.increment()
    let next = Timestamp.seconds(failure.nextAttempt)
    events.record(
      .warning, about: service, reason: "WakeFailed",
      message: "\(failure.reason): \(failure.message); next attempt at \(next)")
    log.warning(
      "wake failed",
      ["service": intent.key.description, "reason": failure.reason, "failures": failure.failures, "next": next])
  }
}
