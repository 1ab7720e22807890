import KubernetesAPI
import ObjectStore

/// The service accounts, roles and bindings that a sandbox begins with: those of every cluster that its users need, and
/// Pilotlight's own, the same as in `Manifests/rbac` (`Tests/EndToEnd/test_rbac.py` compares them).
enum BootRoles {
  static let controller = ObjectKey(namespace: BootObjects.systemNamespace, name: "pilotlight-controller")
  static let gateway = ObjectKey(namespace: BootObjects.systemNamespace, name: "pilotlight-gateway")
  /// For whom the controller's second token is.
  static let gatewayAudience = "pilotlight-gateway"

  /// In the order in which they are created.
  static var objects: [(type: ResourceType, object: KubernetesObject)] {
    everyCluster + pilotlight(controller, cluster: controllerInCluster, own: controllerAtHome)
      + pilotlight(gateway, cluster: gatewayInCluster, own: gatewayAtHome)
  }

  // MARK: - Pilotlight's

  private static let controllerInCluster: [JSONValue] = [
    rule("serving.pilotlight.dev", "inferenceservices", ["list", "watch"]),
    rule("serving.pilotlight.dev", "inferenceservices/status", ["patch"]),
    rule("apps", "deployments", ["get", "list", "watch", "create", "patch", "delete"]),
    rule("apps", "deployments/scale", ["patch"]),
    rule("", "services", ["get", "list", "watch", "create", "patch", "delete"]),
    rule("policy", "poddisruptionbudgets", ["get", "list", "watch", "create", "patch"]),
    rule("", "pods", ["list", "watch", "patch"]),
    rule("", "pods/log", ["get"]),
    rule("", "events", ["create", "patch"]),
    rule("authentication.k8s.io", "tokenreviews", ["create"]),
    rule("authorization.k8s.io", "subjectaccessreviews", ["create"]),
  ]

  private static let controllerAtHome: [JSONValue] = [
    rule("coordination.k8s.io", "leases", ["get", "list", "watch", "create", "update", "delete"]),
    rule("discovery.k8s.io", "endpointslices", ["list", "watch"]),
    settings, rule("", "configmaps", ["list", "create", "update", "delete"]),
  ]

  private static let gatewayInCluster: [JSONValue] = [
    rule("serving.pilotlight.dev", "inferenceservices", ["list", "watch"]),
    rule("discovery.k8s.io", "endpointslices", ["list", "watch"]),
    rule("authentication.k8s.io", "tokenreviews", ["create"]),
    rule("authorization.k8s.io", "subjectaccessreviews", ["create"]),
  ]

  private static let gatewayAtHome: [JSONValue] = [
    rule("coordination.k8s.io", "leases", ["create", "patch"]), settings,
  ]

  /// The ConfigMap of an installation's settings, and no other.
  private static let settings: JSONValue = [
    "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["pilotlight"], "verbs": ["list", "watch"],
  ]

  /// A service account with what it may do in the whole cluster, and in its own namespace.
  private static func pilotlight(
    _ account: ObjectKey, cluster: [JSONValue], own: [JSONValue]
  ) -> [(type: ResourceType, object: KubernetesObject)] {
    let subject: JSONValue = [
      "kind": "ServiceAccount", "name": .string(account.name), "namespace": .string(account.namespace),
    ]
    return [
      (.serviceAccounts, KubernetesObject(.serviceAccounts, account)),
      role(.clusterRoles, ObjectKey(name: account.name), cluster),
      binding(.clusterRoleBindings, ObjectKey(name: account.name), to: .clusterRoles, subject),
      role(.roles, account, own), binding(.roleBindings, account, to: .roles, subject),
    ]
  }

  // MARK: - Every cluster's (kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy)

  private static var everyCluster: [(type: ResourceType, object: KubernetesObject)] {
    let discovery = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"]
    let health = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
    let all: [JSONValue] = [rule("*", "*", ["*"]), ["nonResourceURLs": ["*"], "verbs": ["*"]]]
    return defaults("cluster-admin", all, groups: ["system:masters"])
      + defaults("system:discovery", [paths(discovery + health)], groups: ["system:authenticated"])
      + defaults(
        "system:public-info-viewer", [paths(health)], groups: ["system:authenticated", "system:unauthenticated"])
      + defaults(
        "system:basic-user",
        [
          rule("authorization.k8s.io", "selfsubjectaccessreviews", ["create"]),
          rule("authorization.k8s.io", "selfsubjectrulesreviews", ["create"]),
          rule("authentication.k8s.io", "selfsubjectreviews", ["create"]),
        ], groups: ["system:authenticated"])
  }

  private static func defaults(
    _ name: String, _ rules: [JSONValue], groups: [String]
  ) -> [(type: ResourceType, object: KubernetesObject)] {
    let subjects = groups.map { group -> JSONValue in
      ["apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": .string(group)]
    }
    return [
      role(.clusterRoles, ObjectKey(name: name), rules),
      binding(.clusterRoleBindings, ObjectKey(name: name), to: .clusterRoles, subjects),
    ]
  }

  // MARK: - Forms

  private static func rule(_ group: String, _ resource: String, _ verbs: [String]) -> JSONValue {
    ["apiGroups": [.string(group)], "resources": [.string(resource)], "verbs": JSONValue(verbs)]
  }

  private static func paths(_ paths: [String]) -> JSONValue {
    ["nonResourceURLs": JSONValue(paths), "verbs": ["get"]]
  }

  private static func role(
    _ type: ResourceType, _ key: ObjectKey, _ rules: [JSONValue]
  ) -> (type: ResourceType, object: KubernetesObject) {
    var role = KubernetesObject(type, key)
    role.json["rules"] = .array(rules)
    return (type, role)
  }

  private static func binding(
    _ type: ResourceType, _ key: ObjectKey, to role: ResourceType, _ subjects: JSONValue...
  ) -> (type: ResourceType, object: KubernetesObject) { binding(type, key, to: role, subjects) }

  private static func binding(
    _ type: ResourceType, _ key: ObjectKey, to role: ResourceType, _ subjects: [JSONValue]
  ) -> (type: ResourceType, object: KubernetesObject) {
    var binding = KubernetesObject(type, key)
    binding.json["roleRef"] = [
      "apiGroup": .string(role.group), "kind": .string(role.kind), "name": .string(key.name),
    ]
    binding.json["subjects"] = .array(subjects)
    return (type, binding)
  }
}
