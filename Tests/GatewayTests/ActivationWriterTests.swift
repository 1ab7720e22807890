import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Telemetry
import Testing

@testable import Gateway
@testable import GatewayCluster

@Suite(.timeLimit(.minutes(1)))
struct ActivationWriterTests {
  /// Runs a writer against prepared answers, and gives what the server was asked, as many as there are answers.
  private static func requests(for answers: [Int]) async throws -> [KubernetesRequest] {
    let server = PreparedAPIServer(answers)
    let clock = ManualClock(start: Now(monotonic: .seconds(1), wall: Date(timeIntervalSince1970: 1_767_225_600.5)))
    let writer = ActivationWriter(
      client: KubernetesClient(transport: server, clock: clock), clock: clock, log: .discarding,
      namespace: "pilotlight-system", identity: "gateway-0")
    let running = Task { try await writer.run() }
    let key = ServiceKey(namespace: "team", name: "owl")
    writer.wake(key, heldSinceUnix: 1_767_225_599)
    writer.wake(key, heldSinceUnix: 1_767_225_598)
    var asked: [KubernetesRequest] = []
    let ticking = Task {
      // Back-off sleeps on the clock; it is over as soon as it is begun.
      while !Task.isCancelled {
        await clock.waitForSleepers()
        clock.advance(by: .seconds(60))
      }
    }
    for await request in server.requests {
      asked.append(request)
      if asked.count == answers.count { break }
    }
    running.cancel()
    ticking.cancel()
    return asked
  }

  @Test("The first wish creates a Lease that names service, gateway and time; wishes for one service are one write")
  func creates() async throws {
    let request = try #require(try await Self.requests(for: [201]).first)
    #expect(request.method == .post)
    #expect(request.path == "/apis/coordination.k8s.io/v1/namespaces/pilotlight-system/leases")
    let lease = Lease(KubernetesObject(try JSONValue(parsing: request.body)))
    #expect(lease.object.metadata.name == "team.owl")
    #expect(lease.object.metadata.labels == ["serving.pilotlight.dev/activation": "true"])
    #expect(
      lease.object.metadata.annotations == [
        "serving.pilotlight.dev/service-namespace": "team", "serving.pilotlight.dev/service-name": "owl",
        "serving.pilotlight.dev/held-since": "1767225598.0",
      ])
    #expect(lease.holderIdentity == "gateway-0" && lease.leaseDurationSeconds == 60)
    #expect(lease.renewTime == "2026-01-01T00:00:00.500000Z")
  }

  @Test("A Lease that is there already is renewed, and nothing else of it is touched")
  func renews() async throws {
    let request = try #require(try await Self.requests(for: [409, 200]).last)
    #expect(request.method == .patch && request.contentType == "application/merge-patch+json")
    #expect(request.path == "/apis/coordination.k8s.io/v1/namespaces/pilotlight-system/leases/team.owl")
    #expect(
      String(decoding: request.body, as: UTF8.self) == #"{"spec":{"renewTime":"2026-01-01T00:00:00.500000Z"}}"#)
  }

  @Test("A write that fails is tried again", arguments: [0, 500, 404])
  func retries(failure: Int) async throws {
    let requests = try await Self.requests(for: [failure, 201])
    #expect(requests.map(\.method) == [.post, .post])
  }
}
