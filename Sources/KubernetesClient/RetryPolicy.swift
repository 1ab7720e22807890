import KubernetesAPI

/// How often and how long one call waits for an API server that asks for patience (429, and 5xx with `Retry-After`).
///
/// Whatever else fails is the caller's to try again: a queue with back-off knows more than a request.
public struct RetryPolicy: Hashable, Sendable {
  /// Attempts after the first.
  public var limit: Int
  /// A longer wait than this is not waited: the error goes to the caller.
  public var maximumDelay: Duration

  public init(limit: Int = 5, maximumDelay: Duration = .seconds(30)) {
    self.limit = limit
    self.maximumDelay = maximumDelay
  }

  /// No second attempt.
  public static let never = RetryPolicy(limit: 0)

  /// How long to wait before attempt `attempt + 1`; nil: give up. `attempt` counts from 0.
  public func delay(afterAttempt attempt: Int, _ status: KubernetesStatus) -> Duration? {
    guard attempt < limit else { return nil }
    // A server without advice is asked again after 1, 2, 4 … seconds; other failures are only retried on its advice.
    let delay: Duration? =
      status.retryAfter ?? (status.code == 429 ? .seconds(1 << min(attempt, 6)) : nil)
    guard let delay, status.isRetryable, delay <= maximumDelay else { return nil }
    return delay
  }
}
