import KubernetesAPI

/// What a client may ask about itself: answered at once, never stored.
enum ReviewKind: CaseIterable {
  case access
  case rules
  case identity

  var type: ResourceType {
    switch self {
    case .access:
      ResourceType(
        group: "authorization.k8s.io", version: "v1", resource: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview", isNamespaced: false)
    case .rules:
      ResourceType(
        group: "authorization.k8s.io", version: "v1", resource: "selfsubjectrulesreviews",
        kind: "SelfSubjectRulesReview", isNamespaced: false)
    case .identity:
      ResourceType(
        group: "authentication.k8s.io", version: "v1", resource: "selfsubjectreviews", kind: "SelfSubjectReview",
        isNamespaced: false)
    }
  }

  /// The store authorizes nothing: whoever got here may do everything.
  func status(_ user: APIUser) -> JSONValue {
    switch self {
    case .access: ["allowed": true]
    case .rules:
      [
        "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
        "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
      ]
    case .identity:
      ["userInfo": ["username": .string(user.name), "groups": JSONValue(user.groups)]]
    }
  }
}

extension ObjectStore {
  /// Nil: the path is no review.
  func reviewAnswer(_ request: APIRequest) throws(KubernetesStatus) -> APIBody? {
    let kind = ReviewKind.allCases.first {
      request.segments == ["apis", $0.type.group, $0.type.version, $0.type.resource]
    }
    guard let kind else { return nil }
    guard request.method == "POST" else { throw .methodNotAllowed() }
    var json = try RequestBody.object(request, expecting: kind.type)
    json["apiVersion"] = .string(kind.type.apiVersion)
    json["kind"] = .string(kind.type.kind)
    json["metadata"] = json["metadata"] ?? [:]
    if kind != .identity { json["spec"] = json["spec"] ?? [:] }
    json["status"] = kind.status(request.user)
    return APIBody(json: json, status: 201)
  }
}
