import KubernetesAPI
import Telemetry
import Testing

@testable import KubernetesClient

@Suite(.timeLimit(.minutes(1))) struct ErrorTests {
  @Test(
    "an answer that is no success becomes a status, whatever its body",
    arguments: [
      (409, #"{"kind":"Status","code":409,"reason":"AlreadyExists","message":"m"}"#, "AlreadyExists", "m", false),
      (404, "404 page not found\n", "NotFound", "GET /x: HTTP 404: 404 page not found", false),
      (503, "", "ServiceUnavailable", "GET /x: HTTP 503", true),
      (500, #"{"kind":"Status","message":"etcd"}"#, "", "etcd", true),
    ])
  func status(code: Int, body: String, reason: String, message: String, retryable: Bool) async throws {
    let client = KubernetesClient(
      transport: ScriptedTransport(.json(body, status: code)), clock: ManualClock(), retry: .never)
    let error = await #expect(throws: KubernetesStatus.self) {
      try await client.json(KubernetesRequest(method: .get, path: "/x"))
    }
    #expect(error?.code == code && error?.reason == reason && error?.message == message)
    #expect(error?.isRetryable == retryable)
  }

  @Test("a server that asks for patience gets it, and its answer goes to the caller in the end")
  func retries() async throws {
    let clock = ManualClock()
    let busy = KubernetesResponse.json("{}", status: 429, headers: [("Retry-After", "7")])
    let transport = ScriptedTransport(busy, busy, .json(#"{"kind":"Pod"}"#))
    let client = KubernetesClient(transport: transport, clock: clock)
    let answer = Task { try await client.get(.pods, ObjectKey(namespace: "n", name: "p")) }
    for attempt in 1...2 {
      await clock.waitForSleepers()
      #expect(clock.nextWakeUp == .seconds(7))
      #expect(transport.requests.count == attempt)
      clock.advance(by: .seconds(7))
    }
    #expect(try await answer.value.kind == "Pod")
  }

  @Test(
    "patience has bounds",
    arguments: [
      (0, 429, nil, 1), (2, 429, nil, 4), (0, 429, 0, 0), (0, 429, 31, nil), (5, 429, 1, nil), (0, 503, nil, nil),
      (0, 503, 2, 2), (0, 404, 2, nil),
    ] as [(Int, Int, Int?, Int?)])
  func bounds(attempt: Int, code: Int, advice: Int?, delay: Int?) {
    let status = KubernetesStatus(
      code: code, reason: "", message: "", details: .init(retryAfterSeconds: advice))
    #expect(RetryPolicy().delay(afterAttempt: attempt, status) == delay.map { .seconds($0) })
  }

  @Test("a success that is no JSON is an error of the transport")
  func malformed() async {
    let client = KubernetesClient(transport: ScriptedTransport(.json("<html>")), clock: ManualClock())
    let error = await #expect(throws: TransportError.self) { try await client.get(.pods, ObjectKey(name: "p")) }
    #expect(error?.code == .malformed)
  }
}
