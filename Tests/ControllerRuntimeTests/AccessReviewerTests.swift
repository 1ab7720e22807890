import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry
import Testing

@testable import ControllerRuntime

@Suite("Reviews of tokens", .timeLimit(.minutes(1))) struct AccessReviewerTests {
  /// An API server that knows the token `good`, and counts what it is asked.
  private final class Server: Sendable {
    let asked = Mutex<[JSONValue]>([])
    let isAway = Mutex(false)
    let allows = Mutex(true)

    func answer(_ request: KubernetesRequest) throws -> KubernetesResponse {
      if isAway.withLock({ $0 }) { throw TransportError(.connectFailed, "nobody is there") }
      let review = try JSONValue(parsing: request.body)
      asked.withLock { $0.append(review) }
      let status: JSONValue
      if review["kind"] == "TokenReview" {
        let isGood = review[path: ["spec", "token"]] == "good"
        status =
          isGood
          ? [
            "authenticated": true, "user": ["username": "anna", "groups": ["team"]],
            "audiences": review[path: ["spec", "audiences"]] ?? ["api"],
          ] : ["authenticated": false]
      } else {
        status = ["allowed": .bool(allows.withLock { $0 })]
      }
      return KubernetesResponse(status: 201, body: (["status": status] as JSONValue).bytes)
    }
  }

  private let server = Server()
  private let clock = ManualClock()

  private var reviewer: AccessReviewer {
    let server = server
    let transport = FakeTransport(onSend: { try server.answer($0) })
    return AccessReviewer(client: KubernetesClient(transport: transport, clock: clock), clock: clock, log: .discarding)
    {
      Array($0.utf8.reversed())
    }
  }

  private static let debug = AccessQuestion.path("/debug/state", verb: "get")

  @Test("a path is asked about with the user that the token review named, once a minute")
  func path() async throws {
    let reviewer = reviewer
    for _ in 0..<3 { #expect(try await reviewer.judge(token: "good", Self.debug, peer: "p") == .allowed) }
    let asked = server.asked.withLock { $0 }
    #expect(asked.count == 2)
    #expect(asked[0]["spec"] == ["token": "good"])
    #expect(
      asked[1]["spec"] == [
        "user": "anna", "groups": ["team"], "nonResourceAttributes": ["path": "/debug/state", "verb": "get"],
      ])
    #expect(try await reviewer.judge(token: "bad", Self.debug, peer: "p") == .unauthenticated)
    server.allows.withLock { $0 = false }
    clock.advance(by: .seconds(100))
    #expect(try await reviewer.judge(token: "good", Self.debug, peer: "p") == .forbidden(user: "anna"))
  }

  @Test("an identity is compared with the user of a token for the audience")
  func identity() async throws {
    let reviewer = reviewer
    func judge(_ user: String) async throws -> AccessVerdict {
      try await reviewer.judge(token: "good", .identity(user: user, audience: "gateway"), peer: "p")
    }
    #expect(try await judge("anna") == .allowed)
    #expect(try await judge("bert") == .forbidden(user: "anna"))
    #expect(server.asked.withLock { $0[0]["spec"] } == ["token": "good", "audiences": ["gateway"]])
  }

  @Test("concurrent questions about one token are one review")
  func together() async throws {
    let reviewer = reviewer
    try await withThrowingTaskGroup(of: AccessVerdict.self) { group in
      for _ in 0..<20 { group.addTask { try await reviewer.judge(token: "good", Self.debug, peer: "p") } }
      for try await verdict in group { #expect(verdict == .allowed) }
    }
    #expect(server.asked.withLock { $0.count } == 2)
  }

  @Test("with the API server away who was known stays known, and nobody else is let in")
  func outage() async throws {
    let reviewer = reviewer
    #expect(try await reviewer.judge(token: "good", Self.debug, peer: "p") == .allowed)
    server.isAway.withLock { $0 = true }
    clock.advance(by: .seconds(600))
    #expect(try await reviewer.judge(token: "good", Self.debug, peer: "p") == .allowed)
    await #expect(throws: AccessUnknown.unavailable) {
      try await reviewer.judge(token: "bad", Self.debug, peer: "p")
    }
    #expect(
      try await reviewer.judge(token: String(repeating: "x", count: 1 << 20), Self.debug, peer: "p") == .unauthenticated
    )
  }
}
