import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// For whom tokens are that name no audience: the API server (its `--api-audiences`).
  public static let audience = "https://kubernetes.default.svc.cluster.local"

  /// Gives a user a token that holds as long as the store does.
  /// - Parameter token: at least 40 characters that cannot be guessed.
  public mutating func admit(_ user: APIUser, token: String) {
    tokens.admit(token, TokenOwner(user: user, audiences: [Self.audience]))
  }

  /// Whose token it is, where it is for one of `audiences`; the owner's audiences are those of the two that agree.
  public func authenticate(
    _ token: String, audiences: [String] = [ObjectStore.audience], now: Date
  ) throws(TokenRefusal) -> TokenOwner {
    var (owner, account) = try tokens.find(token, now: now)
    if let account {
      guard let found = object(.serviceAccounts, account), found.metadata.uid == owner.user.uid else {
        throw TokenRefusal(description: "[invalid bearer token, service account \(account) has been deleted]")
      }
    }
    let common = audiences.filter { owner.audiences.contains($0) }
    guard !common.isEmpty else {
      throw TokenRefusal(
        description: "token audiences \(JSONValue(owner.audiences).text) is invalid for the target audiences "
          + JSONValue(audiences).text)
    }
    owner.audiences = common
    return owner
  }

  /// Gives out a token of a service account, as `POST …/serviceaccounts/NAME/token` does.
  /// - Parameters:
  ///   - audiences: whom it is for; none: the API server.
  ///   - seconds: how long it holds.
  /// - Throws: 404 when there is no such account.
  public mutating func issueToken(
    for account: ObjectKey, audiences: [String] = [], seconds: Int, now: Date
  ) throws(KubernetesStatus) -> (token: String, expires: Date) {
    guard let object = object(.serviceAccounts, account) else { throw .notFound(.serviceAccounts, account.name) }
    let expires = now.addingTimeInterval(Double(seconds))
    let owner = TokenOwner(
      user: .serviceAccount(account, uid: object.metadata.uid),
      audiences: audiences.isEmpty ? [Self.audience] : audiences)
    return (tokens.issue(owner, account: account, expires: expires, now: now), expires)
  }

  /// The `token` subresource of a ServiceAccount (authentication.k8s.io/v1 TokenRequest).
  mutating func answerTokenRequest(
    _ request: APIRequest, _ path: ResourcePath, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    var json = try RequestBody.object(request, expecting: Self.tokenRequest)
    let audiences = (json[path: ["spec", "audiences"]]?.arrayValue ?? []).compactMap(\.stringValue)
    let seconds = json[path: ["spec", "expirationSeconds"]]?.intValue ?? 3600
    guard seconds >= 600 else {
      throw .invalid(
        Self.tokenRequest, "",
        [
          .invalid(
            "spec.expirationSeconds", JSONValue(seconds), "may not specify a duration less than 10 minutes")
        ])
    }
    let (token, expires) = try issueToken(for: path.key, audiences: audiences, seconds: seconds, now: now)
    json["apiVersion"] = .string(Self.tokenRequest.apiVersion)
    json["kind"] = .string(Self.tokenRequest.kind)
    json["metadata"] = [
      "name": .string(path.key.name), "namespace": .string(path.key.namespace),
      "creationTimestamp": .string(Timestamp.seconds(now)),
    ]
    json["spec"] = [
      "audiences": JSONValue(audiences.isEmpty ? [Self.audience] : audiences), "expirationSeconds": JSONValue(seconds),
    ]
    json["status"] = ["token": .string(token), "expirationTimestamp": .string(Timestamp.seconds(expires))]
    return APIBody(json: json, status: 201)
  }

  static let tokenRequest = ResourceType(
    group: "authentication.k8s.io", version: "v1", resource: "tokenrequests", kind: "TokenRequest")
}

extension APIUser {
  /// Whom nobody authenticated.
  public static let anonymous = APIUser(name: "system:anonymous", groups: ["system:unauthenticated"])

  /// The user that a service account is to the API.
  public static func serviceAccount(_ account: ObjectKey, uid: String = "") -> APIUser {
    APIUser(
      name: serviceAccountName(account),
      groups: ["system:serviceaccounts", "system:serviceaccounts:\(account.namespace)", "system:authenticated"],
      uid: uid)
  }

  static func serviceAccountName(_ account: ObjectKey) -> String {
    "system:serviceaccount:\(account.namespace):\(account.name)"
  }
}
