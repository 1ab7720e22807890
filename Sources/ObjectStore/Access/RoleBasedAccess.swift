import KubernetesAPI

/// What the role bindings say to a request.
public enum AccessDecision: Hashable, Sendable {
  /// - Parameter reason: which binding allows it, in the API server's words; "" for those who may do everything.
  case allowed(reason: String)
  case denied

  public var isAllowed: Bool { self != .denied }
}

extension ObjectStore {
  /// Judges a request by the roles and bindings that are stored (Kubernetes documentation, "Using RBAC Authorization"). The group
  /// `system:masters` may do everything, whatever is bound.
  public func decide(_ request: AccessRequest) -> AccessDecision {
    if request.user.groups.contains("system:masters") { return .allowed(reason: "") }
    for binding in bindings(in: request.namespace) {
      guard let subject = binding.subject(matching: request.user) else { continue }
      if rules(of: binding).contains(where: { $0.allows(request) }) {
        return .allowed(reason: "RBAC: allowed by \(binding.title) to \(subject)")
      }
    }
    return .denied
  }

  /// The rules that a user has in a namespace, those of the whole cluster among them.
  func rules(of user: APIUser, namespace: String) -> [PolicyRule] {
    bindings(in: namespace).filter { $0.subject(matching: user) != nil }.flatMap { rules(of: $0) }
  }

  /// Of the whole cluster, and of one namespace unless that is "".
  private func bindings(in namespace: String) -> [RoleBinding] {
    let wide = objects(.clusterRoleBindings).map { RoleBinding($0) }
    guard !namespace.isEmpty else { return wide }
    return wide + objects(.roleBindings, namespace: namespace).map { RoleBinding($0) }
  }

  /// A binding to a role that is not there gives nothing.
  private func rules(of binding: RoleBinding) -> [PolicyRule] {
    let reference = binding.role
    if reference.kind == "ClusterRole" {
      var seen: Set<String> = []
      return rules(ofClusterRole: reference.name, seen: &seen)
    }
    guard reference.kind == "Role", !binding.namespace.isEmpty else { return [] }
    return rules(in: object(.roles, ObjectKey(namespace: binding.namespace, name: reference.name)))
  }

  /// In a cluster a controller writes an aggregated role's rules into it; here they are gathered when they are asked for.
  private func rules(ofClusterRole name: String, seen: inout Set<String>) -> [PolicyRule] {
    guard seen.insert(name).inserted, let role = object(.clusterRoles, ObjectKey(name: name)) else { return [] }
    guard let aggregation = role.json["aggregationRule"], aggregation != .null else { return rules(in: role) }
    let selectors = (aggregation["clusterRoleSelectors"]?.arrayValue ?? []).compactMap { LabelSelector(json: $0) }
    let members = objects(.clusterRoles).filter { member in
      selectors.contains { $0.matches(member.metadata.labels) }
    }
    return members.flatMap { rules(ofClusterRole: $0.metadata.name, seen: &seen) }
  }

  private func rules(in role: KubernetesObject?) -> [PolicyRule] {
    (role?.json["rules"]?.arrayValue ?? []).map { PolicyRule(json: $0) }
  }
}

extension AccessRequest {
  /// A binding within a namespace says nothing about paths.
  fileprivate var namespace: String {
    if case .resource(let resource) = target { resource.namespace } else { "" }
  }
}

/// A RoleBinding or ClusterRoleBinding.
private struct RoleBinding {
  /// "" for a ClusterRoleBinding.
  let namespace: String
  let role: (kind: String, name: String)
  private let name: String
  private let subjects: [JSONValue]

  init(_ object: KubernetesObject) {
    namespace = object.metadata.namespace
    name = object.metadata.name
    role = (
      object.json[path: ["roleRef", "kind"]]?.stringValue ?? "",
      object.json[path: ["roleRef", "name"]]?.stringValue ?? ""
    )
    subjects = object.json["subjects"]?.arrayValue ?? []
  }

  /// As the API server's reasons name it.
  var title: String {
    let own = namespace.isEmpty ? "ClusterRoleBinding \"\(name)\"" : "RoleBinding \"\(name)/\(namespace)\""
    return "\(own) of \(role.kind) \"\(role.name)\""
  }

  /// The first subject that is this user, as the API server's reasons name it; nil: the binding is not about that user.
  func subject(matching user: APIUser) -> String? {
    for subject in subjects {
      let kind = subject["kind"]?.stringValue ?? ""
      let name = subject["name"]?.stringValue ?? ""
      switch kind {
      case "User" where user.name == name, "Group" where user.groups.contains(name): return "\(kind) \"\(name)\""
      case "ServiceAccount":
        let home = subject["namespace"]?.stringValue?.nilIfEmpty ?? namespace
        if user.name == APIUser.serviceAccountName(ObjectKey(namespace: home, name: name)) {
          return "\(kind) \"\(name)/\(home)\""
        }
      default: continue
      }
    }
    return nil
  }
}
