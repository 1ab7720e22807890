import KubernetesAPI
import Synchronization
import Telemetry
import Testing

@testable import KubernetesClient

@Suite(.timeLimit(.minutes(1))) struct RequestRateLimitTests {
  @Test("a burst goes at once, what comes after it is spread, and a rest fills the burst again")
  func spreads() {
    var limit = RequestRateLimit(perSecond: 10, burst: 3)
    let begin: Duration = .seconds(100)
    #expect((0..<3).map { _ in limit.reserve(now: begin) } == [.zero, .zero, .zero])
    let waits = (0..<3).map { _ in limit.reserve(now: begin).milliseconds.rounded() }
    #expect(waits == [100, 200, 300])
    // Those who wait have the next tokens already.
    #expect(limit.reserve(now: begin + .milliseconds(300)).milliseconds.rounded() == 100)
    #expect((0..<4).map { _ in limit.reserve(now: begin + .seconds(60)) == .zero } == [true, true, true, false])
    // A clock that stands still, or goes back, gives nothing.
    #expect(limit.reserve(now: begin) > .zero)
  }

  @Test("a hot loop over a limited client sends what the limit allows, requests and watches together")
  func hotLoop() async throws {
    let clock = ManualClock()
    let sent = Mutex(0)
    struct Counting: KubernetesTransport {
      let onRequest: @Sendable () -> Void
      func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
        onRequest()
        return .json("{}", status: 500)
      }
      func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
        onRequest()
        return KubernetesStream(status: 200, body: AsyncThrowingStream { $0.finish() })
      }
    }
    let client = KubernetesClient(transport: Counting { sent.withLock { $0 += 1 } }, clock: clock)
      .limited(by: RateLimiter(RequestRateLimit(perSecond: 50, burst: 100), clock: clock))
    let loop = Task {
      while !Task.isCancelled {
        _ = try? await client.get(.pods, ObjectKey(namespace: "n", name: "p"))
        for try await _ in client.watch(.pods, resourceVersion: "1") {}
      }
    }
    var slept: Duration = .zero
    while slept < .seconds(60) {
      await clock.waitForSleepers()
      let step = try #require(clock.nextWakeUp)
      slept += step
      clock.advance(by: step)
    }
    loop.cancel()
    let count = sent.withLock { $0 }
    #expect(count >= 100 + 50 * 59 && count <= 100 + 50 * 61, "\(count)")
  }
}
