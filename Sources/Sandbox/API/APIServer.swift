import EventLoop
import FoundationEssentials
import KubernetesAPI
import ObjectStore
import Telemetry

/// Answers the Kubernetes API over HTTP: who asks, whole answers, watches and logs.
///
/// Sendable because it is confined to the cluster's loop, on which the HTTP server runs every handler.
final class APIServer: @unchecked Sendable {
  /// Of a request body, as kube-apiserver's `--max-request-body-bytes`.
  static let bodyLimit = 3 << 20

  private let cluster: Cluster
  private let kubelet: Kubelet
  private let authenticator: Authenticator
  private let audit: AuditLog

  init(cluster: Cluster, kubelet: Kubelet, audit: AuditLog) {
    self.cluster = cluster
    self.kubelet = kubelet
    self.audit = audit
    authenticator = Authenticator(cluster: cluster)
  }

  /// Answers one request; a client that goes away ends it.
  func serve(_ exchange: HTTPExchange) async {
    let headers = ["accept", "content-type", "if-none-match", "if-modified-since"].flatMap { name in
      exchange.headers.all(name).map { (name: name, value: $0) }
    }
    var request = APIRequest(
      method: exchange.method, target: exchange.target, headers: headers, user: .anonymous)
    do {
      request.user = try authenticator.user(of: exchange.headers)
      try cluster.plane.store.authorize(request)
      request.body = try await readBody(of: exchange)
      try await answer(request, exchange)
    } catch let status as KubernetesStatus {
      audit.record(request, code: status.code)
      try? await respond(status, to: exchange)
    } catch {
      // The connection is broken: there is nobody to tell.
      exchange.abort()
    }
  }

  private func answer(_ request: APIRequest, _ exchange: HTTPExchange) async throws {
    if let logs = try PodLogRequest(request, now: cluster.now.wall) {
      let stream = PodLogStream(log: try kubelet.log(for: logs), options: logs.options)
      audit.record(request, code: 200)
      return try await stream.write(to: exchange)
    }
    switch cluster.handle(request) {
    case .body(let body):
      audit.record(request, code: body.status)
      let headers = [("Content-Type", body.contentType)] + body.headers.map { ($0.name, $0.value) }
      try await exchange.respond(status: body.status, headers: headers, body: body.bytes)
    case .watch(let watch):
      audit.record(request, code: 200)
      try await WatchStream(cluster: cluster, watch: watch).write(to: exchange)
    }
  }

  private func readBody(of exchange: HTTPExchange) async throws -> [UInt8] {
    guard exchange.hasBody else { return [] }
    do {
      return try await exchange.readWholeBody(limit: Self.bodyLimit)
    } catch let error as HTTPError where error.code == .bodyTooLarge {
      throw KubernetesStatus(
        code: 413, reason: "RequestEntityTooLarge",
        message: "Request entity too large: limit is \(Self.bodyLimit)", details: .init())
    }
  }

  private func respond(_ status: KubernetesStatus, to exchange: HTTPExchange) async throws {
    try await exchange.respond(
      status: status.code, headers: [("Content-Type", "application/json")], body: status.json.bytes)
  }
}
