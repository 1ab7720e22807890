import Decisions
import InferenceAPI
import KubernetesAPI

extension ServiceIntent {
  /// Reads an InferenceService. - Throws: `InvalidInferenceService` where its spec breaks the schema's rules.
  init(
    _ object: KubernetesObject, _ settings: InstallationSettings = InstallationSettings(),
    timeZones: any TimeZoneSource
  ) throws(InvalidInferenceService) {
    let service = try InferenceService(object)
    let spec = service.spec
    let (schedules, unknownZones) = Self.schedules(spec.dedicated, timeZones)
    let overrides = PerPool(
      dedicated: spec.dedicated.overrides, burst: spec.burst.overrides, canary: spec.burst.overrides)
    let port = JSONValue(service.port)
    let rollout = RolloutPlan(spec, port: port)
    let templates = PerPool { pool in
      pool == .canary && rollout.steps.isEmpty
        ? .null : Self.template(spec.template, overrides[pool], service.key.name, pool)
    }
    self.init(
      key: object.key, owner: OwnerReference(controlledBy: object, blocksDeletion: false),
      generation: object.metadata.generation,
      created: object.metadata.creationTimestamp,
      unsupported: Self.unsupported(spec, unknownZones: unknownZones),
      // Without a policy the object uses an unsupported field, and nothing is decided for it.
      policy: service.scalingPolicy ?? ScalingPolicy(isSuspended: spec.suspend), schedules: schedules,
      economics: settings.economics(
        of: service, dedicatedNodes: Self.hardware(templates.dedicated).nodes,
        burstNodes: Self.hardware(templates.burst).nodes),
      rates: [
        Pool.dedicated.rawValue: settings.rates(
          of: service, service.spec.economics?.dedicated, Self.hardware(templates.dedicated)),
        Pool.burst.rawValue: settings.rates(
          of: service, service.spec.economics?.burst, Self.hardware(templates.burst)),
        Pool.canary.rawValue: settings.rates(
          of: service, service.spec.economics?.burst, Self.hardware(templates.burst)),
      ],
      wakePrice: service.wakePrice, wakesAhead: spec.scaling.mode == .predictive, startupTimeout: spec.timeouts.startup,
      drainTimeout: spec.timeouts.drain,
      names: service.callerNames,
      hostnames: spec.model.hostnames, maxSurge: spec.rollout.maxSurge.json,
      maxUnavailable: spec.rollout.maxUnavailable.json, port: port, templates: templates,
      templateHash: contentHash(["dedicated": templates.dedicated, "burst": templates.burst]), overrides: overrides,
      rollout: rollout)
  }

  private static func hardware(_ template: JSONValue) -> ReplicaHardware {
    let containers = template[path: ["spec", "containers"]]?.arrayValue ?? []
    let devices = containers.map { container -> Int in
      let limit = container[path: ["resources", "limits", "nvidia.com/gpu"]]
      return limit?.intValue ?? limit?.stringValue.flatMap { Int($0) } ?? 0
    }
    return ReplicaHardware(
      nodes: (template[path: ["spec", "nodeSelector"]]?.objectValue ?? [:]).compactMapValues(\.stringValue),
      accelerators: devices.reduce(0, +))
  }

  private static func unsupported(_ spec: InferenceServiceSpec, unknownZones: [String]) -> Verdict? {
    let fields = UnsupportedFields.reasons(in: spec).map(\.message)
    if !fields.isEmpty { return .no("UnsupportedField", fields.joined(separator: "; ")) }
    return unknownZones.isEmpty ? nil : .no("UnknownTimeZone", unknownZones.joined(separator: "; "))
  }

  /// The template of a pool's pods.
  static func template(
    _ template: JSONValue, _ overrides: JSONValue?, _ service: String, _ pool: Pool
  ) -> JSONValue {
    var template = PodTemplate.merged(template, overrides)
    var labels = template[path: ["metadata", "labels"]]?.objectValue ?? [:]
    labels[Labels.service] = .string(service)
    labels[Labels.pool] = .string(pool.rawValue)
    template[path: ["metadata", "labels"]] = .object(labels)
    return template
  }
}

extension RolloutPlan {
  /// The revision names everything that shapes the pods: the template, both overrides and the port.
  fileprivate init(_ spec: InferenceServiceSpec, port: JSONValue) {
    let overrides: JSONValue = [
      "dedicated": spec.dedicated.overrides ?? .null, "burst": spec.burst.overrides ?? .null,
    ]
    let steps = spec.rollout.strategy == .canary ? spec.rollout.steps : []
    let words = steps.map { "\($0.trafficPercent) \($0.pause.map { "\($0)" } ?? "-")" }
    self.init(
      revision: contentHash(["template": spec.template, "overrides": overrides, "port": port]),
      steps: steps.map { CanaryStep(trafficPercent: $0.trafficPercent, pause: $0.pause) },
      stepsRevision: contentHash(JSONValue(words)))
  }
}
