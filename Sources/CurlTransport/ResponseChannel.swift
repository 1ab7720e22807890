import KubernetesClient
import Synchronization

/// Hands the answer of one transfer from the driver's thread to the task that waits for it, through a bounded buffer.
final class ResponseChannel: Sendable {
  /// What the waiting task waits for.
  private enum Want {
    case head
    case bytes
    case end
  }

  private struct State {
    var head: CurlResponseHead?
    var buffer: [UInt8] = []
    var end: Result<Void, TransportError>?
    var isAbandoned = false
    var hasOverflowed = false
    /// Counts changes, so that one between looking and waiting is not missed.
    var version = 0
    var waiter: (want: Want, continuation: CheckedContinuation<Void, Never>)?

    mutating func takeWaiter(_ isWanted: (Want) -> Bool) -> CheckedContinuation<Void, Never>? {
      version += 1
      guard let waiter, isWanted(waiter.want) else { return nil }
      self.waiter = nil
      return waiter.continuation
    }
  }

  private let state = Mutex(State())
  private let limit: Int
  private let summary: String
  /// Tells the driver that nobody waits any more.
  private let onAbandon: @Sendable () -> Void

  init(limit: Int, summary: String, onAbandon: @escaping @Sendable () -> Void) {
    self.limit = limit
    self.summary = summary
    self.onAbandon = onAbandon
  }

  // MARK: - The driver's side

  func receive(_ head: CurlResponseHead) {
    let waiter = state.withLock { state in
      state.head = head
      return state.takeWaiter { $0 == .head }
    }
    waiter?.resume()
  }

  /// - Returns: false when the transfer has to end, because nobody reads or the reader is too slow.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let (goesOn, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
      guard !state.isAbandoned, state.buffer.count + bytes.count <= limit else {
        state.hasOverflowed = !state.isAbandoned
        return (false, nil)
      }
      state.buffer.append(contentsOf: bytes)
      return (true, state.takeWaiter { $0 == .bytes })
    }
    waiter?.resume()
    return goesOn
  }

  func finish(_ result: Result<Void, TransportError>) {
    let waiter = state.withLock { state in
      if state.end == nil {
        let overflow = TransportError(.overflow, "\(summary): more than \(limit) bytes wait to be read")
        state.end = state.hasOverflowed ? .failure(overflow) : result
      }
      return state.takeWaiter { _ in true }
    }
    waiter?.resume()
  }

  // MARK: - The reader's side; one task at a time

  func head() async throws -> CurlResponseHead {
    try await pull(.head) { state in
      if let head = state.head { return head }
      switch state.end {
      case .failure(let error): throw error
      case .success: throw TransportError(.malformed, "\(summary): the answer has no head")
      case nil: return nil
      }
    }
  }

  /// All bytes that are there, once there are any; nil at the end.
  func next() async throws -> [UInt8]? {
    let piece: [UInt8] = try await pull(.bytes) { state in
      if !state.buffer.isEmpty {
        defer { state.buffer = [] }
        return state.buffer
      }
      return try state.end?.get() == nil ? nil : []
    }
    return piece.isEmpty ? nil : piece
  }

  /// The whole body, once it is there.
  func wholeBody() async throws -> [UInt8] {
    try await pull(.end) { state in
      try state.end?.get() == nil ? nil : state.buffer
    }
  }

  /// The answer is not wanted any more.
  func abandon() {
    let (isNew, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
      let isNew = !state.isAbandoned && state.end == nil
      state.isAbandoned = true
      state.buffer = []
      return (isNew, state.takeWaiter { _ in true })
    }
    waiter?.resume()
    if isNew { onAbandon() }
  }

  private func pull<Value>(_ want: Want, _ look: (inout State) throws -> Value?) async throws -> Value {
    while true {
      let (value, version) = try state.withLock { state -> (Value?, Int) in
        if state.isAbandoned { throw CancellationError() }
        return (try look(&state), state.version)
      }
      if let value { return value }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let hasChanged = state.withLock { state in
            if state.version != version { return true }
            state.waiter = (want, continuation)
            return false
          }
          if hasChanged { continuation.resume() }
        }
      } onCancel: {
        abandon()
      }
    }
  }
}
