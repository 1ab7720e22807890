import KubernetesAPI

/// Pod templates, kept as JSON: a typed round trip would lose fields.
public enum PodTemplate {
  /// `template` (`{metadata, spec}` of a pod) as a pool's `overrides` change it: labels, annotations and nodeSelector
  /// merge by key, env by name, tolerations are added, anything else replaces. The serving container is the first.
  public static func merged(_ template: JSONValue, _ overrides: JSONValue?) -> JSONValue {
    guard let overrides, let changes = overrides.objectValue, !changes.isEmpty else { return template }
    var template = template
    var spec = template["spec"] ?? [:]
    for name in ["labels", "annotations"] {
      if let merged = union(template["metadata"]?[name], changes[name]) { template[path: ["metadata", name]] = merged }
    }
    spec["nodeSelector"] = union(spec["nodeSelector"], changes["nodeSelector"])
    spec["tolerations"] = appended(spec["tolerations"], changes["tolerations"])
    for name in ["affinity", "topologySpreadConstraints", "priorityClassName", "runtimeClassName"] {
      spec[name] = changes[name] ?? spec[name]
    }
    if var containers = spec["containers"]?.arrayValue, !containers.isEmpty {
      containers[0] = mergedContainer(containers[0], changes)
      spec["containers"] = .array(containers)
    }
    template["spec"] = spec
    return template
  }

  /// Number of the port where the pods serve: `port` itself, the container port of that name, or the first port of the
  /// first container. Nil: there is none.
  public static func port(_ port: JSONValue?, in template: JSONValue) -> Int? {
    if let number = port?.intValue { return number }
    let containers = template["spec"]?["containers"]?.arrayValue ?? []
    guard let name = port?.stringValue else { return containers.first?["ports"]?[0]?["containerPort"]?.intValue }
    let ports = containers.flatMap { $0["ports"]?.arrayValue ?? [] }
    return ports.first { $0["name"]?.stringValue == name }?["containerPort"]?.intValue
  }

  private static func mergedContainer(_ container: JSONValue, _ changes: [String: JSONValue]) -> JSONValue {
    var container = container
    for name in ["image", "command", "args", "resources"] { container[name] = changes[name] ?? container[name] }
    guard let variables = changes["env"]?.arrayValue, !variables.isEmpty else { return container }
    var merged = container["env"]?.arrayValue ?? []
    for variable in variables {
      // In its old place: later variables may refer to it.
      if let index = merged.firstIndex(where: { $0["name"] == variable["name"] }) {
        merged[index] = variable
      } else {
        merged.append(variable)
      }
    }
    container["env"] = .array(merged)
    return container
  }

  private static func union(_ base: JSONValue?, _ changes: JSONValue?) -> JSONValue? {
    guard let changes = changes?.objectValue else { return base }
    return .object((base?.objectValue ?? [:]).merging(changes) { _, new in new })
  }

  private static func appended(_ base: JSONValue?, _ added: JSONValue?) -> JSONValue? {
    guard let added = added?.arrayValue else { return base }
    let present = base?.arrayValue ?? []
    return .array(present + added.filter { !present.contains($0) })
  }
}
