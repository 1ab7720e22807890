import EventLoop
import FleetProtocol
import HTTPWire
import Synchronization
import Telemetry
import Testing

@testable import Gateway

struct ColdStartTests {
  @Test("The phases of a cold start add up to the whole wait; what is seen twice counts once")
  func phases() throws {
    var start = ColdStart(began: .seconds(1))
    #expect(start.phases(firstByte: .seconds(9)) == nil)
    start.podAppeared(.seconds(3))
    start.podAppeared(.seconds(4))
    start.becameHealthy(.seconds(8))
    #expect(start.phases(firstByte: .seconds(9)) == [.schedule: 2, .load: 5, .release: 1])
    var fast = ColdStart(began: .zero)
    fast.becameHealthy(.seconds(2))
    #expect(fast.phases(firstByte: .seconds(2)) == [.schedule: 2, .load: 0, .release: 0])
  }
}

@Suite(.timeLimit(.minutes(2)))
struct ObservationTests {
  private static let stream = """
    data: {"choices":[{"delta":{"content":"a"}}]}

    data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}

    data: [DONE]


    """

  @Test("Tokens, times and phases of a request are counted; its trace and its fields pass unchanged")
  func counts() async throws {
    try await GatewayHarness.run { harness in
      let replica = try harness.replica { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        let trace = exchange.headers.first("traceparent") ?? ""
        try await exchange.startResponse(
          status: 200, headers: [("content-type", "text/event-stream"), ("x-trace", trace)], contentLength: nil)
        try await exchange.write(Array(Self.stream.utf8))
        try await exchange.finish()
      }
      harness.show()
      let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
      async let answer = harness.send("POST", "/v1/x", [("traceparent", trace)], body: #"{"model":"owl"}"#)
      try await harness.waitForLoad { $0.held == 1 }
      harness.show([replica])
      #expect(try await answer.headers.first("x-trace") == trace)
      let labels = #"{namespace="default",service="owl""#
      let wanted = [
        "pilotlight_gateway_prompt_tokens_total\(labels),pool=\"burst\"} 7",
        "pilotlight_gateway_output_tokens_total\(labels),pool=\"burst\"} 3",
        "pilotlight_gateway_first_token_seconds_count\(labels),pool=\"burst\"} 1",
        "pilotlight_gateway_cold_start_seconds_count\(labels),phase=\"load\"} 1",
        "pilotlight_gateway_cold_start_seconds_count\(labels),phase=\"schedule\"} 1",
        "pilotlight_gateway_requests_total\(labels),pool=\"burst\",code=\"200\"} 1",
      ]
      var metrics = ""
      while !wanted.allSatisfy(metrics.contains) {
        metrics = try await harness.begin("GET", "/metrics", body: nil, to: harness.admin).rest()
      }
    }
  }

  private final class Rows: AccessLog {
    let rows = Mutex<[RequestLogRow]>([])
    func write(_ row: RequestLogRow) { rows.withLock { $0.append(row) } }
  }

  @Test("A row tells who answered, how long it took and what passed, and never what a caller said")
  func rows() async throws {
    var configuration = GatewayConfiguration(identity: "gateway-0")
    configuration.listen = "127.0.0.1:0"
    configuration.admin = "127.0.0.1:0"
    configuration.accessLogSampling = 1
    let rows = Rows()
    let server = try GatewayServer(configuration: configuration, log: .discarding, accessLog: rows)
    let traffic = try server.start().traffic
    try await GatewayHarness.run { harness in
      let replica = try harness.replica { exchange in
        try await exchange.respond(
          status: 200, headers: [("content-type", "application/json")],
          body: Array(#"{"usage":{"prompt_tokens":5,"completion_tokens":2}}"#.utf8))
      }
      server.update(RoutingView(services: [.sample(replicas: [replica])]))
      let fields = [("Authorization", "Bearer secret"), ("Host", "gateway")]
      let answer = try await harness.begin("POST", "/v1/x?q=private", fields, to: traffic)
      _ = try await answer.rest()
      // A row is written when the answer is out.
      while rows.rows.withLock({ $0.isEmpty }) { await Task.yield() }
      let row = rows.rows.withLock { $0[0] }
      #expect(row.status == 200 && row.namespace == "default" && row.name == "owl" && row.method == "POST")
      #expect(row.pool == "burst" && row.replica == "pod" && row.weight == 1)
      #expect(row.promptTokens == 5 && row.outputTokens == 2 && !row.tokensEstimated)
      #expect(row.requestBytes == 15 && row.responseBytes == 51)
      #expect((row.firstByteMilliseconds ?? 0) > 0 && row.durationMilliseconds >= row.firstByteMilliseconds ?? 0)
      var line: [UInt8] = []
      row.appendLine(to: &line)
      let text = String(decoding: line, as: UTF8.self)
      #expect(!text.contains("secret") && !text.contains("private") && row.tenant != nil)
    }
    await server.shutDown(delay: .zero, drain: .zero)
  }
}
