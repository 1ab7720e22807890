import Synchronization
import Telemetry

/// How many requests go out at most: a token bucket, as a value. As client-go's `flowcontrol`, what comes too early is told when
/// it may go, in the order in which it came.
public struct RequestRateLimit: Hashable, Sendable {
  /// Requests a second, over any long time.
  public let perSecond: Double
  /// Requests at once after a rest.
  public let burst: Int
  /// What is left of the burst; below zero: promised to those who wait.
  private var tokens: Double
  private var updated: Duration?

  /// The defaults are Karpenter's: enough for many models that wake in one second.
  public init(perSecond: Double = 200, burst: Int = 300) {
    self.perSecond = max(0.001, perSecond)
    self.burst = max(1, burst)
    tokens = Double(self.burst)
  }

  /// Takes a token for one request; returns how long it has to wait before it goes.
  public mutating func reserve(now: Duration) -> Duration {
    let elapsed = updated.map { max(.zero, now - $0) } ?? .zero
    updated = now
    tokens = min(Double(burst), tokens + elapsed.seconds * perSecond) - 1
    return tokens >= 0 ? .zero : .seconds(-tokens / perSecond)
  }
}

/// Keeps all requests that go through it, watches too, below one ``RequestRateLimit``: whatever goes wrong in this process, it
/// never hammers the API server.
public final class RateLimiter: Sendable {
  private let limit: Mutex<RequestRateLimit>
  private let clock: any ClockSource

  public init(_ limit: RequestRateLimit, clock: any ClockSource) {
    self.limit = Mutex(limit)
    self.clock = clock
  }

  /// Returns when the next request may go. - Throws: `CancellationError`.
  func wait() async throws {
    let now = clock.now().monotonic
    let delay = limit.withLock { $0.reserve(now: now) }
    if delay > .zero { try await clock.sleep(for: delay) }
  }
}

/// Sends what a ``RateLimiter`` lets through.
struct RateLimitedTransport: KubernetesTransport {
  let transport: any KubernetesTransport
  let limiter: RateLimiter

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    try await limiter.wait()
    return try await transport.send(request)
  }

  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    try await limiter.wait()
    return try await transport.stream(request)
  }
}

extension KubernetesClient {
  /// The same client, whose requests wait for a limiter that others may share.
  public func limited(by limiter: RateLimiter) -> KubernetesClient {
    through { RateLimitedTransport(transport: $0, limiter: limiter) }
  }
}
