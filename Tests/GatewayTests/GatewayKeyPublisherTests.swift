import FleetProtocol
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Telemetry
import Testing

@testable import GatewayCluster

@Suite(.timeLimit(.minutes(1)))
struct GatewayKeyPublisherTests {
  /// What the API server was asked, as often as there are answers; time passes as it is waited for.
  private static func requests(for answers: [Int], podUID: String? = "uid-1") async throws -> [KubernetesRequest] {
    let server = PreparedAPIServer(answers)
    let clock = ManualClock()
    let key = try #require(GatewayKey(digest: [UInt8](repeating: 7, count: 32)))
    let publisher = GatewayKeyPublisher(
      client: KubernetesClient(transport: server, clock: clock), clock: clock, log: .discarding,
      namespace: "pilotlight-system", identity: "gateway-a", podUID: podUID, key: key)
    let running = Task { try await publisher.run() }
    let ticking = Task {
      while !Task.isCancelled {
        await clock.waitForSleepers()
        clock.advance(by: .seconds(600))
      }
    }
    var asked: [KubernetesRequest] = []
    for await request in server.requests {
      asked.append(request)
      if asked.count == answers.count { break }
    }
    running.cancel()
    ticking.cancel()
    return asked
  }

  @Test("A gateway's key is in a Lease of the gateway's name, which goes with its pod", arguments: ["uid-1", nil])
  func creates(podUID: String?) async throws {
    let request = try #require(try await Self.requests(for: [201], podUID: podUID).first)
    #expect(request.method == .post)
    #expect(request.path == "/apis/coordination.k8s.io/v1/namespaces/pilotlight-system/leases")
    let lease = Lease(KubernetesObject(try JSONValue(parsing: request.body)))
    #expect(lease.object.metadata.name == "gateway-a" && lease.holderIdentity == "gateway-a")
    #expect(lease.object.metadata.labels == ["serving.pilotlight.dev/gateway-key": "true"])
    #expect(
      lease.object.metadata.annotations == [
        "serving.pilotlight.dev/public-key": "sha256//BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
      ])
    // Nothing that would take a right on pods.
    let owner: JSONValue = ["apiVersion": "v1", "kind": "Pod", "name": "gateway-a", "uid": "uid-1"]
    #expect(lease.object.metadata.ownerReferences.map(\.json) == (podUID == nil ? [] : [owner]))
  }

  @Test("The Lease of the process before in the same pod gets the new key; its owner is left alone")
  func replaces() async throws {
    let request = try #require(try await Self.requests(for: [409, 200]).last)
    #expect(request.method == .patch && request.contentType == "application/merge-patch+json")
    #expect(request.path == "/apis/coordination.k8s.io/v1/namespaces/pilotlight-system/leases/gateway-a")
    let body = try JSONValue(parsing: request.body)
    #expect(body[path: ["metadata", "annotations", "serving.pilotlight.dev/public-key"]] != nil)
    #expect(body[path: ["metadata", "ownerReferences"]] == nil && body["spec"] == nil)
  }

  @Test("What the API server did not take is tried again; what somebody removed comes back")
  func again() async throws {
    let methods = try await Self.requests(for: [0, 500, 403, 201, 409, 404, 201]).map(\.method)
    #expect(methods == [.post, .post, .post, .post, .post, .patch, .post])
  }
}
