import KubernetesClient

/// Speaks to an API server over a ``CurlDriver``.
public struct CurlTransport: KubernetesTransport {
  private let driver: CurlDriver
  public let endpoint: ClusterEndpoint
  private let userAgent: String

  /// Bytes of a whole answer: a page of 500 objects of the largest size that etcd holds is far from it.
  private static let answerLimit = 256 << 20
  /// Bytes of a watch that wait for a slow reader, who then has to list again.
  private static let streamLimit = 32 << 20

  public init(driver: CurlDriver, endpoint: ClusterEndpoint, userAgent: String = "pilotlight") {
    self.driver = driver
    self.endpoint = endpoint
    self.userAgent = userAgent
  }

  public func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    let token = try currentToken()
    var (head, body) = try await onceMore(request) {
      try await driver.send(prepared(request, token: token, limit: Self.answerLimit))
    }
    if head.status == 401, let renewed = try renewedToken(after: token) {
      (head, body) = try await driver.send(prepared(request, token: renewed, limit: Self.answerLimit))
    }
    return KubernetesResponse(status: head.status, headers: head.headers, body: body)
  }

  public func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    let token = try currentToken()
    var stream = try await onceMore(request) {
      try await driver.stream(prepared(request, token: token, limit: Self.streamLimit))
    }
    if stream.head.status == 401, let renewed = try renewedToken(after: token) {
      stream = try await driver.stream(prepared(request, token: renewed, limit: Self.streamLimit))
    }
    return KubernetesStream(status: stream.head.status, headers: stream.head.headers, body: stream.body)
  }

  /// A server that ends a shared connection (GOAWAY) takes requests with it that have nothing to do with that: what only reads is
  /// sent a second time.
  private func onceMore<Answer>(
    _ request: KubernetesRequest, _ send: () async throws -> Answer
  ) async throws -> Answer {
    do {
      return try await send()
    } catch let error as TransportError where error.code == .closed && request.method == .get {
      return try await send()
    }
  }

  private func prepared(_ request: KubernetesRequest, token: String?, limit: Int) -> CurlRequest {
    var headers: [(name: String, value: String)] = [("Accept", request.accept), ("User-Agent", userAgent)]
    if let contentType = request.contentType { headers.append(("Content-Type", contentType)) }
    if let token { headers.append(("Authorization", "Bearer \(token)")) }
    return CurlRequest(
      method: request.method.rawValue, url: endpoint.server + request.target, headers: headers, body: request.body,
      tls: endpoint.tls, proxy: endpoint.proxy, timeout: request.timeout, idleTimeout: request.idleTimeout,
      bodyLimit: limit)
  }

  private func currentToken() throws -> String? {
    guard endpoint.server.hasPrefix("https://") else { return nil }
    return try endpoint.token?.token()
  }

  /// A token that was refused may have been renewed since it was read: nil when it was not.
  private func renewedToken(after refused: String?) throws -> String? {
    guard let refused, let source = endpoint.token else { return nil }
    source.invalidate()
    let token = try source.token()
    return token == refused ? nil : token
  }
}
