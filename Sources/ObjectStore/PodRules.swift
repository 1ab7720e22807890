import KubernetesAPI

/// What the API server does to pod specs beyond their schema: defaults that depend on other fields, and validation
/// (k8s.io/kubernetes: pkg/apis/core/v1/defaults.go, pkg/apis/core/validation).
enum PodRules {
  typealias Cause = KubernetesStatus.Cause

  // MARK: Defaults

  /// - Parameter isTemplate: of a Deployment, where fewer defaults apply than to a pod.
  static func normalize(spec: inout JSONValue, isTemplate: Bool) {
    for list in ["initContainers", "containers", "ephemeralContainers"] {
      guard let containers = spec[list]?.arrayValue else { continue }
      spec[list] = .array(containers.map { normalized(container: $0, isTemplate: isTemplate) })
    }
    if let volumes = spec["volumes"]?.arrayValue {
      spec["volumes"] = .array(
        volumes.map { volume in
          var volume = volume
          if volume.objectValue?.count == 1 { volume["emptyDir"] = [:] }
          return volume
        })
    }
    if !isTemplate, spec["enableServiceLinks"] == nil { spec["enableServiceLinks"] = true }
  }

  private static func normalized(container: JSONValue, isTemplate: Bool) -> JSONValue {
    var container = container
    if container["imagePullPolicy"] == nil {
      container["imagePullPolicy"] = pullsAlways(container["image"]?.stringValue ?? "") ? "Always" : "IfNotPresent"
    }
    for kind in ["limits", "requests"] {
      guard let amounts = container[path: ["resources", kind]]?.objectValue else { continue }
      container[path: ["resources", kind]] = .object(
        amounts.mapValues { amount in Quantity.canonical(amount).map { .string($0) } ?? amount })
    }
    // A limit without a request is also the request; in a template that is left to the pod.
    if !isTemplate, let limits = container[path: ["resources", "limits"]]?.objectValue {
      let requests = container[path: ["resources", "requests"]]?.objectValue ?? [:]
      container[path: ["resources", "requests"]] = .object(limits.merging(requests) { _, own in own })
    }
    return container
  }

  /// Images without a tag, or tagged `latest`, are pulled always.
  private static func pullsAlways(_ image: String) -> Bool {
    if image.contains("@") { return false }
    let name = image.split(separator: "/").last ?? ""
    guard let mark = name.lastIndex(of: ":") else { return true }
    return name[name.index(after: mark)...] == "latest"
  }

  // MARK: Validation

  static func causes(spec: JSONValue, at path: String) -> [Cause] {
    let volumes = spec["volumes"]?.arrayValue ?? []
    let volumeNames = Set(volumes.compactMap { $0["name"]?.stringValue })
    var causes = uniqueNames(volumes, at: "\(path).volumes")
    if let containers = spec["containers"]?.arrayValue, containers.isEmpty {
      causes.append(.required("\(path).containers"))
    }
    let lists = ["containers", "initContainers"]
    causes += lists.flatMap { list -> [Cause] in
      let containers = spec[list]?.arrayValue ?? []
      return uniqueNames(containers, at: "\(path).\(list)")
        + containers.enumerated().flatMap { index, container in
          containerCauses(container, at: "\(path).\(list)[\(index)]", volumes: volumeNames)
        }
    }
    if let grace = spec["terminationGracePeriodSeconds"]?.intValue, grace < 0 {
      causes.append(notNegative("\(path).terminationGracePeriodSeconds", grace))
    }
    return causes
  }

  private static func uniqueNames(_ elements: [JSONValue], at path: String) -> [Cause] {
    var seen: Set<String> = []
    return elements.enumerated().flatMap { index, element -> [Cause] in
      guard let name = element["name"]?.stringValue else { return [] }
      let field = "\(path)[\(index)].name"
      if name.isEmpty { return [.required(field)] }
      if !NameSyntax.isLabel(name) { return [.invalid(field, .string(name), NameSyntax.labelMessage)] }
      return seen.insert(name).inserted ? [] : [.duplicate(field, .string(name))]
    }
  }

  private static func containerCauses(_ container: JSONValue, at path: String, volumes: Set<String>) -> [Cause] {
    var causes: [Cause] = []
    if container["image"]?.stringValue?.isEmpty != false { causes.append(.required("\(path).image")) }
    for (index, port) in (container["ports"]?.arrayValue ?? []).enumerated() {
      guard let number = port["containerPort"]?.intValue else { continue }
      if !(1...65_535).contains(number) {
        causes.append(
          .invalid(
            "\(path).ports[\(index)].containerPort", JSONValue(number), "must be between 1 and 65535, inclusive"))
      }
    }
    for (index, variable) in (container["env"]?.arrayValue ?? []).enumerated() {
      let field = "\(path).env[\(index)]"
      if variable["name"]?.stringValue?.isEmpty == true { causes.append(.required("\(field).name")) }
      if variable["value"]?.stringValue?.isEmpty == false, variable["valueFrom"] != nil {
        causes.append(
          .invalid("\(field).valueFrom", "", "may not be specified when `value` is not empty"))
      }
    }
    for (index, mount) in (container["volumeMounts"]?.arrayValue ?? []).enumerated() {
      let field = "\(path).volumeMounts[\(index)].name"
      guard let name = mount["name"]?.stringValue, !volumes.contains(name) else { continue }
      causes.append(Cause(reason: "FieldValueNotFound", message: "Not found: \"\(name)\"", field: field))
    }
    return causes + resourceCauses(container["resources"] ?? [:], at: "\(path).resources")
  }

  private static func resourceCauses(_ resources: JSONValue, at path: String) -> [Cause] {
    ["limits", "requests"].flatMap { kind -> [Cause] in
      (resources[kind]?.objectValue ?? [:]).sorted { $0.key < $1.key }.flatMap { name, amount -> [Cause] in
        let field = "\(path).\(kind)[\(name)]"
        guard let text = Quantity.canonical(amount) else { return [.invalid(field, amount, Quantity.message)] }
        if text.hasPrefix("-") { return [.invalid(field, .string(text), "must be greater than or equal to 0")] }
        return []
      }
    }
  }

  static func notNegative(_ field: String, _ number: Int) -> Cause {
    .invalid(field, JSONValue(number), "must be greater than or equal to 0")
  }
}
