import KubernetesClient
import Synchronization

/// Answers requests with what a test wrote down, in order, and keeps them.
final class ScriptedTransport: KubernetesTransport {
  private let answers: Mutex<[KubernetesResponse]>
  private let pieces: [String]
  private let asked = Mutex<[KubernetesRequest]>([])

  init(_ answers: KubernetesResponse..., pieces: [String] = []) {
    self.answers = Mutex(answers)
    self.pieces = pieces
  }

  var requests: [KubernetesRequest] { asked.withLock { $0 } }

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse { try answer(request) }

  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    let response = try answer(request)
    let body = AsyncThrowingStream<[UInt8], any Error> { continuation in
      for piece in pieces { continuation.yield(Array(piece.utf8)) }
      if !response.body.isEmpty { continuation.yield(response.body) }
      continuation.finish()
    }
    return KubernetesStream(status: response.status, headers: response.headers, body: body)
  }

  private func answer(_ request: KubernetesRequest) throws -> KubernetesResponse {
    asked.withLock { $0.append(request) }
    return try answers.withLock { answers in
      guard !answers.isEmpty else { throw TransportError(.connectFailed, "no answer is left") }
      return answers.removeFirst()
    }
  }
}

extension KubernetesResponse {
  /// An answer with a JSON body.
  static func json(_ text: String, status: Int = 200, headers: [(name: String, value: String)] = []) -> Self {
    KubernetesResponse(status: status, headers: headers, body: Array(text.utf8))
  }
}
