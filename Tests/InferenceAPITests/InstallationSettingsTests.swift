import Decisions
import KubernetesAPI
import Testing

@testable import InferenceAPI

@Suite struct InstallationSettingsTests {
  private static let document = """
    {"domain": "models.example.com", "hold": {"maxRequests": 500, "maxBytes": 1048576}, "timeouts": {"head": "5s"},
     "economics": {"currency": "EUR", "hourlyPrice": "1.50", "powerWatts": 300, "gridRegion": "eu-central-1"},
     "namespaces": [{"name": "team-a", "economics": {"hourlyPrice": "2", "carbonGramsPerKWh": 20}}],
     "nodes": [{"label": "gpu", "value": "l4", "economics": {"hourlyPrice": "0.80", "powerWatts": 72}}]}
    """

  private func service(_ namespace: String, economics: JSONValue? = nil) throws -> InferenceService {
    var spec: JSONValue = [
      "template": ["spec": ["containers": [["name": "m", "image": "m", "ports": [["containerPort": 80]]]]]]
    ]
    spec["economics"] = economics
    return try InferenceService(
      KubernetesObject(["metadata": ["name": "owl", "namespace": .string(namespace)], "spec": spec]))
  }

  @Test("what is said closest holds: the service, its nodes, its namespace, all")
  func closestHolds() throws {
    let settings = try InstallationSettings(text: Self.document)
    func economics(_ namespace: String, own: JSONValue? = nil, nodes: [String: String] = [:]) throws -> Economics {
      try settings.economics(of: service(namespace, economics: own), dedicatedNodes: [:], burstNodes: nodes)
    }
    let plain = try economics("other")
    #expect(plain.currency == "EUR")
    #expect(plain.burst == ReplicaPrice(perHour: 1.5, powerWatts: 300))
    #expect(plain.carbonGramsPerKWh == 311)
    let team = try economics("team-a")
    #expect(team.burst == ReplicaPrice(perHour: 2, powerWatts: 300))
    #expect(team.carbonGramsPerKWh == 20)
    let node = try economics("team-a", nodes: ["gpu": "l4"])
    #expect(node.burst == ReplicaPrice(perHour: 0.8, powerWatts: 72))
    #expect(node.dedicated == ReplicaPrice(perHour: 2, powerWatts: 300))
    let own = try economics(
      "team-a", own: ["currency": "EUR", "burst": ["hourlyPrice": "9"], "carbonGramsPerKWh": 1], nodes: ["gpu": "l4"])
    #expect(own.burst == ReplicaPrice(perHour: 9, powerWatts: 72))
    #expect(own.carbonGramsPerKWh == 1)
  }

  @Test("a price in another currency than the service's own is left out, a power is not")
  func currencies() throws {
    let settings = try InstallationSettings(text: Self.document)
    let economics = settings.economics(
      of: try service("x", economics: ["currency": "USD", "dedicated": ["hourlyPrice": "3"]]), dedicatedNodes: [:],
      burstNodes: [:])
    #expect(economics.currency == "USD")
    #expect(economics.dedicated.perHour == 3)
    #expect(economics.burst == ReplicaPrice(perHour: nil, powerWatts: 300))
  }

  @Test("no ConfigMap, an empty one and an empty document set nothing")
  func nothing() throws {
    #expect(try InstallationSettings(configMap: nil) == InstallationSettings())
    #expect(try InstallationSettings(configMap: KubernetesObject(["data": [:]])) == InstallationSettings())
    #expect(try InstallationSettings(text: "{}") == InstallationSettings())
    let settings = try InstallationSettings(
      configMap: KubernetesObject(["data": ["settings.json": .string(Self.document)]]))
    #expect(settings.heldRequests == 500)
    #expect(settings.headTimeout == .seconds(5))
    #expect(settings.idleTimeout == nil)
  }

  @Test(
    "what is wrong is named, with what would be accepted, and all of it",
    arguments: [
      (#"{"hold": {"maxRequest": 5}}"#, "hold.maxRequest: unknown field"),
      (#"{"domain": "Models_"}"#, "domain:"), (#"{"timeouts": {"head": "5 s"}}"#, "timeouts.head:"),
      (#"{"economics": {"hourlyPrice": "$3"}}"#, "economics.hourlyPrice:"),
      (#"{"economics": {"gridRegion": "moon"}}"#, "supported values: \"world\""),
      (#"{"namespaces": [{"name": "a"}]}"#, "namespaces[0].economics: Required value"),
      (#"{"domain": "#, "not JSON"), (#"{"hold": {"maxRequests": -1, "maxBytes": -1}}"#, "hold.maxBytes"),
    ])
  func problems(document: String, named: String) {
    let error = #expect(throws: InvalidSettings.self) { try InstallationSettings(text: document) }
    #expect(error?.description.contains(named) == true, "\(error?.description ?? "none")")
  }

  @Test func anotherKeyOfTheConfigMapIsNamed() {
    let error = #expect(throws: InvalidSettings.self) {
      try InstallationSettings(configMap: KubernetesObject(["data": ["settings.yaml": "x"]]))
    }
    #expect(error?.problems == ["data[settings.yaml]: unknown key; settings are in data[settings.json]"])
  }
}
