import ControllerRuntime
import Decisions
import InferenceAPI
import KubernetesAPI
import Telemetry

extension Reconciler {
  /// What a pool lacks while another template is tried, with the template that the pools run.
  ///
  /// Only their Deployments know that template. A pool that first comes into being takes it from the one beside it: what that
  /// pool's overrides changed stays, under this pool's own.
  func missingObjects(
    _ known: KnownService, _ pool: Pool
  ) -> (deployment: KubernetesObject?, service: KubernetesObject?) {
    var intent = known.intent
    let own = view.deployment(intent.key, pool)
    guard let live = own ?? Pool.lasting.lazy.compactMap({ view.deployment(intent.key, $0) }).first else {
      return (nil, nil)
    }
    var template = Deployment(live).template
    template[path: DesiredObjects.templateHashPath] = nil
    intent.port = servingPort(of: template, wanted: intent.port)
    intent.templates[pool] = ServiceIntent.template(template, intent.overrides[pool], intent.key.name, pool)
    let name = ObjectKey(namespace: intent.key.namespace, name: pool.deploymentName(of: intent.key.name))
    return (
      own == nil ? DesiredObjects.deployment(intent, pool) : nil,
      view.headless.store[name] == nil ? DesiredObjects.service(intent, pool) : nil
    )
  }

  /// The port that the owner names today may not be one of the template of before.
  private func servingPort(of template: JSONValue, wanted: JSONValue) -> JSONValue {
    let ports = (template["spec"]?["containers"]?.arrayValue ?? []).flatMap { $0["ports"]?.arrayValue ?? [] }
    if ports.contains(where: { $0["containerPort"] == wanted }) { return wanted }
    return ports.first?["containerPort"] ?? wanted
  }

  /// Takes away what a canary that is over has left, once its last pod has gone.
  func removeCanary(_ intent: ServiceIntent, _ canary: PoolObservation) async throws {
    guard canary.wanted == 0, canary.pods.allSatisfy(\.isFinished) else { return }
    let name = ObjectKey(namespace: intent.key.namespace, name: Pool.canary.deploymentName(of: intent.key.name))
    for (type, live) in [
      (ResourceType.deployments, view.deployments.store[name]), (.services, view.headless.store[name]),
    ] {
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
