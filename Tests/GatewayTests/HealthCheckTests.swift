import EventLoop
import Synchronization
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(2)))
struct HealthCheckTests {
  /// What a replica was asked, in order.
  private final class Visits: Sendable {
    private let seen = Mutex<[(request: String, port: Int)]>([])

    /// Notes a visit and returns how many there were on this path before.
    func note(_ exchange: HTTPExchange) -> Int {
      seen.withLock { seen in
        let request = "\(exchange.method) \(exchange.path)"
        defer { seen.append((request, exchange.remoteAddress.port)) }
        return seen.count { $0.request == request }
      }
    }

    var requests: [String] { seen.withLock { $0.map(\.request) } }
    var ports: [Int] { seen.withLock { $0.map(\.port) } }
  }

  struct Case: Sendable {
    var modelProtocol = ModelProtocol.openAI
    var path: String?
    /// The statuses of each path, by turns; the last one stays. Others are answered 404.
    var answers: [String: [Int]]
    var visits: [String]
  }

  @Test(
    "A held request goes to a new replica when its health check has passed, over the same connection",
    arguments: [
      Case(answers: ["/health": [200]], visits: ["GET /health"]),
      Case(answers: ["/health": [503, 302, 200]], visits: ["GET /health", "GET /health", "GET /health"]),
      Case(
        answers: ["/v1/models": [503, 200]],
        visits: ["GET /health", "GET /v1/models", "GET /health", "GET /v1/models"]),
      Case(path: "/up", answers: ["/up": [404, 204]], visits: ["GET /up", "GET /up"]),
      Case(
        modelProtocol: .kserveV1, answers: ["/v1/models/owl": [500, 200]],
        visits: ["GET /v1/models/owl", "GET /v1/models/owl"]),
      Case(modelProtocol: .http, answers: [:], visits: []),
    ])
  func waitsForHealth(_ test: Case) async throws {
    try await GatewayHarness.run { harness in
      let visits = Visits()
      let replica = try harness.replica(takesChecks: true) { exchange in
        let turn = visits.note(exchange)
        _ = try await exchange.readWholeBody(limit: 1000)
        let answers = exchange.method == "POST" ? [200] : test.answers[exchange.path] ?? [404]
        try await exchange.respond(status: answers[min(turn, answers.count - 1)], headers: [], body: [])
      }
      func show(_ replicas: [Replica]) {
        harness.show(replicas) {
          $0.modelProtocol = test.modelProtocol
          $0.healthCheck = HealthCheck(path: test.path, modelProtocol: test.modelProtocol, modelName: "owl")
        }
      }
      show([])
      async let answer = harness.send("POST", "/default/owl/v1/x", [("Prefer", "wait=50")])
      try await harness.waitForLoad { $0.held == 1 }
      show([replica])
      let (status, headers, _) = try await answer
      #expect(status == 200 && headers.first("pilotlight-reason") == "woke")
      #expect(visits.requests == test.visits + ["POST /v1/x"])
      if !test.visits.isEmpty { #expect(Set(visits.ports.suffix(2)).count == 1) }
      // Once is enough: neither another request nor another view asks again.
      show([replica])
      _ = try await harness.send("POST", "/default/owl/v1/x")
      #expect(visits.requests == test.visits + ["POST /v1/x", "POST /v1/x"])
    }
  }

  @Test("While nobody listens at a ready pod's address, requests are held and the state says why; then they go on")
  func refusedAtFirst() async throws {
    try await GatewayHarness.run { harness in
      let reserved = try harness.replica("reserved") { $0.abort() }
      await harness.lose(reserved)
      harness.show([Replica(podUID: "pod", address: reserved.address, pool: .dedicated)])
      async let answer = harness.send("POST", "/v1/x", [("Prefer", "wait=50")])
      try await harness.waitForLoad { $0.held == 1 }
      try await harness.waitForState("health=failing (")
      while harness.wakes.services.isEmpty { try await harness.waitForState("failing") }
      _ = try harness.replica(at: reserved.address) { exchange in
        _ = try await exchange.readWholeBody(limit: 1000)
        try await exchange.respond(status: 200, headers: [], body: Array("hi".utf8))
      }
      let (status, headers, body) = try await answer
      #expect(status == 200 && body == "hi" && headers.first("pilotlight-pool") == "dedicated")
    }
  }
}
