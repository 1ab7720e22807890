import EventLoop
import HTTPWire
import KubernetesAPI
import ObjectStore

/// Who sends a request: whoever its bearer token belongs to, anonymous without one, and whom that user impersonates.
///
/// Confined to the cluster's loop.
struct Authenticator {
  let cluster: Cluster

  /// - Throws: 401 for a token that is nobody's, 403 where the user may not impersonate.
  func user(of headers: HTTPHeaders) throws(KubernetesStatus) -> APIUser {
    guard let authorization = headers.first("authorization") else { return .anonymous }
    let store = cluster.plane.store
    guard let token = BearerCredentials.token(in: authorization),
      let owner = try? store.authenticate(token, now: cluster.now.wall)
    else { throw KubernetesStatus(code: 401, reason: "Unauthorized", message: "Unauthorized") }
    return try store.effectiveUser(
      owner.user, impersonating: headers.first("impersonate-user"), groups: headers.all("impersonate-group"))
  }
}
