import KubernetesAPI

/// What an authorizer looks at: who wants to do what to which resource or path.
public struct AccessRequest: Hashable, Sendable {
  public enum Target: Hashable, Sendable {
    case resource(Resource)
    /// A path that is no resource: `/version`.
    case path(String)
  }

  public struct Resource: Hashable, Sendable {
    public var group: String
    /// Plural: `deployments`.
    public var resource: String
    /// "": the resource itself.
    public var subresource: String
    /// "": all namespaces, or a cluster-scoped resource.
    public var namespace: String
    /// "": the collection.
    public var name: String

    public init(
      group: String = "", resource: String, subresource: String = "", namespace: String = "", name: String = ""
    ) {
      self.group = group
      self.resource = resource
      self.subresource = subresource
      self.namespace = namespace
      self.name = name
    }
  }

  public var user: APIUser
  /// `get list watch create update patch delete deletecollection`; for a path the HTTP method in lower case.
  public var verb: String
  public var target: Target

  public init(user: APIUser, verb: String, target: Target) {
    self.user = user
    self.verb = verb
    self.target = target
  }
}

extension AccessRequest {
  /// Reads a request as the API server does (k8s.io/apiserver/pkg/endpoints/request, `RequestInfoFactory`): by its URL alone, whether
  /// there is such a resource or not.
  public init(_ request: APIRequest) {
    user = request.user
    var parts = request.segments[...]
    let isGrouped = parts.first == "apis"
    guard isGrouped || parts.first == "api", parts.count >= (isGrouped ? 4 : 3) else {
      verb = request.method.lowercased()
      target = .path("/" + request.segments.joined(separator: "/"))
      return
    }
    var resource = Resource(resource: "")
    if isGrouped { resource.group = parts[1] }
    parts = parts.dropFirst(isGrouped ? 3 : 2)
    if parts.first == "namespaces", parts.count > 1 {
      resource.namespace = parts[parts.startIndex + 1]
      // `namespaces/NS/status` is a namespace's own subresource, `namespaces/NS/pods` a collection inside it.
      if parts.count > 2, !["status", "finalize"].contains(parts[parts.startIndex + 2]) { parts = parts.dropFirst(2) }
    }
    resource.resource = parts.popFirst() ?? ""
    resource.name = parts.popFirst() ?? ""
    resource.subresource = parts.popFirst() ?? ""
    verb = Self.verb(request, of: &resource)
    target = .resource(resource)
  }

  private static func verb(_ request: APIRequest, of resource: inout Resource) -> String {
    switch request.method {
    case "POST": return "create"
    case "PUT": return "update"
    case "PATCH": return "patch"
    case "DELETE": return resource.name.isEmpty ? "deletecollection" : "delete"
    default:
      guard resource.name.isEmpty else { return "get" }
      // A rule for one name lets its holder list and watch that one.
      resource.name = nameSelected(by: request.parameter("fieldSelector") ?? "")
      return request.isFlagSet("watch") ? "watch" : "list"
    }
  }

  private static func nameSelected(by selector: String) -> String {
    for term in selector.split(separator: ",") {
      for prefix in ["metadata.name==", "metadata.name="] where term.hasPrefix(prefix) {
        return String(term.dropFirst(prefix.count))
      }
    }
    return ""
  }
}

extension AccessRequest {
  /// What the API server answers to a request that nothing allows.
  public var refusal: KubernetesStatus {
    switch target {
    case .path(let path):
      return KubernetesStatus(
        code: 403, reason: "Forbidden",
        message: "forbidden: User \"\(user.name)\" cannot \(verb) path \"\(path)\"", details: .init())
    case .resource(let resource):
      let what = resource.subresource.isEmpty ? resource.resource : "\(resource.resource)/\(resource.subresource)"
      let place = resource.namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(resource.namespace)\""
      let type = ResourceType(group: resource.group, version: "", resource: resource.resource, kind: "")
      return .forbidden(
        type, resource.name,
        "User \"\(user.name)\" cannot \(verb) resource \"\(what)\" in API group \"\(resource.group)\" \(place)")
    }
  }
}
