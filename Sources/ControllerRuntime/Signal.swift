import Synchronization
import Telemetry

/// Wakes tasks that wait for something to happen. May be raised from any thread.
final class Signal: Sendable {
  private struct State {
    var isRaised = false
    var nextID = 0
    var waiters: [(id: Int, continuation: CheckedContinuation<Void, any Error>)] = []
    /// Waits that were cancelled before their continuation was there.
    var cancelled: Set<Int> = []
  }

  private let state = Mutex(State())
  private let staysRaised: Bool

  /// - Parameter staysRaised: true: once raised, nobody waits any more (a latch). False: each raise ends the waits of now, or,
  ///   if there are none, the next one.
  init(staysRaised: Bool = false) { self.staysRaised = staysRaised }

  var isRaised: Bool { state.withLock { $0.isRaised } }

  func raise() {
    let waiters = state.withLock { state in
      if staysRaised || state.waiters.isEmpty { state.isRaised = true }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.continuation.resume() }
  }

  /// - Throws: `CancellationError`.
  func wait() async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    defer { state.withLock { _ = $0.cancelled.remove(id) } }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let answer: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.contains(id) { return .failure(CancellationError()) }
          if state.isRaised {
            state.isRaised = staysRaised
            return .success(())
          }
          state.waiters.append((id, continuation))
          return nil
        }
        if let answer { continuation.resume(with: answer) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.cancelled.insert(id)
        guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
          return CheckedContinuation<Void, any Error>?.none
        }
        return state.waiters.remove(at: index).continuation
      }
      waiter?.resume(throwing: CancellationError())
    }
  }

  /// Returns when raised or when `duration` is over, whichever is first.
  func wait(atMost duration: Duration, clock: any ClockSource) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.wait() }
      group.addTask { try await clock.sleep(for: duration) }
      try await group.next()
      group.cancelAll()
    }
  }
}
