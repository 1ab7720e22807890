import KubernetesAPI
import KubernetesClient
import Synchronization

/// An API server made of a closure per kind of request.
struct FakeTransport: KubernetesTransport {
  var onSend: @Sendable (KubernetesRequest) async throws -> KubernetesResponse = { _ in
    KubernetesResponse(status: 404)
  }
  var onStream: @Sendable (KubernetesRequest) async throws -> KubernetesStream = { _ in
    KubernetesStream(status: 200, body: AsyncThrowingStream { $0.finish() })
  }

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse { try await onSend(request) }
  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream { try await onStream(request) }
}

/// Keeps what happened, in order, and lets a test wait until enough has.
final class Journal: Sendable {
  private struct State {
    var lines: [String] = []
    var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state = Mutex(State())

  var lines: [String] { state.withLock { $0.lines } }

  func append(_ line: String) {
    let ready = state.withLock { state in
      state.lines.append(line)
      let count = state.lines.count
      let ready = state.waiters.filter { $0.count <= count }
      state.waiters.removeAll { $0.count <= count }
      return ready
    }
    for waiter in ready { waiter.continuation.resume() }
  }

  func wait(for count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.lines.count >= count { return true }
        state.waiters.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }
}
