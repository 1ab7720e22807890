import KubernetesAPI
import Testing

@testable import Operator

@Suite(.serialized) struct OwnershipTests {
  @Test("What is made of a service is owned by it, and by nothing that would need a right on its finalizers")
  func owners() async throws {
    try await TestCluster().running { cluster in
      try cluster.applyService("llm", ["dedicated": ["replicas": 2]])
      let made: [(ResourceType, String)] = [
        (.deployments, "llm-dedicated"), (.deployments, "llm-burst"), (.services, "llm-dedicated"),
        (.services, "llm-burst"), (.podDisruptionBudgets, "llm"),
      ]
      func object(_ made: (type: ResourceType, name: String)) -> KubernetesObject? {
        cluster.transport.object(made.type, ObjectKey(namespace: "default", name: made.name))
      }
      try await cluster.until("all of it") { _ in made.allSatisfy { object($0) != nil } }
      let service = try #require(cluster.service("llm"))
      let owner: JSONValue = [
        "apiVersion": .string(service.apiVersion), "kind": "InferenceService", "name": "llm",
        "uid": .string(service.metadata.uid), "controller": true,
      ]
      for each in made { #expect(object(each)?.metadata.ownerReferences.map(\.json) == [owner], "\(each)") }
    }
  }
}
