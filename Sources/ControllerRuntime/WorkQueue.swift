import Synchronization
import Telemetry

/// A ``WorkQueueMachine`` that any thread may add to.
public final class WorkQueue<Key: Hashable & Comparable & Sendable>: Sendable {
  private let machine: Mutex<WorkQueueMachine<Key>>
  private let clock: any ClockSource
  let changed = Signal()

  /// - Parameter seed: of the jitter in back-offs.
  public init(
    clock: any ClockSource,
    backoff: ExponentialBackoff = ExponentialBackoff(base: .milliseconds(50), maximum: .seconds(60)),
    seed: UInt64 = .random(in: 0...UInt64.max)
  ) {
    self.clock = clock
    machine = Mutex(WorkQueueMachine(backoff: backoff, seed: seed))
  }

  /// Wants `key` to be worked on.
  public func add(_ key: Key) {
    machine.withLock { $0.add(key) }
    changed.raise()
  }

  /// Wants `key` to be worked on once `delay` is over; of several such wishes the earliest holds.
  public func add(_ key: Key, after delay: Duration) {
    let now = clock.now().monotonic
    machine.withLock { $0.add(key, after: delay, now: now) }
    changed.raise()
  }

  /// Keys that wait to be taken.
  public var readyCount: Int { machine.withLock { $0.readyCount } }

  func take() -> Key? {
    let now = clock.now().monotonic
    return machine.withLock { $0.take(now: now) }
  }

  func finish(_ key: Key, _ outcome: Outcome) {
    let now = clock.now().monotonic
    machine.withLock { $0.finish(key, outcome, now: now) }
    changed.raise()
  }

  func failureCount(_ key: Key) -> Int { machine.withLock { $0.failureCount(key) } }

  /// Returns when something was added or finished, or when a delayed key is due.
  func waitForChange() async throws {
    guard let deadline = machine.withLock({ $0.nextDeadline() }) else { return try await changed.wait() }
    let delay = deadline - clock.now().monotonic
    if delay > .zero { try await changed.wait(atMost: delay, clock: clock) }
  }
}
