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
    let credential = try await currentCredential()
    var (head, body) = try await onceMore(request) {
      try await driver.send(prepared(request, credential, limit: Self.answerLimit))
    }
    if head.status == 401, let renewed = try await renewedCredential(after: credential) {
      (head, body) = try await driver.send(prepared(request, renewed, limit: Self.answerLimit))
    }
    return KubernetesResponse(status: head.status, headers: head.headers, body: body)
  }

  public func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    let credential = try await currentCredential()
    var stream = try await onceMore(request) {
      try await driver.stream(prepared(request, credential, limit: Self.streamLimit))
    }
    if stream.head.status == 401, let renewed = try await renewedCredential(after: credential) {
      stream = try await driver.stream(prepared(request, renewed, limit: Self.streamLimit))
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

  private func prepared(_ request: KubernetesRequest, _ credential: Credential?, limit: Int) -> CurlRequest {
    var headers: [(name: String, value: String)] = [("Accept", request.accept), ("User-Agent", userAgent)]
    if let contentType = request.contentType { headers.append(("Content-Type", contentType)) }
    if let token = credential?.token { headers.append(("Authorization", "Bearer \(token)")) }
    var tls = endpoint.tls
    if let certificate = credential?.clientCertificate, let key = credential?.clientKey {
      (tls.clientCertificate, tls.clientKey) = (certificate, key)
    }
    var prepared = CurlRequest(
      method: request.method.rawValue, url: endpoint.server + request.target, headers: headers, body: request.body,
      tls: tls, proxy: endpoint.proxy, timeout: request.timeout, idleTimeout: request.idleTimeout, bodyLimit: limit)
    prepared.window = request.window
    return prepared
  }

  private func currentCredential() async throws -> Credential? {
    guard endpoint.server.hasPrefix("https://") else { return nil }
    return try await endpoint.credentials?.credential()
  }

  /// What was refused may have been renewed since it was read: nil when it was not.
  private func renewedCredential(after refused: Credential?) async throws -> Credential? {
    guard let refused, let source = endpoint.credentials else { return nil }
    source.invalidate(refused)
    let credential = try await source.credential()
    return credential == refused ? nil : credential
  }
}
