import KubernetesAPI
import KubernetesClient
import Synchronization

/// An API server of prepared answers; what it was asked is a stream.
final class PreparedAPIServer: KubernetesTransport {
  let requests: AsyncStream<KubernetesRequest>
  private let told: AsyncStream<KubernetesRequest>.Continuation
  private let answers: Mutex<[Int]>

  init(_ answers: [Int]) {
    (requests, told) = AsyncStream.makeStream()
    self.answers = Mutex(answers)
  }

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    told.yield(request)
    let status = answers.withLock { $0.isEmpty ? 200 : $0.removeFirst() }
    guard status != 0 else { throw TransportError(.connectFailed, "nobody is there") }
    let reason = status == 409 ? "AlreadyExists" : ""
    let body: JSONValue =
      status < 300
      ? [:] : KubernetesStatus(code: status, reason: reason, message: "no").json
    return KubernetesResponse(status: status, body: body.bytes)
  }

  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    throw TransportError(.connectFailed, "no streams here")
  }
}
