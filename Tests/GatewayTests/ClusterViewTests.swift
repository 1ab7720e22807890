import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry
import Testing

@testable import Gateway
@testable import GatewayCluster

@Suite(.timeLimit(.minutes(1)))
struct ClusterViewTests {
  /// An API server that lists one service and lets the test write the watch of InferenceServices.
  private final class Server: KubernetesTransport {
    let watch = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    /// The CRD is not there: neither lists nor watches of its objects are known.
    let isAbsent = Mutex(false)
    /// Lists of InferenceServices that were asked for.
    let lists = Mutex(0)

    static func service(_ name: String, version: Int) -> String {
      """
      {"apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
       "metadata": {"namespace": "default", "name": "\(name)", "resourceVersion": "\(version)"},
       "spec": {"template": {"spec": {"containers": [{"name": "m", "image": "i", "ports": [{"containerPort": 8000}]}]}}}}
      """
    }

    func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
      if request.path.hasSuffix("inferenceservices") {
        lists.withLock { $0 += 1 }
        if isAbsent.withLock({ $0 }) {
          return KubernetesResponse(status: 404, body: Array("404 page not found\n".utf8))
        }
      }
      let items = request.path.hasSuffix("inferenceservices") ? Self.service("owl", version: 5) : ""
      let list = #"{"kind": "List", "metadata": {"resourceVersion": "5"}, "items": [\#(items)]}"#
      return KubernetesResponse(status: 200, body: Array(list.utf8))
    }

    func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
      let isServices = request.path.hasSuffix("inferenceservices")
      if isServices, isAbsent.withLock({ $0 }) {
        return KubernetesStream(status: 404, body: AsyncThrowingStream { $0.finish() })
      }
      return KubernetesStream(status: 200, body: isServices ? watch.stream : AsyncThrowingStream { _ in })
    }

    func add(_ name: String) {
      let object = Self.service(name, version: 6).filter { $0 != "\n" }
      watch.continuation.yield(Array("{\"type\": \"ADDED\", \"object\": \(object)}\n".utf8))
    }
  }

  @Test("Without the CRD there is no view, and the reason is said; once it is there, its removal takes no service away")
  func absent() async throws {
    let server = Server()
    server.isAbsent.withLock { $0 = true }
    let clock = ManualClock()
    let views = AsyncStream<RoutingView>.makeStream()
    let cluster = ClusterView(
      client: KubernetesClient(transport: server, clock: clock), clock: clock, log: .discarding,
      identity: "gateway-0", domain: "models.test"
    ) { views.continuation.yield($0) }
    let running = Task { try await cluster.run() }
    await clock.waitForSleepers()
    #expect(cluster.problem?.contains("CRD is not installed: kubectl apply") == true)
    server.isAbsent.withLock { $0 = false }
    clock.advance(by: .seconds(5))
    var iterator = views.stream.makeAsyncIterator()
    #expect(await iterator.next()?.services.map(\.key.name) == ["owl"])
    #expect(cluster.problem == nil)

    server.isAbsent.withLock { $0 = true }
    let before = server.lists.withLock { $0 }
    server.watch.continuation.finish()
    // Asked again and again, and every time not there.
    while server.lists.withLock({ $0 }) < before + 3 {
      await clock.waitForSleepers()
      clock.advance(by: .seconds(5))
    }
    views.continuation.finish()
    while let view = await iterator.next() { #expect(view.services.map(\.key.name) == ["owl"]) }
    // It has a view, and serves by it.
    #expect(cluster.problem == nil)
    running.cancel()
  }

  @Test("The first view comes when everything was listed, and another with each change")
  func follows() async throws {
    let server = Server()
    let clock = ManualClock()
    let views = AsyncStream<RoutingView>.makeStream()
    let cluster = ClusterView(
      client: KubernetesClient(transport: server, clock: clock), clock: clock, log: .discarding,
      identity: "gateway-0", domain: "models.test"
    ) { views.continuation.yield($0) }
    let running = Task { try await cluster.run() }
    var iterator = views.stream.makeAsyncIterator()
    #expect(await iterator.next()?.services.map(\.key.name) == ["owl"])
    #expect(cluster.hasSynced)
    server.add("lark")
    var names: [String] = []
    // A view that was asked for by the lists themselves may come between.
    while names.count < 2, let view = await iterator.next() { names = view.services.map(\.key.name) }
    #expect(names == ["lark", "owl"])
    running.cancel()
  }
}
