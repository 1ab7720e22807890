import CurlTransport
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Telemetry
import Testing

@testable import Sandbox

/// A sandbox without controller and gateways, in a folder of its own, and a client of its API over TLS.
struct RunningSandbox {
  let sandbox: Sandbox
  let driver: CurlDriver
  let endpoint: ClusterEndpoint
  let transport: CurlTransport
  let client: KubernetesClient
  let folder: String

  /// Starts one, runs `body`, and ends it, whatever happens.
  static func run(
    _ change: (inout SandboxConfiguration) -> Void = { _ in }, _ body: (RunningSandbox) async throws -> Void
  ) async throws {
    let folder = "\(FileManager.default.temporaryDirectory.path)/pilotlight-sandbox-tests.\(UUID().uuidString)"
    var configuration = SandboxConfiguration(stateDirectory: folder)
    configuration.httpPort = 0
    configuration.imageEnvironment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
    change(&configuration)
    let sandbox = try Sandbox(configuration, log: .discarding)
    let endpoints = try await sandbox.start()
    let kubeconfig = try #require(FileManager.default.contents(atPath: endpoints.kubeconfig))
    let driver = try CurlDriver()
    let endpoint = try ClusterEndpoint.kubeconfig(json: Array(kubeconfig))
    let transport = CurlTransport(driver: driver, endpoint: endpoint)
    let running = RunningSandbox(
      sandbox: sandbox, driver: driver, endpoint: endpoint, transport: transport,
      client: KubernetesClient(transport: transport, clock: ManualClock()), folder: folder)
    let result: Result<Void, any Error>
    do { result = .success(try await body(running)) } catch { result = .failure(error) }
    driver.shutDown()
    await sandbox.shutDown()
    try? FileManager.default.removeItem(atPath: folder)
    try result.get()
  }

  /// Creates a pod of the default namespace with one container that runs a shell script.
  @discardableResult
  func createPod(_ name: String, script: String, container: JSONValue = [:], spec: JSONValue = [:]) async throws
    -> KubernetesObject
  {
    var container = container
    container["name"] = "c"
    container["image"] = "none"
    container["command"] = container["command"] ?? ["/bin/sh", "-c", .string(script)]
    var spec = spec
    spec["containers"] = [container]
    spec["terminationGracePeriodSeconds"] = spec["terminationGracePeriodSeconds"] ?? 5
    return try await client.create(
      .pods,
      KubernetesObject([
        "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name), "namespace": "default"], "spec": spec,
      ]))
  }

  /// The first state of an object that satisfies `matches`, as a watch tells it.
  func first(
    _ type: ResourceType, _ name: String, where matches: (KubernetesObject) -> Bool
  ) async throws -> KubernetesObject {
    let events = client.watch(
      type, namespace: "default", fieldSelector: "metadata.name=\(name)", resourceVersion: "", bookmarks: false)
    for try await event in events {
      switch event {
      case .added(let object), .modified(let object): if matches(object) { return object }
      case .error(let status): throw status
      default: break
      }
    }
    throw WatchEnded()
  }

  /// Returns when the object is gone.
  func gone(_ type: ResourceType, _ name: String, after version: String) async throws {
    let events = client.watch(
      type, namespace: "default", fieldSelector: "metadata.name=\(name)", resourceVersion: version, bookmarks: false)
    for try await event in events { if case .deleted = event { return } }
    throw WatchEnded()
  }

  /// The text of a pod's log.
  func log(_ pod: String, _ query: [KubernetesRequest.QueryItem] = []) async throws -> String {
    let request = KubernetesRequest(
      method: .get, path: "/api/v1/namespaces/default/pods/\(pod)/log", query: query, accept: "*/*")
    let response = try await transport.send(request)
    return String(decoding: response.body, as: UTF8.self)
  }

  struct WatchEnded: Error {}
}
