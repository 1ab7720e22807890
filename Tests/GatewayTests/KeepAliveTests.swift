import EventLoop
import HTTPWire
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(2)))
struct KeepAliveTests {
  private static let wake = [("pilotlight-keep-alive", "1")]

  @Test("A held caller that asks for it gets comments, then the replica's stream in the same answer")
  func comments() async throws {
    try await GatewayHarness.run { harness in
      let replica = try harness.replica { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        try await exchange.startResponse(
          status: 200, headers: [("content-type", "text/event-stream; charset=utf-8")], contentLength: nil)
        try await exchange.write(Array("data: 1\n\n".utf8))
        try await exchange.finish()
      }
      harness.show()
      let answer = try await harness.begin(fields: Self.wake)
      #expect(answer.head.status == 200 && answer.head.headers.first("content-type") == "text/event-stream")
      #expect(try await answer.next()?.hasPrefix(": ") == true)
      harness.show([replica])
      let rest = try await answer.rest()
      #expect(rest.hasSuffix("data: 1\n\n"))
    }
  }

  @Test("An answer that is no stream, or an error of the gateway's, becomes an event of the stream that has begun")
  func wraps() async throws {
    try await GatewayHarness.run { harness in
      let replica = try harness.replica { exchange in
        try await exchange.respond(status: 400, headers: [], body: Array("{\"error\":\n1}".utf8))
      }
      harness.show()
      let answer = try await harness.begin(fields: Self.wake)
      _ = try await answer.next()
      harness.show([replica])
      #expect(try await answer.rest().hasSuffix("event: error\ndata: {\"error\":\ndata: 1}\n\n"))
      harness.show()
      let late = try await harness.begin(fields: Self.wake)
      _ = try await late.next()
      harness.show { $0.refusal = Refusal(reason: "StartupTimeout", message: "out of memory") }
      let told = try await late.rest()
      #expect(told.contains("event: error\ndata: {\"error\":{\"message\":") && told.contains("out of memory"))
    }
  }

  @Test("A service may want it for its streams; a caller that wants none of it is only held")
  func byService() async throws {
    try await GatewayHarness.run { harness in
      harness.show { $0.holdKeepAlive = .milliseconds(20) }
      let answer = try await harness.begin(body: #"{"model":"owl","stream":true}"#)
      #expect(try await answer.next()?.hasPrefix(": ") == true)
      answer.connection.close()
      let plain = try await harness.send("POST", "/v1/x", [("Prefer", "wait=1")])
      #expect(plain.status == 503)
    }
  }
}

extension GatewayHarness {
  fileprivate func begin(
    fields: [(String, String)] = [], body: String = #"{"model":"owl"}"#
  ) async throws -> Answer {
    try await begin("POST", "/v1/chat/completions", fields, body: body)
  }
}
