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
    let templates = PerPool(
      dedicated: Self.template(service, spec.dedicated.overrides, .dedicated),
      burst: Self.template(service, spec.burst.overrides, .burst))
    self.init(
      key: object.key, owner: OwnerReference(controlledBy: object), generation: object.metadata.generation,
      created: object.metadata.creationTimestamp,
      unsupported: Self.unsupported(spec, unknownZones: unknownZones),
      // Without a policy the object uses an unsupported field, and nothing is decided for it.
      policy: service.scalingPolicy ?? ScalingPolicy(isSuspended: spec.suspend), schedules: schedules,
      economics: settings.economics(
        of: service, dedicatedNodes: Self.nodeSelector(templates.dedicated),
        burstNodes: Self.nodeSelector(templates.burst)),
      startupTimeout: spec.timeouts.startup, drainTimeout: spec.timeouts.drain, names: service.callerNames,
      hostnames: spec.model.hostnames, maxSurge: spec.rollout.maxSurge.json,
      maxUnavailable: spec.rollout.maxUnavailable.json, port: JSONValue(service.port), templates: templates,
      templateHash: contentHash(["dedicated": templates.dedicated, "burst": templates.burst]))
  }

  private static func nodeSelector(_ template: JSONValue) -> [String: String] {
    (template[path: ["spec", "nodeSelector"]]?.objectValue ?? [:]).compactMapValues(\.stringValue)
  }

  private static func unsupported(_ spec: InferenceServiceSpec, unknownZones: [String]) -> Verdict? {
    let fields = UnsupportedFields.reasons(in: spec).map(\.message)
    if !fields.isEmpty { return .no("UnsupportedField", fields.joined(separator: "; ")) }
    return unknownZones.isEmpty ? nil : .no("UnknownTimeZone", unknownZones.joined(separator: "; "))
  }

  private static func template(_ service: InferenceService, _ overrides: JSONValue?, _ pool: Pool) -> JSONValue {
    var template = PodTemplate.merged(service.spec.template, overrides)
    var labels = template[path: ["metadata", "labels"]]?.objectValue ?? [:]
    labels[Labels.service] = .string(service.key.name)
    labels[Labels.pool] = .string(pool.rawValue)
    template[path: ["metadata", "labels"]] = .object(labels)
    return template
  }
}
