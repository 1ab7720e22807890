import Decisions
import EventLoop
import FleetProtocol
import HTTPWire
import Telemetry
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(2)))
struct GatewayServerTests {
  /// Counts what a replica has at once. Confined to the harness's loop.
  private final class Occupancy: @unchecked Sendable {
    var now = 0
    var most = 0
    var total = 0
    func enter() {
      now += 1
      total += 1
      most = max(most, now)
    }
  }

  @Test("Requests for a sleeping model are held, wake it once, and go on as many at a time as its replica takes")
  func holdsAndReleases() async throws {
    try await GatewayHarness.run { harness in
      let occupancy = Occupancy()
      let replica = try harness.replica(slots: 2) { exchange in
        occupancy.enter()
        _ = try await exchange.readWholeBody(limit: 1000)
        try await exchange.loop.sleep(for: .milliseconds(50))
        occupancy.now -= 1
        try await exchange.respond(status: 200, headers: [], body: Array("hi".utf8))
      }
      harness.show()
      try await withThrowingTaskGroup(of: (Int, String?, String?).self) { group in
        for _ in 0..<7 {
          group.addTask {
            let answer = try await harness.send()
            return (
              answer.status, answer.headers.first("pilotlight-cold-start"), answer.headers.first("pilotlight-reason")
            )
          }
        }
        try await harness.waitForLoad { $0.held == 7 && $0.heldSinceUnix != nil }
        #expect(occupancy.total == 0)
        harness.show([replica])
        for try await (status, cold, reason) in group {
          #expect(status == 200 && cold == "true" && reason == "woke")
        }
      }
      #expect(occupancy.most == 2 && occupancy.total == 7)
      #expect(harness.wakes.services == [ServiceKey(namespace: "default", name: "owl")])
      try await harness.waitForLoad { $0.held == 0 && $0.inFlight == 0 && $0.requestsTotal == 7 }
    }
  }

  @Test("Server-sent events pass one by one, as they come")
  func streams() async throws {
    try await GatewayHarness.run { harness in
      let proceed = Moment()
      let replica = try harness.replica { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        try await exchange.startResponse(
          status: 200, headers: [("content-type", "text/event-stream")], contentLength: nil)
        try await exchange.write(Array("data: 1\n\n".utf8))
        await proceed.wait()
        try await exchange.write(Array("data: 2\n\n".utf8))
        try await exchange.finish()
      }
      harness.show([replica])
      let answer = try await harness.begin()
      #expect(answer.head.headers.first("content-type") == "text/event-stream")
      #expect(answer.head.headers.first("pilotlight-pool") == "burst")
      #expect(try await answer.next() == "data: 1\n\n")
      proceed.come()
      #expect(try await answer.rest() == "data: 2\n\n")
    }
  }

  @Test("A caller that leaves while held is no demand any more")
  func leavesQueue() async throws {
    try await GatewayHarness.run { harness in
      harness.show()
      let connection = try await harness.pool.connect(
        to: harness.traffic, key: "leaver", tls: nil, timeout: .seconds(10))
      let body = Array(#"{"model":"owl"}"#.utf8)
      try await connection.send(
        head: RequestHeadBytes(
          method: "POST", target: "/v1/x", fields: FieldBlock([("Host", "gateway")]), framing: .length(body.count)))
      try await connection.sendBody(body)
      try await connection.finishBody()
      try await harness.waitForLoad { $0.held == 1 }
      connection.close()
      try await harness.waitForLoad { $0.held == 0 && $0.heldSinceUnix == nil }
    }
  }

  @Test("A caller that leaves an answer ends the work for it at the replica")
  func cancelsUpstream() async throws {
    try await GatewayHarness.run { harness in
      let cancelled = Moment()
      let replica = try harness.replica { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        exchange.onDisconnect { cancelled.come() }
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        try await exchange.write(Array("first".utf8))
        await cancelled.wait()
      }
      harness.show([replica])
      let answer = try await harness.begin()
      #expect(try await answer.next() == "first")
      answer.connection.close()
      try await harness.waitForLoad { $0.inFlight == 0 && $0.inFlightByPod.isEmpty && $0.requestsTotal == 1 }
      await cancelled.wait()
    }
  }

  @Test("The model's name is replaced, and no other byte of the body; the hop's traces are added")
  func rewrites() async throws {
    try await GatewayHarness.run { harness in
      let replica = try harness.replica { exchange in
        let body = try await exchange.readWholeBody(limit: 1000)
        let seen = ["host", "x-forwarded-for", "x-forwarded-host", "via", "traceparent", "te"]
          .map { "\($0)=\(exchange.headers.first($0) ?? "-")" }.joined(separator: " ")
        try await exchange.respond(
          status: 200, headers: [("x-target", exchange.target), ("x-seen", seen), ("pilotlight-pool", "forged")],
          body: body)
      }
      harness.show([replica]) { $0.modelName = "Qwen/\"3\"" }
      let body = #"{ "messages" : [{"model":"x"}],"model" : "default\/owl" , "n":1e3}"#
      let expected = #"{ "messages" : [{"model":"x"}],"model" : "Qwen/\"3\"" , "n":1e3}"#
      let fields = [("traceparent", "00-a-b-01"), ("TE", "trailers")]
      let answer = try await harness.send("POST", "/v1/chat/completions?a=b", fields, body: body)
      #expect(answer.body == expected)
      #expect(answer.headers.first("x-target") == "/v1/chat/completions?a=b")
      #expect(answer.headers.all("pilotlight-pool") == ["burst"])
      #expect(
        answer.headers.first("x-seen")
          == "host=gateway x-forwarded-for=127.0.0.1 x-forwarded-host=gateway via=1.1 pilotlight "
          + "traceparent=00-a-b-01 te=-")
      // By host and path the body is JSON of a known length, too.
      let byHost = try await harness.send(
        "POST", "/v1/chat/completions",
        [("Host", "owl.default.models.test"), ("Content-Type", "application/json")], body: #"{"model":"owl"}"#)
      #expect(byHost.body == #"{"model":"Qwen/\"3\""}"#)
      let byPath = try await harness.send("POST", "/default/owl/v1/x", body: "any \u{1}bytes")
      #expect(byPath.body == "any \u{1}bytes" && byPath.headers.first("x-target") == "/v1/x")
    }
  }

  @Test("A large body streams both ways with its length unknown")
  func large() async throws {
    try await GatewayHarness.run { harness in
      let replica = try harness.replica { exchange in
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        while let piece = try await exchange.readBody() { try await exchange.write(piece) }
        try await exchange.finish()
      }
      harness.show([replica])
      let connection = try await harness.pool.connect(
        to: harness.traffic, key: "caller", tls: nil, timeout: .seconds(10))
      try await connection.send(
        head: RequestHeadBytes(
          method: "POST", target: "/default/owl/echo", fields: FieldBlock([("Host", "gateway")]), framing: .chunked))
      let size = 3 << 20
      async let received: Int = {
        var count = 0
        _ = try await connection.readHead(timeout: .seconds(30))
        while let piece = try await connection.readBody(idleTimeout: .seconds(30)) { count += piece.count }
        return count
      }()
      let piece = [UInt8](repeating: 7, count: 1 << 16)
      for _ in 0..<(size / piece.count) { try await connection.sendBody(piece) }
      try await connection.finishBody()
      #expect(try await received == size)
    }
  }

  @Test("A request that one replica does not take goes to another, before the first byte of an answer")
  func retries() async throws {
    try await GatewayHarness.run { harness in
      let good = try harness.replica { exchange in
        let body = try await exchange.readWholeBody(limit: 1000)
        try await exchange.respond(status: 200, headers: [], body: body)
      }
      let cutter = try harness.replica("cutter", .dedicated) { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        exchange.abort()
      }
      let dead = try harness.replica("dead", .dedicated) { $0.abort() }
      for bad in [dead, cutter] {
        try await harness.showHealthy([bad, good])
        if bad == dead { await harness.lose(dead) }
        let answer = try await harness.send()
        #expect(answer.status == 200 && answer.body == #"{"model":"owl"}"#)
        #expect(answer.headers.first("pilotlight-reason") == "retried")
        #expect(answer.headers.first("pilotlight-pool") == "burst")
      }
    }
  }

  @Test("With no replica left to try, the answer is 503 in OpenAI's form")
  func unreachable() async throws {
    try await GatewayHarness.run(changing: \.maxRetries, to: 0) { harness in
      let dead = try harness.replica { $0.abort() }
      try await harness.showHealthy([dead])
      await harness.lose(dead)
      let answer = try await harness.send()
      #expect(answer.status == 503 && answer.headers.first("retry-after") == "1")
      #expect(answer.body.contains(#""code":"model_unreachable""#))
    }
  }

  @Test("An answer that breaks off is cut for the caller, too, not ended")
  func cuts() async throws {
    try await GatewayHarness.run { harness in
      let replica = try harness.replica { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        try await exchange.write(Array("half".utf8))
        try await exchange.loop.sleep(for: .milliseconds(1))
        exchange.abort()
      }
      harness.show([replica])
      let answer = try await harness.begin()
      await #expect(throws: HTTPError.self) { _ = try await answer.rest() }
    }
  }

  @Test("A replica that answers nonsense is told as 502, one that is silent as 504")
  func badUpstreams() async throws {
    try await GatewayHarness.run { harness in
      let silent = try harness.replica("silent") { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        try await exchange.loop.sleep(for: .seconds(60))
      }
      harness.show([silent]) { $0.responseTimeout = .milliseconds(20) }
      #expect(try await harness.send().status == 504)
    }
  }

  @Test(
    "What cannot be served is said with its status, code and Retry-After",
    arguments: [
      ("/v1/x", #"{"model":"none"}"#, [], 404, "model_not_found", false),
      ("/v1/x", #"{"modle":"owl"}"#, [], 400, "missing_model", false),
      ("/v1/x", "{", [], 400, "invalid_body", false),
      ("/v1/x", #"{"model":"owl"}"# + String(repeating: " ", count: 3000), [], 413, "request_too_large", false),
      ("/nowhere", "{}", [], 404, "not_found", false),
      ("/v1/x", #"{"model":"owl"}"#, [("Prefer", "wait=0")], 503, "model_waking", true),
      ("/v1/x", #"{"model":"full"}"#, [], 429, "queue_full", true),
      ("/v1/x", #"{"model":"off"}"#, [], 503, "model_unavailable", true),
    ] as [(String, String, [(String, String)], Int, String, Bool)])
  func errors(
    target: String, body: String, fields: [(String, String)], status: Int, code: String, retries: Bool
  ) async throws {
    try await GatewayHarness.run(changing: \.routingBodyLimit, to: 2000) { harness in
      let off = Refusal(reason: "Suspended", message: "off", always: true)
      harness.server.update(
        RoutingView(services: [.sample(), .sample("full", maxHeld: 0), .sample("off", refusal: off)]))
      let answer = try await harness.send("POST", target, fields, body: body)
      #expect(answer.status == status)
      #expect(answer.body.contains("\"code\":\"\(code)\""), "\(answer.body)")
      #expect((answer.headers.first("retry-after") != nil) == retries)
      #expect(answer.headers.first("content-type") == "application/json")
    }
  }

  @Test("Past the gateway's own bound nothing more is held, whatever the service allows")
  func budget() async throws {
    try await GatewayHarness.run(changing: \.holdBudgetRequests, to: 1) { harness in
      harness.show()
      async let held = harness.send("POST", "/v1/x", [("Prefer", "wait=30")])
      try await harness.waitForLoad { $0.held == 1 }
      let refused = try await harness.send()
      #expect(refused.status == 429 && refused.body.contains("gateway_full"))
      harness.show { $0.refusal = Refusal(reason: "StartupTimeout", message: "out of memory") }
      let told = try await held
      #expect(told.status == 503 && told.body.contains("StartupTimeout: out of memory"))
    }
  }

  @Test("Request bytes past the gateway's own bound are refused")
  func byteBudget() async throws {
    try await GatewayHarness.run(changing: \.holdBudgetBytes, to: 10) { harness in
      harness.show()
      let answer = try await harness.send()
      #expect(answer.status == 429 && answer.body.contains("gateway_full"))
    }
  }

  @Test("Several loops share one service's slots and queue")
  func loops() async throws {
    try await GatewayHarness.run(changing: \.loops, to: 3) { harness in
      let occupancy = Occupancy()
      let replica = try harness.replica(slots: 2) { exchange in
        occupancy.enter()
        _ = try await exchange.readWholeBody(limit: 1000)
        try await exchange.loop.sleep(for: .milliseconds(1))
        occupancy.now -= 1
        try await exchange.respond(status: 200, headers: [], body: [])
      }
      harness.show { $0.maxHeld = 100 }
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<40 { group.addTask { try await harness.send().status } }
        try await harness.waitForLoad { $0.held == 40 }
        harness.show([replica]) { $0.maxHeld = 100 }
        for try await status in group { #expect(status == 200) }
      }
      #expect(occupancy.most == 2 && occupancy.total == 40)
    }
  }

  @Test("When the last replica goes while requests wait for a slot, the model is woken again")
  func fallsAsleep() async throws {
    try await GatewayHarness.run { harness in
      let proceed = Moment()
      let replica = try harness.replica(slots: 1) { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        await proceed.wait()
        try await exchange.respond(status: 200, headers: [], body: [])
      }
      harness.show([replica])
      async let first = harness.send()
      try await harness.waitForLoad { $0.inFlight == 1 }
      async let second = harness.send("POST", "/v1/x", [("Prefer", "wait=30")])
      try await harness.waitForLoad { $0.held == 1 }
      #expect(harness.wakes.services.isEmpty)
      harness.show()
      #expect(harness.wakes.services.count == 1)
      proceed.come()
      #expect(try await first.status == 200)
      harness.show([replica])
      #expect(try await second.status == 200)
    }
  }

  @Test("A preflight and a health check neither wake a model nor count as demand; lists are answered while it sleeps")
  func quietRequests() async throws {
    try await GatewayHarness.run { harness in
      harness.show()
      #expect(try await harness.send("OPTIONS", "/default/owl/v1/x", body: nil).status == 204)
      #expect(try await harness.send("GET", "/default/owl/health", body: nil).status == 503)
      let list = try await harness.send("GET", "/v1/models", body: nil)
      #expect(list.status == 200 && list.body.contains(#""id":"owl""#))
      #expect(try await harness.send("GET", "/v1/models/owl", body: nil).body.contains(#""owned_by":"default""#))
      #expect(harness.wakes.services.isEmpty)
    }
  }

  @Test(
    "The leader's word on slots is taken by PUT on the admin port and told back on the load stream; else it says why")
  func slots() async throws {
    try await GatewayHarness.run { harness in
      let owl = ServiceRoute.sample(replicas: [try harness.replica(slots: 10) { _ in }])
      let share = GatewayShare(identity: "gateway-0", among: ["gateway-1"])
      harness.server.update(RoutingView(services: [owl], domain: "models.test", share: share))
      try await harness.waitForState("slots=5/10 slotsEpoch=none")
      func put(_ body: String, _ method: String = "PUT") async throws -> (Int, String) {
        let answer = try await harness.begin(method, SlotMessage.path, body: body, to: harness.admin)
        return (answer.head.status, try await answer.rest())
      }
      func message(_ gateways: [String], _ parts: [Int], _ next: [Int]?, epoch: Int) throws -> String {
        let deal = ServiceSlots(
          namespace: "default", name: "owl", since: 1, epoch: epoch, weights: try SlotWeights(parts: parts),
          next: try next.map { try SlotWeights(parts: $0) })
        return String(decoding: try SlotMessage(gateways: gateways, services: [deal]).encoded(), as: UTF8.self)
      }
      let both = ["gateway-0", "gateway-1"]
      #expect(try await put(message(both, [1, 1], [1, 0], epoch: 7)) == (200, #"{"epoch":7,"version":1}"#))
      try await harness.waitForLoad { $0.slotsEpoch == 7 && $0.slots == 5 && $0.capacity == 10 }
      #expect(try await put(message(both, [1, 0], nil, epoch: 8)).0 == 200)
      try await harness.waitForLoad { $0.slotsEpoch == 8 && $0.slots == 10 }
      // An earlier leader's, late: it hears that others have counted further.
      #expect(try await put(message(both, [0, 1], nil, epoch: 3)) == (200, #"{"epoch":8,"version":1}"#))
      try await harness.waitForState("slots=10/10 slotsEpoch=8")
      let others = try await put(message(["gateway-0", "gateway-2"], [0, 1], nil, epoch: 9))
      #expect(others.0 == 409 && others.1.contains("gateway-0, gateway-2; this one knows gateway-0, gateway-1"))
      let refusals = [
        ("PUT", "{", 400, "malformed"), ("PUT", #"{"version":9}"#, 400, "version 9: accepted are"),
        ("PUT", try message(both, [1], nil, epoch: 9), 400, "default/owl has 1 weights for 2 gateways"),
        (
          "PUT",
          #"{"version":1,"gateways":["a"],"services":[{"namespace":"a","name":"b","since":1,"epoch":1,"#
            + #""weights":{"parts":[-1]}}]}"#, 400, "a weight is -1, must be from 0 to"
        ),
        ("POST", "{}", 405, "slots are told by PUT, not by POST"),
      ]
      for (method, body, status, text) in refusals {
        let answer = try await put(body, method)
        #expect(answer.0 == status && answer.1.contains(text), "\(answer)")
      }
    }
  }

  @Test("The admin port tells health, readiness and metrics, and is not ready before the first view")
  func admin() async throws {
    try await GatewayHarness.run { harness in
      func ask(_ path: String) async throws -> (Int, String) {
        let answer = try await harness.begin("GET", path, body: nil, to: harness.admin)
        return (answer.head.status, try await answer.rest())
      }
      #expect(try await ask("/healthz").0 == 200)
      #expect(try await ask("/readyz") == (503, "the cluster's services are not known yet\n"))
      harness.server.explainWaiting { "no CRD" }
      #expect(try await ask("/readyz") == (503, "the cluster's services are not known yet: no CRD\n"))
      #expect(try await harness.send().status == 503)
      harness.show()
      _ = try await harness.send("GET", "/v1/models", body: nil)
      #expect(try await ask("/readyz").0 == 200)
      _ = try await harness.send("POST", "/v1/x", [("Prefer", "wait=0")])
      // A request is counted when its answer is out.
      let line = #"pilotlight_gateway_rejections_total{namespace="default",service="owl",reason="model_waking"} 1"#
      while try await !ask("/metrics").1.contains(line) {}
      #expect(try await ask("/debug/state").1.contains("default/owl"))
      #expect(try await ask("/else").0 == 404)
    }
  }

  @Test("Shutting down closes connections after their answer, lets streams end and refuses new callers")
  func shutsDown() async throws {
    let harness = try GatewayHarness()
    try await Task(executorPreference: harness.loop) {
      let proceed = Moment()
      let replica = try harness.replica { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        try await exchange.write(Array("begun".utf8))
        await proceed.wait()
        try await exchange.write(Array(" and done".utf8))
        try await exchange.finish()
      }
      harness.show([replica])
      let answer = try await harness.begin()
      #expect(try await answer.next() == "begun")
      async let down: Void = harness.server.shutDown(delay: .zero, drain: .seconds(60))
      // Readiness goes before anything else does.
      while try await harness.begin("GET", "/readyz", body: nil, to: harness.admin).head.status == 200 {}
      proceed.come()
      #expect(try await answer.rest() == " and done")
      await down
      await #expect(throws: HTTPError.self) { _ = try await harness.begin() }
    }.value
    harness.loop.stop()
  }
}
