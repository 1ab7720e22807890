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

    static func service(_ name: String, version: Int) -> String {
      """
      {"apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
       "metadata": {"namespace": "default", "name": "\(name)", "resourceVersion": "\(version)"},
       "spec": {"template": {"spec": {"containers": [{"name": "m", "image": "i", "ports": [{"containerPort": 8000}]}]}}}}
      """
    }

    func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
      let items = request.path.hasSuffix("inferenceservices") ? Self.service("owl", version: 5) : ""
      let list = #"{"kind": "List", "metadata": {"resourceVersion": "5"}, "items": [\#(items)]}"#
      return KubernetesResponse(status: 200, body: Array(list.utf8))
    }

    func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
      let isServices = request.path.hasSuffix("inferenceservices")
      return KubernetesStream(status: 200, body: isServices ? watch.stream : AsyncThrowingStream { _ in })
    }

    func add(_ name: String) {
      let object = Self.service(name, version: 6).filter { $0 != "\n" }
      watch.continuation.yield(Array("{\"type\": \"ADDED\", \"object\": \(object)}\n".utf8))
    }
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
