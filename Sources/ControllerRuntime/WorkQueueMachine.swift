/// Which key to work on next, as a value.
///
/// - A key that is added twice before it is taken is worked on once.
/// - A key that is added while it is worked on is worked on again afterwards, never at the same time.
/// - A key that failed comes back after a back-off that doubles with each failure in a row.
///
/// Reconciliation is level-triggered: a key says where to look, not what happened.
public struct WorkQueueMachine<Key: Hashable & Comparable & Sendable>: Sendable {
  private var ready: [Key] = []
  private var head = 0
  private var dirty: Set<Key> = []
  private var processing: Set<Key> = []
  /// Asked for by ``add(_:after:now:)``.
  private var delayed = DeadlineHeap<Key>()
  /// Asked for by the last outcome; a newer run knows better.
  private var requeued = DeadlineHeap<Key>()
  private var failures: [Key: Int] = [:]
  private let backoff: ExponentialBackoff
  private var generator: SeededGenerator

  public init(
    backoff: ExponentialBackoff = ExponentialBackoff(base: .milliseconds(50), maximum: .seconds(60)), seed: UInt64
  ) {
    self.backoff = backoff
    generator = SeededGenerator(seed: seed)
  }

  /// Keys that could be taken now.
  public var readyCount: Int { ready.count - head }

  /// Keys that are being worked on.
  public var processingCount: Int { processing.count }

  /// How often a key failed in a row.
  public func failureCount(_ key: Key) -> Int { failures[key] ?? 0 }

  /// Wants `key` to be worked on.
  public mutating func add(_ key: Key) {
    guard dirty.insert(key).inserted, !processing.contains(key) else { return }
    ready.append(key)
  }

  /// Wants `key` to be worked on once `delay` is over; of several such wishes the earliest holds.
  public mutating func add(_ key: Key, after delay: Duration, now: Duration) {
    guard delay > .zero else { return add(key) }
    let deadline = now + delay
    if let present = delayed[key], present <= deadline { return }
    delayed.set(key, deadline)
  }

  /// The next key; its caller works on it and then calls ``finish(_:_:now:)``. Nil when none is ready.
  public mutating func take(now: Duration) -> Key? {
    for key in delayed.popDue(now) { add(key) }
    for key in requeued.popDue(now) { add(key) }
    guard head < ready.count else { return nil }
    let key = ready[head]
    head += 1
    if head > 64, head * 2 > ready.count {
      ready.removeFirst(head)
      head = 0
    }
    dirty.remove(key)
    requeued.remove(key)
    processing.insert(key)
    return key
  }

  /// The work on `key` is over.
  public mutating func finish(_ key: Key, _ outcome: Outcome, now: Duration) {
    guard processing.remove(key) != nil else { return }
    switch outcome {
    case .done: failures[key] = nil
    case .again(let delay):
      failures[key] = nil
      requeued.set(key, now + max(.zero, delay))
    case .retry, .conflicted:
      let count = failureCount(key) + 1
      failures[key] = count
      requeued.set(key, now + backoff.delay(failures: count, using: &generator))
    }
    if dirty.contains(key) { ready.append(key) }
  }

  /// When ``take(now:)`` should be asked again although nothing was added; nil: never.
  public mutating func nextDeadline() -> Duration? {
    switch (delayed.next(), requeued.next()) {
    case (let left?, let right?): min(left, right)
    case (let left, let right): left ?? right
    }
  }
}
