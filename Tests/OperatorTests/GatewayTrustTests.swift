import FleetProtocol
import KubernetesAPI
import ObjectStore
import Testing

@testable import Operator

@Suite(.serialized) struct GatewayTrustTests {
  private static func key(_ octet: UInt8) throws -> GatewayKey {
    try #require(GatewayKey(digest: [UInt8](repeating: octet, count: 32)))
  }

  private static func slice(ports: [(String, Int)]) -> KubernetesObject {
    var slice = KubernetesObject(.endpointSlices, ObjectKey(namespace: "pilotlight-system", name: "gateways"))
    slice.metadata.labels = ["kubernetes.io/service-name": GatewayDirectory.serviceName]
    slice.json["ports"] = .array(ports.map { ["name": .string($0), "port": JSONValue($1)] })
    slice.json["endpoints"] = [
      ["addresses": ["10.0.0.1"], "targetRef": ["kind": "Pod", "name": "gateway-a"], "conditions": ["ready": true]]
    ]
    return slice
  }

  private static func lease(_ pin: String?) -> KubernetesObject {
    var lease = KubernetesObject(.leases, ObjectKey(namespace: "pilotlight-system", name: "gateway-a"))
    lease.metadata.labels = [GatewayKeyLease.label: GatewayKeyLease.labelValue]
    if let pin { lease.metadata.annotations = [GatewayKeyLease.keyAnnotation: pin] }
    return lease
  }

  @Test("A gateway with a port for TLS is known by the key in its Lease, and never read over plain HTTP")
  func targets() throws {
    let published = try Self.key(7)
    let new = Self.slice(ports: [("http", 8080), ("admin", 9090), ("fleet", 9443)])
    let old = Self.slice(ports: [("http", 8080), ("admin", 9090)])
    #expect(GatewayDirectory.gateways(in: [new]) == ["10.0.0.1:9443": true])
    #expect(GatewayDirectory.sharing(in: [new]) == ["gateway-a": "10.0.0.1:9443"])
    #expect(GatewayDirectory.gateways(in: [old]) == ["10.0.0.1:9090": true])
    func trust(
      _ address: String, _ slice: KubernetesObject, _ lease: KubernetesObject?, required: Bool = false
    ) -> GatewayTarget.Trust {
      GatewayDirectory.target(address, in: [slice], requiresTLS: required) { $0 == "gateway-a" ? lease : nil }.trust
    }
    let tls = "10.0.0.1:9443"
    #expect(trust(tls, new, Self.lease(published.pin)) == .key(published))
    #expect(trust(tls, new, Self.lease(published.pin), required: true) == .key(published))
    #expect(trust(tls, new, nil) == .none(.unpublishedKey(lease: "gateway-a")))
    #expect(trust(tls, new, Self.lease(nil)) == .none(.unpublishedKey(lease: "gateway-a")))
    #expect(trust(tls, new, Self.lease("/etc/passwd")) == .none(.malformedKey(lease: "gateway-a")))
    // A Lease does not make an older gateway speak TLS.
    #expect(trust("10.0.0.1:9090", old, nil) == .plain)
    #expect(trust("10.0.0.1:9090", old, nil, required: true) == .none(.plainHTTP))
    // The admin port of a gateway that has a port for TLS is no way round it.
    #expect(trust("10.0.0.1:9090", new, Self.lease(published.pin)) == .none(.unknown))
    #expect(GatewayTarget(address: tls, trust: .key(published)).url("/x") == "https://10.0.0.1:9443/x")
    #expect(GatewayTarget(address: tls, trust: .plain).url("/x") == "http://10.0.0.1:9443/x")
  }

  @Test("The key is the one of the moment: a gateway that starts again with another is read with that one")
  func rotates() async throws {
    let (first, second) = (try Self.key(7), try Self.key(8))
    let cluster = try TestCluster()
    let key = ObjectKey(namespace: "pilotlight-system", name: "pilotlight-gateway-1")
    let ports: JSONValue = [["name": "admin", "port": 9090], ["name": "fleet", "port": 9443]]
    let endpoints: JSONValue = [
      ["addresses": ["10.0.0.1"], "hostname": "gateway-a", "conditions": ["ready": true]]
    ]
    try cluster.transport.apply(
      ObjectOperation(
        .endpointSlices, .mergePatch(key, ["ports": ports, "endpoints": endpoints]), fieldManager: "test"))
    try await cluster.running { cluster in
      func asked() -> GatewayTarget.Trust? {
        cluster.gateways.asked.withLock { $0["https://10.0.0.1:9443\(LoadSnapshot.path)"] }
      }
      try await cluster.until("no key") { _ in asked() == GatewayTarget.Trust.none(.unpublishedKey(lease: "gateway-a"))
      }
      try cluster.transport.apply(ObjectOperation(.leases, .create(Self.lease(first.pin)), fieldManager: "test"))
      try await cluster.until("a key") { _ in asked() == .key(first) }
      let change: JSONValue = ["metadata": ["annotations": [GatewayKeyLease.keyAnnotation: .string(second.pin)]]]
      let lease = ObjectKey(namespace: "pilotlight-system", name: "gateway-a")
      try cluster.transport.apply(ObjectOperation(.leases, .mergePatch(lease, change), fieldManager: "test"))
      try await cluster.until("the other key") { _ in asked() == .key(second) }
      // It was never asked over plain HTTP.
      #expect(cluster.gateways.asked.withLock { $0.keys.allSatisfy { $0.hasPrefix("https://") } })
    }
  }
}
