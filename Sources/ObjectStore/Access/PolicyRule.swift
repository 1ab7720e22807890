import KubernetesAPI

/// One rule of a Role or ClusterRole (rbac.authorization.k8s.io/v1): rules only allow, and what none allows is forbidden.
struct PolicyRule: Hashable, Sendable {
  var verbs: [String]
  var apiGroups: [String]
  var resources: [String]
  /// Empty: any name.
  var resourceNames: [String]
  var nonResourceURLs: [String]

  init(json: JSONValue) {
    func texts(_ name: String) -> [String] { (json[name]?.arrayValue ?? []).compactMap(\.stringValue) }
    verbs = texts("verbs")
    apiGroups = texts("apiGroups")
    resources = texts("resources")
    resourceNames = texts("resourceNames")
    nonResourceURLs = texts("nonResourceURLs")
  }

  func allows(_ request: AccessRequest) -> Bool {
    guard Self.matches(verbs, request.verb) else { return false }
    switch request.target {
    case .path(let path): return nonResourceURLs.contains { Self.covers($0, path) }
    case .resource(let resource):
      return Self.matches(apiGroups, resource.group) && resources.contains { Self.names($0, resource) }
        && (resourceNames.isEmpty || resourceNames.contains(resource.name))
    }
  }

  private static func matches(_ values: [String], _ wanted: String) -> Bool {
    values.contains("*") || values.contains(wanted)
  }

  /// `pods` is not `pods/log`; `*` is all resources and subresources, `*/scale` that subresource of each.
  private static func names(_ text: String, _ resource: AccessRequest.Resource) -> Bool {
    if text == "*" { return true }
    guard !resource.subresource.isEmpty else { return text == resource.resource }
    return text == "\(resource.resource)/\(resource.subresource)" || text == "*/\(resource.subresource)"
  }

  /// A star stands for what follows, and only at the end.
  private static func covers(_ pattern: String, _ path: String) -> Bool {
    if pattern.hasSuffix("*") { return path.hasPrefix(pattern.dropLast()) }
    return pattern == path
  }

  /// As a SelfSubjectRulesReview shows it; one of the two is nil.
  var shown: (resource: JSONValue?, path: JSONValue?) {
    guard nonResourceURLs.isEmpty else {
      return (nil, ["verbs": JSONValue(verbs), "nonResourceURLs": JSONValue(nonResourceURLs)])
    }
    var json: JSONValue = [
      "verbs": JSONValue(verbs), "apiGroups": JSONValue(apiGroups), "resources": JSONValue(resources),
    ]
    if !resourceNames.isEmpty { json["resourceNames"] = JSONValue(resourceNames) }
    return (json, nil)
  }
}
