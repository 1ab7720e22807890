import InferenceAPI
import KubernetesAPI
import KubernetesClient
import ObjectStore
import Testing

@testable import Operator

/// What the controller's writes do when others write between its reads and them.
@Suite(.timeLimit(.minutes(1))) struct ClusterWriterTests {
  private static let key = ObjectKey(namespace: "default", name: "llm-burst")
  private static let service = ObjectKey(namespace: "default", name: "llm")
  private static let owner = {
    var service = KubernetesObject(InferenceService.resourceType, ObjectKey(namespace: "default", name: "llm"))
    service.json[path: ["metadata", "uid"]] = "1"
    return OwnerReference(controlledBy: service)
  }()

  private let cluster: TestCluster
  private let transport: FaultyTransport
  private let writer: ClusterWriter

  init() throws {
    cluster = try TestCluster()
    transport = FaultyTransport(cluster.transport)
    writer = ClusterWriter(client: KubernetesClient(transport: transport, clock: cluster.clock))
  }

  private static func deployment(image: String) -> KubernetesObject {
    var deployment = KubernetesObject(.deployments, key)
    deployment.json[path: ["metadata", "ownerReferences"]] = [owner.json]
    let labels: JSONValue = [Labels.service: "llm", Labels.pool: "burst"]
    deployment.spec = [
      "selector": ["matchLabels": labels],
      "template": [
        "metadata": ["labels": labels],
        "spec": ["containers": [["name": "model", "image": .string(image)]]],
      ],
    ]
    return deployment
  }

  private static func scale(_ replicas: Int) -> ObjectOperation {
    ObjectOperation(
      .deployments, .mergePatch(key, ["spec": ["replicas": JSONValue(replicas)]]), subresource: "scale",
      fieldManager: "another")
  }

  private static func create(_ deployment: KubernetesObject, replicas: Int) -> [ObjectOperation] {
    var first = deployment
    first.spec["replicas"] = 0
    return [
      ObjectOperation(.deployments, .apply(first, force: true), fieldManager: DesiredObjects.fieldManager),
      scale(replicas),
    ]
  }

  @Test("What happens between the read and the apply of a Deployment wins: a scale, a beginning, an end")
  func applyIsConditional() async throws {
    let old = Self.deployment(image: "old")
    let new = Self.deployment(image: "new")
    let cases: [(before: [ObjectOperation], meanwhile: [ObjectOperation], replicas: Int?)] = [
      ([], Self.create(old, replicas: 2), 2),
      (Array(Self.create(old, replicas: 0).prefix(1)), [Self.scale(2)], 2),
      (
        Self.create(old, replicas: 2),
        [ObjectOperation(.deployments, .delete(Self.key, DeleteOptions()), fieldManager: "another")], nil
      ),
    ]
    for one in cases {
      if cluster.replicas(Self.key.name) != nil {
        try cluster.transport.apply(
          ObjectOperation(.deployments, .delete(Self.key, DeleteOptions()), fieldManager: "test"))
      }
      for operation in one.before { try cluster.transport.apply(operation) }
      let server = cluster.transport
      transport.fail { request in
        guard request.method == .patch else { return nil }
        for operation in one.meanwhile { _ = try? server.apply(operation) }
        return nil
      }
      let error = await #expect(throws: KubernetesStatus.self) {
        try await writer.apply(.deployments, new, owner: Self.owner)
      }
      #expect(error?.isConflict == true)
      #expect(cluster.replicas(Self.key.name) == one.replicas)
    }
  }

  /// Two replicas, as the controller sees them.
  private func makePods() throws -> PoolObservation {
    for operation in Self.create(Self.deployment(image: "old"), replicas: 2) { try cluster.transport.apply(operation) }
    for name in ["a", "b"] { try cluster.makePod(name, status: TestCluster.ready) }
    let pods = ["a", "b"].compactMap {
      cluster.transport.object(.pods, ObjectKey(namespace: "default", name: $0)).map { PodObservation(Pod($0)) }
    }
    return PoolObservation(
      exists: true, wanted: 2, pods: pods,
      resourceVersion: cluster.transport.object(.deployments, Self.key)?.metadata.resourceVersion ?? "")
  }

  private func isMarked(_ name: String) -> Bool {
    let pod = cluster.transport.object(.pods, ObjectKey(namespace: "default", name: name))
    return pod?.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] != nil
  }

  @Test("A scale-down whose victim could not be marked is not made: another one would go")
  func unmarkedVictim() async throws {
    let seen = try makePods()
    let change = PoolScale(pool: .burst, from: 2, to: 1, victims: [seen.pods[1].uid])
    transport.fail { $0.path.contains("/pods/") ? .answer(.refusal(409, "Conflict")) : nil }
    await #expect(throws: KubernetesStatus.self) { try await writer.scale(change, Self.key, seen: seen, Self.service) }
    #expect(cluster.replicas(Self.key.name) == 2)
    transport.fail(nil)
    try await writer.scale(change, Self.key, seen: seen, Self.service)
    #expect(cluster.replicas(Self.key.name) == 1)
  }

  @Test("Who was marked for a scale-down that was refused is not taken by the next one, which names another")
  func marksOfRefusedScaleDown() async throws {
    let seen = try makePods()
    transport.fail { $0.path.hasSuffix("/scale") ? .answer(.refusal(409, "Conflict")) : nil }
    let refused = PoolScale(pool: .burst, from: 2, to: 1, victims: [seen.pods[0].uid])
    await #expect(throws: KubernetesStatus.self) { try await writer.scale(refused, Self.key, seen: seen, Self.service) }
    #expect(isMarked("a") && !isMarked("b"))
    transport.fail(nil)
    let change = PoolScale(pool: .burst, from: 2, to: 1, victims: [seen.pods[1].uid])
    try await writer.scale(change, Self.key, seen: seen, Self.service)
    #expect(!isMarked("a") && isMarked("b"))
    #expect(cluster.replicas(Self.key.name) == 1)
  }
}
