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
      let wait = try #require(clock.nextWakeUp)
      #expect(wait >= .seconds(7) && wait <= .seconds(8.4))
      #expect(transport.requests.count == attempt)
      clock.advance(by: wait)
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
    let answer = RetryPolicy().delay(afterAttempt: attempt, waited: .zero, status, jitter: 0)
    #expect(answer == delay.map { .seconds($0) })
  }

  @Test("all waits of a call together have a bound, and those who were refused together do not come back together")
  func budget() {
    let status = KubernetesStatus(code: 429, reason: "", message: "", details: .init(retryAfterSeconds: 25))
    func delay(waited: Duration, jitter: Double) -> Duration? {
      RetryPolicy().delay(afterAttempt: 1, waited: waited, status, jitter: jitter)
    }
    #expect(delay(waited: .seconds(35), jitter: 0) == .seconds(25))
    #expect(delay(waited: .seconds(36), jitter: 0) == nil)
    #expect(delay(waited: .zero, jitter: 1) == .seconds(30))
  }

  @Test(
    "Retry-After is seconds, or a date that is taken against the answer's own",
    arguments: [
      ("7", nil, 7), ("-7", nil, nil), ("soon", nil, nil),
      ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT", 30),
      ("Mon, 01 Jan 2001 00:00:10 GMT", "Sun, 31 Dec 2000 23:59:50 GMT", 20),
      ("Sun, 06 Nov 1994 08:49:07 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 0),
      ("Sun, 06 Nov 1994 08:49:37 GMT", nil, nil),
    ] as [(String, String?, Int?)])
  func retryAfter(value: String, date: String?, seconds: Int?) async throws {
    var headers = [(name: "Retry-After", value: value)]
    if let date { headers.append((name: "Date", value: date)) }
    let transport = ScriptedTransport(.json("{}", status: 503, headers: headers))
    let client = KubernetesClient(transport: transport, clock: ManualClock(), retry: .never)
    let error = await #expect(throws: KubernetesStatus.self) { try await client.get(.pods, ObjectKey(name: "p")) }
    #expect(error?.retryAfter == seconds.map { .seconds($0) })
  }

  @Test("credentials that are refused come with a word on what to do")
  func unauthorized() async throws {
    let body = #"{"kind":"Status","code":401,"reason":"Unauthorized","message":"Unauthorized"}"#
    let client = KubernetesClient(transport: ScriptedTransport(.json(body, status: 401)), clock: ManualClock())
    let error = await #expect(throws: KubernetesStatus.self) { try await client.get(.pods, ObjectKey(name: "p")) }
    #expect(error?.message.contains("kubectl auth whoami") == true)
  }

  @Test("a success that is no JSON is an error of the transport")
  func malformed() async {
    let client = KubernetesClient(transport: ScriptedTransport(.json("<html>")), clock: ManualClock())
    let error = await #expect(throws: TransportError.self) { try await client.get(.pods, ObjectKey(name: "p")) }
    #expect(error?.code == .malformed)
  }
}
