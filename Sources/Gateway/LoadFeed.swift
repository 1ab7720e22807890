import EventLoop
import Synchronization

/// Tells the load streams that there is news which cannot wait for the next second.
///
/// Signals coalesce: a reader that is busy writing finds one, however many came.
final class LoadFeed: Sendable {
  private struct State {
    var version = 0
    var nextWaiter = 0
    var waiters: [Int: UnsafeContinuation<Void, Never>] = [:]
  }

  private let state = Mutex(State())

  /// Counts the signals so far.
  var version: Int { state.withLock { $0.version } }

  /// From any thread.
  func signal() {
    let waiters = state.withLock { state in
      state.version += 1
      defer { state.waiters.removeAll() }
      return state.waiters.values.map { $0 }
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns the current version as soon as it is above `version`, or after `timeout`. On `loop` only.
  func wait(after version: Int, timeout: Duration, on loop: EventLoop) async -> Int {
    var timer: TimerID?
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let waiter: Int? = state.withLock { state in
        guard state.version <= version else { return nil }
        state.nextWaiter += 1
        state.waiters[state.nextWaiter] = continuation
        return state.nextWaiter
      }
      guard let waiter else {
        continuation.resume()
        return
      }
      timer = loop.schedule(after: timeout) { [self] in
        state.withLock { $0.waiters.removeValue(forKey: waiter) }?.resume()
      }
    }
    if let timer { loop.cancel(timer) }
    return self.version
  }
}
