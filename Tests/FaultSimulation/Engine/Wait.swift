/// One wait of one task: ends once, by a result or by the task's cancellation.
final class Wait<Value: Sendable>: @unchecked Sendable {
  private var continuation: CheckedContinuation<Value, any Error>?
  private var isCancelled = false
  /// Called when the task was cancelled before there was a result.
  var onCancel: () -> Void = {}

  /// Calls `begin` once the task waits; it sees to it that somebody calls ``finish(_:)``.
  /// - Throws: `CancellationError`, and what the wait is finished with.
  func value(_ begin: @escaping @Sendable (Wait) -> Void) async throws -> Value {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        if isCancelled { return continuation.resume(throwing: CancellationError()) }
        self.continuation = continuation
        begin(self)
      }
    } onCancel: {
      isCancelled = true
      guard let continuation = take() else { return }
      onCancel()
      continuation.resume(throwing: CancellationError())
    }
  }

  /// What comes after the end is dropped.
  func finish(_ result: Result<Value, any Error>) { take()?.resume(with: result) }

  private func take() -> CheckedContinuation<Value, any Error>? {
    defer { continuation = nil }
    return continuation
  }
}
