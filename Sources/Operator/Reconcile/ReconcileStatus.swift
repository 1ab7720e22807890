import ControllerRuntime
import Decisions
import InferenceAPI
import KubernetesAPI
import Telemetry

/// What a round found out on its way, for the status.
struct Telling {
  /// `lastDecision`, if a scale was changed.
  var scaled: JSONValue?
  var template: TemplateVerdict
  var conflict: String?
  var dedicatedTrouble: String?
}

extension Reconciler {
  /// Writes the status if that is worth a write. - Returns: when to look again though nothing changes; nil: never.
  func tell(
    _ intent: ServiceIntent, _ service: KubernetesObject, _ pools: PerPool<PoolObservation>, _ round: Round,
    _ telling: Telling
  ) async throws -> Duration? {
    let now = clock.now()
    let failures = PerPool { Self.replicaFailure(view.deployment(intent.key, $0)) }
    let (document, verdict) = state.withLock { contents -> (JSONValue?, StatusWritePolicy.Verdict) in
      guard let memory = contents.memories[intent.key] else { return (nil, .nothing) }
      let situation = ServiceSituation(
        intent: intent, template: telling.template,
        lostNames: contents.claims.lost(by: intent.key).map { ($0.name, $0.owner.description) },
        url: configuration.url(of: intent.key, contents.settings), pools: pools, wanted: round.wanted,
        drain: round.plan.drain, load: round.load, failure: memory.wake.failure,
        dedicatedTrouble: telling.dedicatedTrouble,
        conflict: telling.conflict, replicaFailure: failures, coldStarts: memory.wake.coldStarts,
        account: contents.ledger.summary(
          of: intent.key.name, in: intent.key.namespace, now: now.wall.milliseconds),
        wall: now.wall, rollout: round.rollout)
      // What the informer has caught up with is kept once.
      if memory.status == service.status { contents.memories[intent.key]?.status = nil }
      let previous = memory.status ?? service.status
      let document = StatusDocument.make(situation, previous: previous, decision: memory.lastDecision)
      let verdict = contents.statusWrites.judge(
        previous, document, isAtRest: situation.isAtRest, lastWrite: memory.lastStatusWrite, now: now.monotonic)
      return (document, verdict)
    }
    var pause: Duration? =
      round.load.held + pools.paid > 0
      ? StatusWritePolicy.minorInterval : nil
    if case .unknown = telling.template, intent.unsupported == nil { pause = .seconds(10) }
    if telling.conflict != nil { pause = .seconds(30) }
    switch verdict {
    case .nothing: break
    case .later(let wait): pause = min(pause ?? wait, wait)
    case .write:
      guard let document else { break }
      try await writer.writeStatus(of: service, InferenceService.resourceType, document)
      metrics.statusWrites.increment()
      state.withLock { contents in
        contents.memories[intent.key]?.status = document
        contents.memories[intent.key]?.lastStatusWrite = now.monotonic
        contents.memories[intent.key]?.begin(round.plan.drain, at: now.monotonic)
      }
    }
    return pause
  }

  /// Says that an object cannot be acted on; what runs of it stays as it is.
  func tellInvalid(_ key: ObjectKey, _ message: String) async -> Outcome {
    guard let service = view.services.store[key] else { return .done }
    let status = StatusDocument.invalid(service, message, wall: clock.now().wall)
    if status == service.status { return .done }
    do {
      try await writer.writeStatus(of: service, InferenceService.resourceType, status)
      return .done
    } catch {
      return .retry(reason: "\(error)")
    }
  }

  /// Why a Deployment makes no pods: quota, admission.
  static func replicaFailure(_ deployment: KubernetesObject?) -> String? {
    guard let condition = deployment?.condition("ReplicaFailure"), condition.isTrue else { return nil }
    return condition.message
  }
}

extension PerPool<PoolObservation> {
  /// Pods of all pools that somebody pays for.
  fileprivate var paid: Int { dedicated.paid + burst.paid + canary.paid }
}

extension ServiceSituation {
  /// No replica and no request: nothing is written then but changes of state.
  fileprivate var isAtRest: Bool {
    load.held + load.inFlight == 0 && pools.paid + wanted.dedicated + wanted.burst + wanted.canary == 0
  }
}
