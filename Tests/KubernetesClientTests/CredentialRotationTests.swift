import CurlTransport
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(1))) struct CredentialRotationTests {
  private static func event(_ name: String) -> [UInt8] {
    Array((#"{"type":"ADDED","object":{"metadata":{"name":"\#(name)","resourceVersion":"1"}}}"# + "\n").utf8)
  }

  @Test("a watch outlives its token; the next request is refused once and told why, and goes on with the renewed file")
  func rotation() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "pilotlight-\(UUID().uuidString)")
    try Data("one".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let accepted = Mutex("Bearer one")
    let arrivals = Mutex<[String]>([])
    let rotated = Gate()
    let server = try LoopbackServer(encrypted: true) { exchange in
      let token = exchange.headers.first("authorization") ?? "-"
      arrivals.withLock { $0.append(token) }
      do {
        guard token == accepted.withLock({ $0 }) else {
          let status = KubernetesStatus(code: 401, reason: "Unauthorized", message: "Unauthorized")
          return try await exchange.respond(status: 401, headers: [], body: status.json.bytes)
        }
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        try await exchange.write(Self.event("before"))
        await rotated.wait()
        try await exchange.write(Self.event("after"))
        try await exchange.finish()
      } catch { exchange.abort() }
    }
    let endpoint = ClusterEndpoint(
      server: server.url, tls: server.tls, credentials: FileToken(path: file.path(percentEncoded: false)))
    let client = KubernetesClient(
      transport: CurlTransport(driver: try CurlDriver(), endpoint: endpoint), clock: ManualClock())

    var names: [String] = []
    for try await case .added(let pod) in client.watch(.pods, resourceVersion: "1") {
      names.append(pod.metadata.name)
      if names.count == 1 {
        accepted.withLock { $0 = "Bearer two" }
        rotated.open()
      }
    }
    #expect(names == ["before", "after"])

    // The file is not renewed yet: one request, and its refusal; the same token is not tried again.
    let refusal = await #expect(throws: KubernetesStatus.self) {
      for try await _ in client.watch(.pods, resourceVersion: "1") {}
    }
    #expect(refusal?.code == 401 && refusal?.message.contains("kubectl auth whoami") == true)
    #expect(arrivals.withLock { $0 } == ["Bearer one", "Bearer one"])

    try Data("two".utf8).write(to: file)
    names = []
    for try await case .added(let pod) in client.watch(.pods, resourceVersion: "1") { names.append(pod.metadata.name) }
    #expect(names == ["before", "after"])
    #expect(arrivals.withLock { $0.last } == "Bearer two")
  }
}
