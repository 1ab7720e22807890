import KubernetesAPI

/// Defaults and validation of Deployments and ReplicaSets (k8s.io/kubernetes: pkg/apis/apps/v1/defaults.go, apps/validation).
enum WorkloadRules {
  typealias Cause = KubernetesStatus.Cause

  static func normalizeDeployment(_ json: inout JSONValue) {
    var strategy = json[path: ["spec", "strategy"]] ?? [:]
    let type = strategy["type"]?.stringValue?.nilIfEmpty ?? "RollingUpdate"
    strategy["type"] = .string(type)
    if type == "RollingUpdate" {
      let present = strategy["rollingUpdate"] ?? [:]
      strategy["rollingUpdate"] = [
        "maxSurge": present["maxSurge"] ?? "25%", "maxUnavailable": present["maxUnavailable"] ?? "25%",
      ]
    }
    json[path: ["spec", "strategy"]] = strategy
    normalizeTemplate(&json)
  }

  static func normalizeTemplate(_ json: inout JSONValue) {
    guard var spec = json[path: ["spec", "template", "spec"]] else { return }
    PodRules.normalize(spec: &spec, isTemplate: true)
    json[path: ["spec", "template", "spec"]] = spec
  }

  static func causes(_ new: JSONValue, old: JSONValue?) -> [Cause] {
    let spec = new["spec"] ?? [:]
    var causes: [Cause] = []
    if let replicas = spec["replicas"]?.intValue, replicas < 0 {
      causes.append(PodRules.notNegative("spec.replicas", replicas))
    }
    causes += selectorCauses(spec, old: old) + strategyCauses(spec["strategy"] ?? [:])
    guard let template = spec["template"] else { return causes }
    causes += MetadataValidation.labelCauses(
      template[path: ["metadata", "labels"]], field: "spec.template.metadata.labels")
    guard let pod = template["spec"] else { return causes + [.required("spec.template.spec.containers")] }
    causes += PodRules.causes(spec: pod, at: "spec.template.spec")
    if let policy = pod["restartPolicy"]?.stringValue, policy != "Always" {
      causes.append(.notSupported("spec.template.spec.restartPolicy", policy, ["Always"]))
    }
    return causes
  }

  private static func selectorCauses(_ spec: JSONValue, old: JSONValue?) -> [Cause] {
    guard let json = spec["selector"], json != [:] else {
      return spec["selector"] == nil
        ? [] : [.invalid("spec.selector", [:], "empty selector is invalid for deployment")]
    }
    guard let selector = LabelSelector(json: json) else {
      return [.invalid("spec.selector", json, "not a valid selector operator")]
    }
    var causes: [Cause] = []
    let labels = spec[path: ["template", "metadata", "labels"]] ?? [:]
    if !selector.matches((labels.objectValue ?? [:]).compactMapValues(\.stringValue)) {
      causes.append(
        Cause(
          reason: "FieldValueInvalid",
          message: "Invalid value: map[string]string\(labels.text): `selector` does not match template `labels`",
          field: "spec.template.metadata.labels"))
    }
    if let former = old?[path: ["spec", "selector"]], former != json {
      causes.append(.invalid("spec.selector", json, "field is immutable"))
    }
    return causes
  }

  private static func strategyCauses(_ strategy: JSONValue) -> [Cause] {
    let field = "spec.strategy.rollingUpdate"
    guard let rolling = strategy["rollingUpdate"] else { return [] }
    if strategy["type"]?.stringValue == "Recreate" {
      return [.forbidden(field, "may not be specified when strategy `type` is 'Recreate'")]
    }
    func isZero(_ name: String) -> Bool { ["0", "\"0\"", "\"0%\""].contains(rolling[name]?.text ?? "") }
    if isZero("maxSurge"), isZero("maxUnavailable") {
      return [.invalid("\(field).maxUnavailable", rolling["maxUnavailable"] ?? 0, "may not be 0 when `maxSurge` is 0")]
    }
    return ["maxSurge", "maxUnavailable"].compactMap { name in
      guard let text = rolling[name]?.stringValue, Int(text) == nil else { return nil }
      let isPercent = text.last == "%" && Int(text.dropLast()).map { $0 >= 0 } == true
      return isPercent
        ? nil
        : .invalid(
          "\(field).\(name)", .string(text),
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
        )
    }
  }
}
