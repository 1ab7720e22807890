/// The types that say who is who and who may do what.
extension ResourceType {
  public static let serviceAccounts = ResourceType(
    group: "", version: "v1", resource: "serviceaccounts", kind: "ServiceAccount")
  public static let roles = ResourceType(
    group: "rbac.authorization.k8s.io", version: "v1", resource: "roles", kind: "Role")
  public static let roleBindings = ResourceType(
    group: "rbac.authorization.k8s.io", version: "v1", resource: "rolebindings", kind: "RoleBinding")
  public static let clusterRoles = ResourceType(
    group: "rbac.authorization.k8s.io", version: "v1", resource: "clusterroles", kind: "ClusterRole",
    isNamespaced: false)
  public static let clusterRoleBindings = ResourceType(
    group: "rbac.authorization.k8s.io", version: "v1", resource: "clusterrolebindings", kind: "ClusterRoleBinding",
    isNamespaced: false)
  /// Whose token is this? Answered at once, never stored.
  public static let tokenReviews = ResourceType(
    group: "authentication.k8s.io", version: "v1", resource: "tokenreviews", kind: "TokenReview", isNamespaced: false)
  /// May this user do that? Answered at once, never stored.
  public static let subjectAccessReviews = ResourceType(
    group: "authorization.k8s.io", version: "v1", resource: "subjectaccessreviews", kind: "SubjectAccessReview",
    isNamespaced: false)
}
