import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// Finds out from the API server whether a token may do something: TokenReview, and SubjectAccessReview where the question is a
/// path. Answers are remembered (``ReviewCache``); concurrent questions about one token are one review. Tokens are never logged.
public final class AccessReviewer: Sendable {
  private typealias Review = Task<Result<AccessVerdict, AccessUnknown>, Never>

  private struct State {
    var cache = ReviewCache()
    var reviews: [ReviewCache.Key: Review] = [:]
  }

  /// A token that is longer is nobody's: the API server's own are about 1 KB.
  private static let longestToken = 16 << 10
  /// For an answer of the API server, in all.
  private static let patience: Duration = .seconds(5)

  private let client: KubernetesClient
  private let clock: any ClockSource
  private let log: Log
  private let digest: @Sendable (String) -> [UInt8]
  private let state = Mutex(State())

  /// - Parameter digest: a one-way function that does not collide (SHA-256): what is kept of a token.
  public init(
    client: KubernetesClient, clock: any ClockSource, log: Log, digest: @escaping @Sendable (String) -> [UInt8]
  ) {
    // Whoever asks waits: it is better told to come again.
    self.client = client.with(retry: .never)
    self.clock = clock
    self.log = log
    self.digest = digest
  }

  /// - Parameter peer: who shows the token: the address without its port.
  public func judge(
    token: String, _ question: AccessQuestion, peer: String
  ) async throws(AccessUnknown) -> AccessVerdict {
    guard token.utf8.count <= Self.longestToken else { return .unauthenticated }
    let key = ReviewCache.Key(digest: digest(token), question: question)
    let now = clock.now().monotonic
    let (verdict, review): (AccessVerdict?, Review?) = try state.withLock { state throws(AccessUnknown) in
      switch state.cache.look(key, from: peer, now: now) {
      case .known(let verdict): return (verdict, nil)
      case .unknown(let reason): throw reason
      case .join: return (nil, state.reviews[key])
      case .renew: return (.allowed, begin(key, token, &state))
      case .review: return (nil, begin(key, token, &state))
      }
    }
    if let verdict { return verdict }
    guard let review else { throw .busy }
    return try await review.value.get()
  }

  private func begin(_ key: ReviewCache.Key, _ token: String, _ state: inout State) -> Review {
    let review = Review { await self.review(key, token) }
    state.reviews[key] = review
    return review
  }

  private func review(_ key: ReviewCache.Key, _ token: String) async -> Result<AccessVerdict, AccessUnknown> {
    var verdict: AccessVerdict?
    do { verdict = try await ask(key.question, token) } catch {
      log.warning("a token cannot be reviewed", ["error": String(describing: error)])
    }
    let now = clock.now().monotonic
    return state.withLock { state in
      state.reviews[key] = nil
      return state.cache.finish(key, verdict, now: now)
    }
  }

  private func ask(_ question: AccessQuestion, _ token: String) async throws -> AccessVerdict {
    switch question {
    case .identity(let wanted, let audience):
      guard let user = try await user(of: token, audience: audience) else { return .unauthenticated }
      let name = user["username"]?.stringValue ?? ""
      return name == wanted ? .allowed : .forbidden(user: name)
    case .path(let path, let verb):
      guard let user = try await user(of: token, audience: nil) else { return .unauthenticated }
      return try await may(user, verb, path) ? .allowed : .forbidden(user: user["username"]?.stringValue ?? "")
    }
  }

  /// Nil when the token is nobody's, or not for this audience.
  private func user(of token: String, audience: String?) async throws -> JSONValue? {
    var spec: JSONValue = ["token": .string(token)]
    if let audience { spec["audiences"] = [.string(audience)] }
    let status = try await status(of: .tokenReviews, spec)
    guard status["authenticated"]?.boolValue == true else { return nil }
    // An authenticator that knows no audiences answers without any, and has not looked at them.
    if let audience, status["audiences"]?.arrayValue?.contains(.string(audience)) != true { return nil }
    return status["user"]
  }

  private func may(_ user: JSONValue, _ verb: String, _ path: String) async throws -> Bool {
    var spec: JSONValue = ["nonResourceAttributes": ["path": .string(path), "verb": .string(verb)]]
    spec["user"] = user["username"]
    spec["groups"] = user["groups"]
    spec["uid"] = user["uid"]
    spec["extra"] = user["extra"]
    return try await status(of: .subjectAccessReviews, spec)["allowed"]?.boolValue == true
  }

  private func status(of type: ResourceType, _ spec: JSONValue) async throws -> JSONValue {
    let review: JSONValue = [
      "apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "metadata": [:], "spec": spec,
    ]
    let request = KubernetesRequest(
      method: .post, path: type.collectionPath(namespace: nil), contentType: "application/json", body: review.bytes,
      timeout: Self.patience)
    return try await client.json(request)["status"] ?? [:]
  }
}
