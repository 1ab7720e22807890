import EventLoop
import Gateway
import InferenceAPI
import KubernetesAPI

/// What a gateway reads of one InferenceService, once per version of it.
struct ServiceReading: Sendable {
  /// Everything but the replicas.
  private let base: ServiceRoute
  private let limits: [Pool: Int]
  /// What the template says of how its pods are talked to and probed.
  private let container: ModelContainer?
  private let upstreamTLS: UpstreamTLS
  /// UIDs of pods that the controller drains.
  private let draining: Set<String>

  init(_ object: KubernetesObject, upstreamTLS: UpstreamTLS) {
    self.upstreamTLS = upstreamTLS
    draining = Set((object.status["drain"]?["pods"]?.arrayValue ?? []).compactMap(\.stringValue))
    let key = ServiceKey(namespace: object.metadata.namespace, name: object.metadata.name)
    let created = object.metadata.creationTimestamp
    let epoch = object.status["drain"]?["epoch"]?.intValue ?? 0
    do {
      let service = try InferenceService(object)
      limits = [
        .dedicated: service.dedicatedMaxConcurrency, .burst: service.maxConcurrency, .canary: service.maxConcurrency,
      ]
      let spec = service.spec
      container = ModelContainer(template: spec.template, port: service.port)
      var route = ServiceRoute(
        key: key, created: created, modelName: service.modelName, aliases: spec.model.aliases,
        adapters: spec.model.adapters, hostnames: spec.model.hostnames,
        modelProtocol: ModelProtocol(rawValue: spec.model.protocol.rawValue) ?? .http,
        healthPath: spec.model.healthPath, maxHeld: spec.queue.maxRequests,
        maxWait: spec.queue.maxWait, order: spec.routing.order.compactMap { Pool(rawValue: $0.rawValue.lowercased()) },
        responseTimeout: spec.timeouts.response, refusal: Self.refusal(service), drainEpoch: epoch,
        coldStartHint: object.status["coldStart"]?["p50"]?.stringValue.flatMap(GatewayDuration.parse),
        holdKeepAlive: object.metadata.annotations[Annotations.holdKeepAlive].flatMap(GatewayDuration.parse))
      route.rules = spec.routing.rules.map(RouteRule.init)
      route.prefixAffinity = object.metadata.annotations[Annotations.prefixAffinity].flatMap { Int($0) }
        .flatMap { (1...65536).contains($0) ? $0 : nil }
      route.tenantSharePercent = spec.queue.tenantSharePercent
      // What the spec asks for is the controller's to grant: it knows whether the canary is well.
      let percent = object.status["rollout"]?["trafficPercent"]?.intValue ?? 0
      route.canaryPercent = min(100, max(0, percent))
      base = route
    } catch {
      limits = [:]
      container = nil
      let refusal = Refusal(reason: "Invalid", message: error.description, always: true)
      base = ServiceRoute(key: key, created: created, refusal: refusal, drainEpoch: epoch)
    }
  }

  /// The route with the replicas that the slices of its pools tell of, sorted by pod UID. A pod that two slices tell of,
  /// as it happens while they are rearranged, is ready if one says so.
  func route(with slices: [EndpointSlice]) -> ServiceRoute {
    var byUID: [String: Replica] = [:]
    for slice in slices {
      guard let pool = slice.object.metadata.labels[Labels.pool].flatMap(Pool.init(rawValue:)),
        let port = slice.ports["http"] ?? slice.ports.min(by: { $0.key < $1.key })?.value
      else { continue }
      let changed = slice.lastChangeTriggerTime.flatMap(Timestamp.parse)
      for endpoint in slice.endpoints {
        guard let uid = endpoint.podUID, let host = endpoint.addresses.first,
          let address = try? SocketAddress(host: host, port: port)
        else { continue }
        let replica = Replica(
          podUID: uid, address: address, pool: pool, isReady: endpoint.isReady,
          isLeaving: endpoint.isTerminating || draining.contains(uid), maxConcurrency: limits[pool] ?? 1,
          readySince: changed, tls: container?.speaksTLS ?? false ? upstreamTLS : nil,
          readinessProbe: container?.earlyProbe)
        if let known = byUID[uid], known.isReady || !replica.isReady { continue }
        byUID[uid] = replica
      }
    }
    var route = base
    route.replicas = byUID.values.sorted { $0.podUID < $1.podUID }
    return route
  }

  /// Reasons of `Ready=False` that no wait mends, whatever an earlier wake that failed says of a next attempt.
  private static let finalReasons: Set<String> = ["TemplateInvalid", "NoCapacity", "UnknownTimeZone"]

  private static func refusal(_ service: InferenceService) -> Refusal? {
    let object = service.object
    if service.spec.suspend {
      return Refusal(reason: "Suspended", message: "spec.suspend is true: requests are refused", always: true)
    }
    if let unsupported = UnsupportedFields.reasons(in: service.spec).first {
      return Refusal(reason: "UnsupportedField", message: unsupported.message, always: true)
    }
    // What is said of an older generation may be wrong of this one.
    guard let ready = object.condition("Ready"), ready.status == "False",
      object.status["observedGeneration"]?.intValue == object.metadata.generation
    else { return nil }
    if finalReasons.contains(ready.reason) { return Refusal(reason: ready.reason, message: ready.message) }
    // After a failed wake nobody is held before the next attempt.
    let next = object.status["lastDecision"]?["inputs"]?["nextAttempt"]?.stringValue.flatMap(Timestamp.parse)
    guard next != nil || ready.reason == "CrashLoopBackOff" else { return nil }
    return Refusal(reason: ready.reason, message: ready.message, nextAttempt: next)
  }
}
