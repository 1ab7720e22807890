import ControllerRuntime
import Decisions
import InferenceAPI
import KubernetesAPI
import Telemetry

extension Reconciler {
  /// A pool that comes into being while another template is tried: its objects with the template that the pools run.
  ///
  /// Only the pool beside it knows that template. What that pool's overrides changed stays, under this pool's own.
  /// - Returns: nil where neither pool is there.
  func stableObjects(
    _ known: KnownService, _ pool: Pool
  ) -> (deployment: KubernetesObject, service: KubernetesObject)? {
    var intent = known.intent
    guard let other = Pool.lasting.first(where: { $0 != pool }), let live = view.deployment(intent.key, other) else {
      return nil
    }
    var template = Deployment(live).template
    template[path: DesiredObjects.templateHashPath] = nil
    intent.templates[pool] = ServiceIntent.template(template, intent.overrides[pool], intent.key.name, pool)
    let name = ObjectKey(namespace: intent.key.namespace, name: other.deploymentName(of: intent.key.name))
    intent.port = view.headless.store[name]?.spec["ports"]?[0]?["targetPort"] ?? intent.port
    return (DesiredObjects.deployment(intent, pool), DesiredObjects.service(intent, pool))
  }

  /// Takes away what a canary that is over has left, once its last pod has gone.
  func removeCanary(_ intent: ServiceIntent, _ canary: PoolObservation) async throws {
    guard canary.wanted == 0, canary.pods.allSatisfy(\.isFinished) else { return }
    let name = ObjectKey(namespace: intent.key.namespace, name: Pool.canary.deploymentName(of: intent.key.name))
    for (type, live) in [(ResourceType.deployments, view.deployments.store[name]), (.services, view.headless.store[name])] {
      guard let live, live.metadata.controller?.uid == intent.owner.uid else { continue }
      try await writer.delete(type, live)
      log.info("removed", ["kind": type.kind, "object": name.description])
      state.withLock { $0.memories[intent.key]?.settled["\(type.resource)/\(name.name)"] = nil }
    }
  }

  /// Tells what happened to a canary.
  func tellRollout(_ round: Round, _ intent: ServiceIntent, _ service: KubernetesObject) {
    guard let event = round.rolloutEvent, let rollout = round.rollout else { return }
    let revision = rollout.updateRevision
    let step = "step \(rollout.step + 1) of \(intent.rollout.steps.count): \(rollout.trafficPercent)% of the requests"
    let (reason, message): (String, String) =
      switch event {
      case .started: ("CanaryStarted", "revision \(revision), \(step)")
      case .stepped: ("CanaryStep", "revision \(revision), \(step)")
      case .promoted: ("CanaryPromoted", "the pools take over revision \(revision)")
      case .withdrawn: ("CanaryWithdrawn", "the pools keep revision \(rollout.currentRevision)")
      case .aborted(let abort):
        (
          "CanaryAborted",
          "revision \(revision), \(abort.reason): \(abort.message); the pools keep revision \(rollout.currentRevision)"
        )
      }
    if case .aborted = event {
      events.record(.warning, about: service, reason: reason, message: message)
    } else {
      events.record(.normal, about: service, reason: reason, message: message)
    }
    log.info("rollout", ["service": intent.key.description, "event": reason, "message": message])
  }
}
