import FleetProtocol
import KubernetesAPI
import Testing

@testable import Operator

@Suite(.serialized) struct SlotDistributionTests {
  static func load(held: Int, inFlight: Int, epoch: Int?) -> ServiceLoad {
    ServiceLoad(
      namespace: "default", name: "llm", held: held, inFlight: inFlight, requestsTotal: 1, capacity: 100, slots: 50,
      slotsEpoch: epoch)
  }

  @Test("Gateways are told new deals together, step by step, and again and again until one of them does not answer")
  func tells() async throws {
    let cluster = try TestCluster()
    try cluster.addGateway()
    try await cluster.running { cluster in
      let hosts = ["10.0.0.1", "10.0.0.2"]
      func latest(_ host: String) -> ServiceSlots? { cluster.gateways.slotMessages(host).last?.services.first }
      cluster.load.withLock { $0 = [Self.load(held: 9, inFlight: 50, epoch: nil)] }
      try await cluster.until("both deals") { _ in hosts.allSatisfy { latest($0) != nil } }
      let first = try #require(latest(hosts[0]))
      #expect(first.weights.parts == [1, 1] && first.next?.parts == [10_000, 0] && latest(hosts[1]) == first)
      #expect(cluster.gateways.slotMessages(hosts[0])[0].gateways == hosts)

      cluster.load.withLock { $0 = [Self.load(held: 9, inFlight: 50, epoch: first.epoch)] }
      try await cluster.pass(.seconds(1))
      #expect(latest(hosts[0]) == first)
      cluster.otherLoad.withLock { $0 = [Self.load(held: 0, inFlight: 0, epoch: first.epoch)] }
      try await cluster.until("the new deal") { _ in hosts.allSatisfy { latest($0)?.next == nil } }
      let second = try #require(latest(hosts[1]))
      #expect(second.weights.parts == [10_000, 0] && second.epoch > first.epoch && second.since == first.since)

      cluster.load.withLock { $0 = [Self.load(held: 9, inFlight: 95, epoch: second.epoch)] }
      cluster.otherLoad.withLock { $0 = [Self.load(held: 0, inFlight: 0, epoch: second.epoch)] }
      let told = hosts.map { cluster.gateways.slotMessages($0).count }
      try await cluster.pass(.seconds(12))
      for (host, before) in zip(hosts, told) {
        #expect((5...14).contains(cluster.gateways.slotMessages(host).count - before))
        #expect(latest(host) == second)
      }
      cluster.gateways.refuseSlots()
      try await cluster.pass(SlotCoordinator.patience + .seconds(1))
      cluster.load.withLock { $0 = [] }
      try await cluster.pass(.seconds(2))
      let end = hosts.map { cluster.gateways.slotMessages($0).count }
      try await cluster.pass(.seconds(5))
      #expect(hosts.map { cluster.gateways.slotMessages($0).count } == end)
    }
  }

  @Test(
    "The gateways that share are those that take traffic, by the name they know themselves by",
    arguments: [
      ([("a", true, false), ("b", true, true), ("c", false, false)], 9090, ["a": "10.0.0.1:9090"]),
      ([("b", true, false), ("a", true, false)], 9090, ["a": "10.0.0.2:9090", "b": "10.0.0.1:9090"]),
      ([("a", true, false)], nil, [:]),
    ] as [([(String, Bool, Bool)], Int?, [String: String])])
  func sharing(endpoints: [(String, Bool, Bool)], port: Int?, expected: [String: String]) {
    var slice = KubernetesObject(.endpointSlices, ObjectKey(namespace: "pilotlight-system", name: "gateways"))
    slice.metadata.labels = ["kubernetes.io/service-name": GatewayDirectory.serviceName]
    if let port { slice.json["ports"] = [["name": "admin", "port": JSONValue(port)]] }
    slice.json["endpoints"] = .array(
      endpoints.enumerated().map { index, endpoint in
        [
          "addresses": [.string("10.0.0.\(index + 1)")],
          "targetRef": ["kind": "Pod", "name": .string(endpoint.0)],
          "conditions": ["ready": .bool(endpoint.1), "terminating": .bool(endpoint.2)],
        ]
      })
    #expect(GatewayDirectory.sharing(in: [slice]) == expected)
  }
}
