import HTTPWire
import Testing

@testable import Gateway

struct RouteRuleTests {
  private static func match(_ change: (inout RouteRule.Match) -> Void) -> RouteRule.Match {
    var match = RouteRule.Match()
    change(&match)
    return match
  }

  @Test(
    "A rule matches what it asks for, all of it; what is not known of a request matches nothing that asks for it",
    arguments: [
      (match { _ in }, RequestTraits(), true),
      (match { $0.models = ["fast", "owl"] }, RequestTraits(model: "owl"), true),
      (match { $0.models = ["fast"] }, RequestTraits(model: "owl"), false),
      (match { $0.models = ["fast"] }, RequestTraits(), false),
      (match { $0.headers = [.init(name: "X-Tier", value: "gold")] }, RequestTraits(), true),
      (match { $0.headers = [.init(name: "x-tier", value: "Gold")] }, RequestTraits(), false),
      (
        match { $0.headers = [.init(name: "x-tier", value: "gold"), .init(name: "x-none", value: "1")] },
        RequestTraits(), false
      ),
      (match { $0.pathPrefix = "/v1/chat" }, RequestTraits(), true),
      (match { $0.pathPrefix = "/v1/chat/" }, RequestTraits(), true),
      (match { $0.pathPrefix = "/v1/ch" }, RequestTraits(), false),
      (match { $0.pathPrefix = "/" }, RequestTraits(), true),
      (match { $0.stream = true }, RequestTraits(stream: true), true),
      (match { $0.stream = false }, RequestTraits(), false),
      (match { $0.outputTokensAtMost = 10 }, RequestTraits(maxOutputTokens: 10), true),
      (match { $0.outputTokensAtMost = 10 }, RequestTraits(maxOutputTokens: 11), false),
      (match { $0.outputTokensAtMost = 10 }, RequestTraits(), false),
      (match { $0.promptBytesAtMost = 10 }, RequestTraits(bodyBytes: 10), true),
      (match { $0.promptBytesAtMost = 10 }, RequestTraits(), false),
    ])
  func matches(match: RouteRule.Match, traits: RequestTraits, expected: Bool) throws {
    let head = Array("POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: a\r\nx-TIER: gold\r\n\r\n".utf8)
    var parser = RequestHeadParser()
    _ = try parser.scan(head.span)
    let layout = parser.layout
    let found = head.withUnsafeBytes { match.matches(HeadView(layout: layout, bytes: $0), traits) }
    #expect(found == expected)
  }
}

@Suite(.timeLimit(.minutes(2)))
struct RuledRequestTests {
  @Test("A rule shortens the wait, bounds the urgency and chooses the pool; a tenant has its share of the queue")
  func applies() async throws {
    try await GatewayHarness.run { harness in
      let burst = try harness.replica("burst", .burst) { try await $0.respond(status: 200, headers: [], body: []) }
      let dedicated = try harness.replica("dedicated", .dedicated) { exchange in
        try await exchange.respond(status: 200, headers: [], body: [])
      }
      var batch = RouteRule(name: "batch", order: [.burst], urgency: 6, maxWait: .milliseconds(30))
      batch.match.headers = [.init(name: "x-class", value: "batch")]
      var short = RouteRule(name: "short", order: [.burst])
      short.match.outputTokensAtMost = 5
      let rules = [batch, short]
      try await harness.showHealthy([burst, dedicated])
      harness.show([burst, dedicated]) { $0.rules = rules }
      func pool(_ fields: [(String, String)], _ body: String) async throws -> String? {
        try await harness.send("POST", "/v1/x", fields, body: body).headers.first("pilotlight-pool")
      }
      #expect(try await pool([], #"{"model":"owl"}"#) == "dedicated")
      #expect(try await pool([("X-Class", "batch")], #"{"model":"owl"}"#) == "burst")
      #expect(try await pool([], #"{"model":"owl","max_tokens":5}"#) == "burst")
      harness.show { $0.rules = rules }
      let late = try await harness.send("POST", "/v1/x", [("X-Class", "batch")])
      #expect(late.status == 503 && late.body.contains("model_waking"))
      harness.show { $0.tenantSharePercent = 10 }
      let mine = [("Authorization", "Bearer one"), ("Prefer", "wait=1")]
      async let held = harness.send("POST", "/v1/x", mine)
      try await harness.waitForLoad { $0.held == 1 }
      let second = try await harness.send("POST", "/v1/x", mine)
      #expect(second.status == 429 && second.body.contains("tenant_queue_full"))
      let other = try await harness.send("POST", "/v1/x", [("Authorization", "Bearer two"), ("Prefer", "wait=0")])
      #expect(other.status == 503)
      #expect(try await held.status == 503)
    }
  }
}
