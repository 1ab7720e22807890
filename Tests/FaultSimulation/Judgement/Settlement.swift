import FleetProtocol
import FoundationEssentials
import InferenceAPI
import KubernetesAPI

/// What a cluster that is left alone must come to.
struct Settlement {
  let world: World

  /// Why it is not settled yet; nil: it is. Nobody sends requests: every service sleeps, or has its dedicated replicas.
  var unsettled: String? {
    let services = world.api.store.objects(InferenceService.resourceType)
    for process in world.controllers {
      guard let incarnation = process.incarnation else { return "controller \(process.index) is down" }
      if incarnation.watches.contains(where: \.isDeceiving) {
        return "\(incarnation.identity) trusts a dead connection"
      }
      if incarnation.knownVersion(at: world.time.elapsed) < world.judge.specs.lastVersion {
        return "\(incarnation.identity) has not heard of the last change"
      }
      if incarnation.rememberedServices > services.count { return "\(incarnation.identity) remembers what is gone" }
    }
    for gateway in world.gateways {
      if gateway.held > 0 { return "\(gateway.name) still holds requests" }
      if gateway.load.inFlight > 0 { return "\(gateway.name) still has requests in flight" }
    }
    for service in services {
      if let reason = unsettled(service) { return "\(service.key): \(reason)" }
    }
    let leases = activationLeases
    return leases.isEmpty ? nil : "activation Leases are left: \(leases.joined(separator: ", "))"
  }

  private func unsettled(_ service: KubernetesObject) -> String? {
    guard let wish = world.judge.specs.latest(service.key) else { return nil }
    let status = service.status
    guard status["observedGeneration"]?.intValue == service.metadata.generation else {
      return "status is of generation \(status["observedGeneration"]?.text ?? "none")"
    }
    if service.condition("TemplateValid")?.status == "Unknown" { return "its template is not judged yet" }
    if let named = status["drain"]?["pods"]?.arrayValue, !named.isEmpty { return "status.drain still names pods" }
    guard let wall = leadersWall else { return "nobody leads" }
    let dedicated = wish.isSuspended ? 0 : wish.dedicated(at: wall)
    for (pool, wanted) in [("dedicated", dedicated), ("burst", 0)] {
      let key = ObjectKey(namespace: service.key.namespace, name: "\(service.key.name)-\(pool)")
      let replicas = world.api.store.object(.deployments, key).map { Deployment($0).replicas }
      if replicas ?? 0 != wanted { return "\(key.name) has \(replicas ?? 0) replicas, not \(wanted)" }
      let pods = world.workloads.pods(of: service.key).filter { $0.object.metadata.labels[Labels.pool] == pool }
      if pods.count != wanted || !pods.allSatisfy(\.isReady) {
        return "\(pods.count) pods of \(key.name), not \(wanted) ready ones"
      }
      guard status[pool]?["desiredReplicas"]?.intValue == wanted, status[pool]?["readyReplicas"]?.intValue == wanted
      else { return "status.\(pool) is \(status[pool]?.text ?? "missing")" }
    }
    if wish.hasCanary {
      // It may go on, be given up, or wait for somebody to wake; of a service that sleeps nothing is left but an empty Deployment.
      let canary = world.workloads.pods(of: service.key).filter { $0.object.metadata.labels[Labels.pool] == "canary" }
      guard canary.count <= dedicated else { return "\(canary.count) pods of a canary beside \(dedicated)" }
      if dedicated > 0 { return nil }
    }
    let state = status[path: ["display", "state"]]?.stringValue
    let expected =
      if wish.isSuspended { "Suspended" } else if dedicated > 0 { "Serving" } else {
        wish.maxBurst > 0 ? "Asleep" : "NoCapacity"
      }
    // The last wake may have failed: the status says so until the next one.
    return state == expected || Self.lastWakeFailed(service) ? nil : "state is \(state ?? "missing"), not \(expected)"
  }

  /// What schedules are held against: the leader's clock may be wrong.
  private var leadersWall: Date? {
    let holder = world.api.store.object(.leases, Judge.leaderLease).map { Lease($0).holderIdentity }
    return world.controllers.first { $0.incarnation?.identity == holder }?.clock.now().wall
  }

  static func lastWakeFailed(_ service: KubernetesObject) -> Bool {
    service.status["lastDecision"]?["inputs"]?["nextAttempt"] != nil
  }

  private var activationLeases: [String] {
    world.api.store.objects(.leases).filter { $0.metadata.labels[ActivationLease.label] != nil }.map(\.metadata.name)
  }

  /// What is left of services although there are none; nil: nothing.
  var leftBehind: String? {
    for type in [ResourceType.deployments, .services, .podDisruptionBudgets, .pods] {
      if let object = world.api.store.objects(type).first { return "\(object.kind) \(object.key) is left" }
    }
    if let lease = activationLeases.first { return "activation Lease \(lease) is left" }
    for process in world.controllers {
      guard let incarnation = process.incarnation else { continue }
      let count = incarnation.rememberedServices
      if count > 0 { return "\(incarnation.identity) still remembers \(count) services" }
    }
    return nil
  }
}
