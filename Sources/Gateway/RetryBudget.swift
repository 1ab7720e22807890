import Synchronization

/// How many requests may be tried again: a fifth of what arrives at most, and a few always, so that a fault of every replica
/// does not multiply the load (a token bucket, as Finagle's retry budget). Shared by all loops.
final class RetryBudget: Sendable {
  private struct Bucket {
    var tokens: Double
    var filledAt: Int64 = 0
  }

  /// Tokens that a request brings; a retry costs one.
  private static let deposit = 0.2
  /// Tokens that come by themselves, per second.
  private static let rate = 10.0
  private static let capacity = 100.0

  private let bucket = Mutex(Bucket(tokens: capacity))
  private let deposits = Atomic(0)

  /// A request has arrived.
  func arrived() { deposits.add(1, ordering: .relaxed) }

  /// Takes what one retry costs; false when there is nothing left. `now` is in nanoseconds.
  func take(_ now: Int64) -> Bool {
    let arrived = deposits.exchange(0, ordering: .relaxed)
    return bucket.withLock { bucket in
      let elapsed = Double(max(0, now - bucket.filledAt)) / 1e9
      bucket.filledAt = max(now, bucket.filledAt)
      bucket.tokens = min(
        Self.capacity, bucket.tokens + elapsed * Self.rate + Double(arrived) * Self.deposit)
      guard bucket.tokens >= 1 else { return false }
      bucket.tokens -= 1
      return true
    }
  }
}
