import ControllerRuntime
import Decisions
import KubernetesAPI
import KubernetesClient
import Telemetry

extension Reconciler {
  /// Makes and repairs what the service consists of.
  ///
  /// The burst Deployment is there from the start, with no replica; the dedicated one only once a replica was wanted: most
  /// services never have one, and an object less per service counts when there are thousands. While another template is
  /// tried, the pools stay as they are, and the canary is there beside them.
  /// - Returns: the verdict on the template, and who is in the way; nil: nobody.
  func applyObjects(
    _ known: KnownService, _ pools: PerPool<PoolObservation>, _ round: Round
  ) async throws -> (TemplateVerdict, conflict: String?) {
    let intent = known.intent
    if intent.unsupported != nil { return (.unknown("nothing is applied"), nil) }
    var needed: [Pool] = []
    if intent.policy.dedicatedReplicas > 0 || pools.dedicated.exists { needed.append(.dedicated) }
    if intent.policy.maxBurstReplicas > 0 || pools.burst.exists { needed.append(.burst) }
    let isTried = round.rollout?.isUnderWay ?? false
    let template = await verdict(known, isTried ? needed + [.canary] : needed)
    do {
      let objects = (isTried ? [.canary] + needed : needed).map { ($0, wantedObjects(known, $0, isTried)) }
      if case .valid = template {
        // Pods of another template go before their canary is another.
        let isSettled = pools.canary.pods.allSatisfy { $0.isUpdated || $0.isFinished }
        for (pool, objects) in objects where pool != .canary || isSettled {
          guard let deployment = objects.deployment else { continue }
          try await settle(.deployments, deployment, view.deployments.store, intent)
        }
      }
      for (_, objects) in objects {
        guard let service = objects.service else { continue }
        try await settle(.services, service, view.headless.store, intent)
      }
      if !needed.isEmpty {
        try await settle(.podDisruptionBudgets, known.budget, view.budgets.store, intent)
      }
      if !isTried { try await removeCanary(intent, pools.canary) }
    } catch let conflict as ClusterWriter.NotOurs {
      return (template, conflict.description)
    }
    return (template, nil)
  }

  /// A pool's Deployment and Service; of one that runs another template than is tried, only what it lacks.
  private func wantedObjects(
    _ known: KnownService, _ pool: Pool, _ isTried: Bool
  ) -> (deployment: KubernetesObject?, service: KubernetesObject?) {
    isTried && pool != .canary ? missingObjects(known, pool) : (known.deployments[pool], known.services[pool])
  }

  /// The verdict on a template is asked for once; a Deployment that was applied with it is a verdict, too.
  private func verdict(_ known: KnownService, _ pools: [Pool]) async -> TemplateVerdict {
    let intent = known.intent
    if let last = state.withLock({ $0.memories[intent.key]?.template }), last.hash == intent.templateHash {
      return last.verdict
    }
    let isApplied = pools.allSatisfy { pool in
      view.deployment(intent.key, pool)?.metadata.annotations[DesiredObjects.hashAnnotation]
        == known.deployments[pool]?.metadata.annotations[DesiredObjects.hashAnnotation]
    }
    let verdict = isApplied ? .valid : await check.verdict(known, pools: pools)
    if case .unknown = verdict { return verdict }
    state.withLock { $0.memories[intent.key]?.template = (intent.templateHash, verdict) }
    return verdict
  }

  /// Applies an object if it is not there, was changed, or should be another.
  private func settle(
    _ type: ResourceType, _ wanted: KubernetesObject, _ index: ControllerRuntime.ObjectIndex, _ intent: ServiceIntent
  ) async throws {
    let live = index[wanted.key]
    if let live, ObjectDrift.isSettled(live, wanted: wanted) { return }
    let name = "\(type.resource)/\(wanted.key.name)"
    let hash = wanted.metadata.annotations[DesiredObjects.hashAnnotation] ?? ""
    let now = clock.now().monotonic
    if let last = state.withLock({ $0.memories[intent.key]?.settled[name] }), last.hash == hash {
      // Ours of a moment ago, which the informer does not show yet; or what the API server made of it.
      if now - last.at < .seconds(5) || live.map({ Self.version($0) == last.version }) == true { return }
    }
    let applied = try await writer.apply(type, wanted, owner: intent.owner)
    metrics.applies.increment()
    log.info("applied", ["kind": type.kind, "object": wanted.key.description])
    state.withLock { $0.memories[intent.key]?.settled[name] = (Self.version(applied), hash, now) }
  }

  /// Changes when the wanted state does; kinds without a generation change with every write.
  private static func version(_ object: KubernetesObject) -> String {
    object.metadata.generation > 0 ? "\(object.metadata.generation)" : object.metadata.resourceVersion
  }
}
