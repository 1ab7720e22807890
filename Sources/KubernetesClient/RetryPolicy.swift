import KubernetesAPI

/// How often and how long one call waits for an API server that asks for patience (429, and 5xx with `Retry-After`).
///
/// Whatever else fails is the caller's to try again: a queue with back-off knows more than a request.
public struct RetryPolicy: Hashable, Sendable {
  /// Attempts after the first.
  public var limit: Int
  /// A longer wait than this is not waited: the error goes to the caller.
  public var maximumDelay: Duration
  /// All waits of one call together are not longer than this.
  public var budget: Duration

  public init(limit: Int = 5, maximumDelay: Duration = .seconds(30), budget: Duration = .seconds(60)) {
    self.limit = limit
    self.maximumDelay = maximumDelay
    self.budget = budget
  }

  /// No second attempt.
  public static let never = RetryPolicy(limit: 0)

  /// A server tells everybody the same: how much longer than asked some wait, as a part of the wait.
  private static let spread = 0.2

  /// How long to wait before attempt `attempt + 1`; nil: give up.
  /// - Parameters:
  ///   - attempt: counts from 0.
  ///   - waited: what this call has waited before.
  ///   - jitter: from 0 to 1, drawn at random, so that those who were refused together do not come back together.
  public func delay(
    afterAttempt attempt: Int, waited: Duration, _ status: KubernetesStatus, jitter: Double
  ) -> Duration? {
    guard attempt < limit, status.isRetryable else { return nil }
    // A server without advice is asked again after 1, 2, 4 … seconds; other failures are only retried on its advice.
    let asked: Duration? =
      status.retryAfter ?? (status.code == 429 ? .seconds(1 << min(attempt, 6)) : nil)
    guard let asked, asked <= maximumDelay else { return nil }
    let delay = asked * (1 + Self.spread * jitter)
    return waited + delay <= budget ? delay : nil
  }
}
