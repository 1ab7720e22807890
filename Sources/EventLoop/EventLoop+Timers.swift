import Telemetry

/// What a timer of a loop does when it is due.
enum TimerAction {
  case closure(() -> Void)
  case channel(ByteChannel)
  case sleeper(Sleeper)
}

/// A task in `EventLoop.sleep`. Loop-confined.
///
/// `@unchecked Sendable`: handed between the task and the loop by `execute`; its state is read and written on the loop only.
final class Sleeper: @unchecked Sendable {
  private var continuation: UnsafeContinuation<Void, any Error>?
  private var isCancelled = false
  var timer: TimerID?

  func begin(_ continuation: UnsafeContinuation<Void, any Error>) -> Bool {
    guard !isCancelled else {
      continuation.resume(throwing: CancellationError())
      return false
    }
    self.continuation = continuation
    return true
  }

  func wake() {
    continuation?.resume()
    continuation = nil
  }

  func cancel() {
    isCancelled = true
    continuation?.resume(throwing: CancellationError())
    continuation = nil
  }
}

extension EventLoop {
  /// Calls `body` on the loop once `duration` has passed. Loop only; O(1), no task, no system call.
  public func schedule(after duration: Duration, _ body: @escaping () -> Void) -> TimerID {
    arm(after: duration, .closure(body))
  }

  /// Disarms a timer; one that has fired or been cancelled is ignored. Loop only, O(1).
  public func cancel(_ timer: TimerID) {
    preconditionOnLoop()
    wheel.cancel(timer)
  }

  /// Returns after `duration`, or throws `CancellationError` once the task is cancelled or the loop stops.
  public func sleep(for duration: Duration) async throws {
    try Task.checkCancellation()
    let sleeper = Sleeper()
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        execute { [self] in
          guard sleeper.begin(continuation) else { return }
          sleeper.timer = arm(after: duration, .sleeper(sleeper))
        }
      }
    } onCancel: {
      execute { [self] in
        if let timer = sleeper.timer { wheel.cancel(timer) }
        sleeper.cancel()
      }
    }
  }

  func arm(after duration: Duration, _ action: TimerAction) -> TimerID {
    preconditionOnLoop()
    return wheel.arm(atNanoseconds: nowNanoseconds + max(0, duration.inNanoseconds), action)
  }

  func arm(atNanoseconds deadline: Int64, _ action: TimerAction) -> TimerID {
    wheel.arm(atNanoseconds: deadline, action)
  }

  func fire(_ action: TimerAction) {
    switch action {
    case .closure(let body): body()
    case .channel(let channel): channel.timerFired()
    case .sleeper(let sleeper): sleeper.wake()
    }
  }

  /// This loop's clocks as the source that other modules are given.
  public var clock: any ClockSource { EventLoopClock(loop: self) }
}

private struct EventLoopClock: ClockSource {
  let loop: EventLoop

  func now() -> Now { Now(monotonic: loop.now, wall: loop.wallClock) }

  func sleep(for duration: Duration) async throws { try await loop.sleep(for: duration) }
}
