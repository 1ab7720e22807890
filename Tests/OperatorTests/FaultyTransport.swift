import KubernetesAPI
import KubernetesClient
import Synchronization

/// A way to the test's API server that can be made to fail, and that counts what is asked.
final class FaultyTransport: KubernetesTransport {
  enum Fault: Sendable {
    case answer(KubernetesResponse)
    case unreachable
  }

  private let server: StoreTransport
  private let fault = Mutex<(@Sendable (KubernetesRequest) -> Fault?)?>(nil)
  private let asked = Mutex<[KubernetesRequest]>([])

  init(_ server: StoreTransport) { self.server = server }

  /// Everything that was asked, whatever became of it.
  var requests: [KubernetesRequest] { asked.withLock { $0 } }

  /// From now on requests go wrong as `fault` says; nil: they do not.
  func fail(_ fault: (@Sendable (KubernetesRequest) -> Fault?)?) { self.fault.withLock { $0 = fault } }

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    switch failure(of: request) {
    case .answer(let response):
      server.noteActivity()
      return response
    case .unreachable:
      server.noteActivity()
      throw TransportError(.connectFailed, "\(request.summary): no route to host")
    case nil: return try await server.send(request)
    }
  }

  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    switch failure(of: request) {
    case .answer(let response):
      server.noteActivity()
      let body = response.body
      return KubernetesStream(
        status: response.status, headers: response.headers,
        body: AsyncThrowingStream {
          $0.yield(body)
          $0.finish()
        })
    case .unreachable:
      server.noteActivity()
      throw TransportError(.connectFailed, "\(request.summary): no route to host")
    case nil: return try await server.stream(request)
    }
  }

  private func failure(of request: KubernetesRequest) -> Fault? {
    asked.withLock { $0.append(request) }
    return fault.withLock { $0 }?(request)
  }
}

extension StoreTransport {
  /// Something happened that is no request to the store.
  func noteActivity() { contents.withLock { $0.activity += 1 } }

  /// Ends all watches, as a server does that goes away.
  func endWatches() {
    let sinks = contents.withLock { contents in
      defer { contents.watches = [:] }
      return contents.watches.keys.sorted().compactMap { contents.watches[$0]?.sink }
    }
    for sink in sinks { sink.finish() }
  }
}

extension KubernetesResponse {
  /// What an API server says of a type that it does not know.
  static let unknownType = KubernetesResponse(
    status: 404, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Array("404 page not found\n".utf8))

  static func refusal(_ code: Int, _ reason: String, headers: [(name: String, value: String)] = []) -> Self {
    let status = KubernetesStatus(code: code, reason: reason, message: "refused by the test")
    return KubernetesResponse(status: code, headers: headers, body: status.json.bytes)
  }
}
