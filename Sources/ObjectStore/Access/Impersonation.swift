import KubernetesAPI

extension ObjectStore {
  /// The user as whom a request is to be answered: the one that `Impersonate-User` and `Impersonate-Group` name (kubectl's `--as`),
  /// where the sender may impersonate; the sender otherwise.
  /// - Throws: 403 for who may not, 400 for groups without a user.
  public func effectiveUser(
    _ sender: APIUser, impersonating name: String?, groups: [String]
  ) throws(KubernetesStatus) -> APIUser {
    guard let name, !name.isEmpty else {
      guard groups.isEmpty else {
        throw .badRequest("requested groups \(JSONValue(groups).text) without impersonating a user")
      }
      return sender
    }
    let account = Self.serviceAccount(named: name)
    try check(
      sender,
      account.map { .init(resource: "serviceaccounts", namespace: $0.namespace, name: $0.name) }
        ?? .init(resource: "users", name: name))
    for group in groups { try check(sender, .init(resource: "groups", name: group)) }
    if groups.isEmpty, let account { return .serviceAccount(account) }
    // Whoever is somebody is authenticated, unless it is anonymous that is meant.
    let extra = name == APIUser.anonymous.name ? "system:unauthenticated" : "system:authenticated"
    return APIUser(name: name, groups: groups.contains(extra) ? groups : groups + [extra])
  }

  private func check(_ sender: APIUser, _ target: AccessRequest.Resource) throws(KubernetesStatus) {
    let request = AccessRequest(user: sender, verb: "impersonate", target: .resource(target))
    guard decide(request).isAllowed else { throw request.refusal }
  }

  private static func serviceAccount(named name: String) -> ObjectKey? {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount" else { return nil }
    return ObjectKey(namespace: String(parts[2]), name: String(parts[3]))
  }
}
