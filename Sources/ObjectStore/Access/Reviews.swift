import FoundationEssentials
import KubernetesAPI

/// Questions to the API server: answered at once, never stored.
enum ReviewKind: CaseIterable {
  /// May I?
  case ownAccess
  /// May that user?
  case access
  /// What may I?
  case ownRules
  /// Who am I?
  case identity
  /// Whose token is this?
  case token

  var type: ResourceType {
    switch self {
    case .ownAccess: Self.own("selfsubjectaccessreviews", "SelfSubjectAccessReview", group: "authorization.k8s.io")
    case .access: .subjectAccessReviews
    case .ownRules: Self.own("selfsubjectrulesreviews", "SelfSubjectRulesReview", group: "authorization.k8s.io")
    case .identity: Self.own("selfsubjectreviews", "SelfSubjectReview", group: "authentication.k8s.io")
    case .token: .tokenReviews
    }
  }

  private static func own(_ resource: String, _ kind: String, group: String) -> ResourceType {
    ResourceType(group: group, version: "v1", resource: resource, kind: kind, isNamespaced: false)
  }
}

extension ObjectStore {
  /// Nil: the path is no review.
  func reviewAnswer(_ request: APIRequest, now: Date) throws(KubernetesStatus) -> APIBody? {
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
    json["status"] = try status(of: kind, json["spec"] ?? [:], user: request.user, now: now)
    return APIBody(json: json, status: 201)
  }

  private func status(
    of kind: ReviewKind, _ spec: JSONValue, user: APIUser, now: Date
  ) throws(KubernetesStatus) -> JSONValue {
    switch kind {
    case .ownAccess: return verdict(try Self.question(spec, kind.type, about: user))
    case .access:
      let groups = (spec["groups"]?.arrayValue ?? []).compactMap(\.stringValue)
      let subject = APIUser(
        name: spec["user"]?.stringValue ?? "", groups: groups, uid: spec["uid"]?.stringValue ?? "")
      guard !subject.name.isEmpty || !groups.isEmpty else {
        throw .invalid(
          kind.type, "", [.invalid("spec.user", .string(""), "at least one of user or group must be specified")])
      }
      return verdict(try Self.question(spec, kind.type, about: subject))
    case .ownRules: return shownRules(of: user, namespace: spec["namespace"]?.stringValue ?? "")
    case .identity: return ["userInfo": user.json]
    case .token: return verdict(onToken: spec, now: now)
    }
  }

  private func verdict(_ question: AccessRequest) -> JSONValue {
    guard case .allowed(let reason) = decide(question) else { return ["allowed": false] }
    return reason.isEmpty ? ["allowed": true] : ["allowed": true, "reason": .string(reason)]
  }

  private static func question(
    _ spec: JSONValue, _ type: ResourceType, about user: APIUser
  ) throws(KubernetesStatus) -> AccessRequest {
    let resource = spec["resourceAttributes"].flatMap { $0 == .null ? nil : $0 }
    let path = spec["nonResourceAttributes"].flatMap { $0 == .null ? nil : $0 }
    guard (resource == nil) != (path == nil) else {
      let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
      throw .invalid(type, "", [.invalid("spec.resourceAttributes", resource ?? .null, why)])
    }
    func text(_ json: JSONValue, _ name: String) -> String { json[name]?.stringValue ?? "" }
    if let path {
      return AccessRequest(user: user, verb: text(path, "verb"), target: .path(text(path, "path")))
    }
    let asked = resource ?? [:]
    return AccessRequest(
      user: user, verb: text(asked, "verb"),
      target: .resource(
        .init(
          group: text(asked, "group"), resource: text(asked, "resource"), subresource: text(asked, "subresource"),
          namespace: text(asked, "namespace"), name: text(asked, "name"))))
  }

  private func shownRules(of user: APIUser, namespace: String) -> JSONValue {
    var rules = rules(of: user, namespace: namespace)
    if user.groups.contains("system:masters") {
      rules.append(PolicyRule(json: ["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]))
      rules.append(PolicyRule(json: ["verbs": ["*"], "nonResourceURLs": ["*"]]))
    }
    let shown = rules.map(\.shown)
    return [
      "resourceRules": .array(shown.compactMap(\.resource)), "nonResourceRules": .array(shown.compactMap(\.path)),
      "incomplete": false,
    ]
  }

  private func verdict(onToken spec: JSONValue, now: Date) -> JSONValue {
    let asked = (spec["audiences"]?.arrayValue ?? []).compactMap(\.stringValue)
    do {
      let owner = try authenticate(
        spec["token"]?.stringValue ?? "", audiences: asked.isEmpty ? [Self.audience] : asked, now: now)
      return ["authenticated": true, "user": owner.user.json, "audiences": JSONValue(owner.audiences)]
    } catch {
      return ["authenticated": false, "user": [:], "error": .string(error.description)]
    }
  }
}

extension APIUser {
  fileprivate var json: JSONValue {
    var json: JSONValue = ["username": .string(name), "groups": JSONValue(groups)]
    if !uid.isEmpty { json["uid"] = .string(uid) }
    return json
  }
}
