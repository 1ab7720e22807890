import Decisions
import KubernetesAPI
import Testing

@testable import InferenceAPI

@Suite struct LedgerRatesSettingsTests {
  private static let document = """
    {"economics": {"currency": "EUR", "hourlyPrice": "1.50", "powerWatts": 300, "gridRegion": "eu-west-3"},
     "namespaces": [{"name": "team-a", "economics": {"hourlyPrice": "2", "carbonGramsPerKWh": 20, "puePercent": 130}}],
     "nodes": [{"label": "nvidia.com/gpu.product", "value": "NVIDIA-L4", "economics": {"hourlyPrice": "0.80", "powerWatts": 60}}]}
    """

  private func rates(
    _ document: String = document, namespace: String = "x", economics: JSONValue? = nil, nodes: [String: String] = [:],
    accelerators: Int = 0
  ) throws -> LedgerRates {
    var spec: JSONValue = [
      "template": ["spec": ["containers": [["name": "m", "image": "m", "ports": [["containerPort": 80]]]]]]
    ]
    spec["economics"] = economics
    let service = try InferenceService(
      KubernetesObject(["metadata": ["name": "owl", "namespace": .string(namespace)], "spec": spec]))
    return try InstallationSettings(text: document).rates(
      of: service, service.spec.economics?.burst, ReplicaHardware(nodes: nodes, accelerators: accelerators))
  }

  @Test("Nothing is set: no price, no power, the world's grid and site, each with its method")
  func nothing() throws {
    let rates = try rates("{}")
    #expect(rates.currency == "USD" && rates.hourlyPrice == nil && rates.priceMethod == .none)
    #expect(rates.busyWatts == nil && rates.idleWatts == nil && rates.powerMethod == .none)
    #expect(rates.carbonGramsPerKWh == 473 && rates.carbonMethod == .table)
    #expect(rates.effectiveness == 1.58 && rates.effectivenessMethod == .table)
  }

  @Test("What is said closest holds, figure by figure: the service, its nodes, its namespace, all, the table")
  func closest() throws {
    let all = try rates()
    #expect(all.hourlyPrice == 1.5 && all.priceMethod == .settings && all.currency == "EUR")
    #expect(all.busyWatts == 300 && all.idleWatts == 300 && all.powerMethod == .settings)
    // The figures of a region that was set are the table's.
    #expect(all.carbonGramsPerKWh == 51 && all.carbonMethod == .table)
    #expect(all.effectiveness == 1.15 && all.effectivenessMethod == .table)
    let team = try rates(namespace: "team-a")
    #expect(team.hourlyPrice == 2 && team.busyWatts == 300 && team.carbonGramsPerKWh == 20)
    #expect(team.effectiveness == 1.3 && team.effectivenessMethod == .settings && team.carbonMethod == .settings)
    let node = try rates(namespace: "team-a", nodes: ["nvidia.com/gpu.product": "NVIDIA-L4"], accelerators: 1)
    #expect(node.hourlyPrice == 0.8 && node.busyWatts == 60 && node.carbonGramsPerKWh == 20)
    let own = try rates(
      namespace: "team-a",
      economics: ["currency": "EUR", "burst": ["hourlyPrice": "9", "powerWatts": 450], "carbonGramsPerKWh": 1],
      nodes: ["nvidia.com/gpu.product": "NVIDIA-L4"], accelerators: 1)
    #expect(own.hourlyPrice == 9 && own.priceMethod == .spec && own.busyWatts == 450 && own.powerMethod == .spec)
    #expect(own.carbonGramsPerKWh == 1 && own.carbonMethod == .spec)
    #expect(own.waitingHourlyPrice == nil)
    #expect(try rates(economics: ["waitingHourlyPrice": "30"]).waitingHourlyPrice == 30)
  }

  @Test(
    "Embodied emissions by life: kilograms over four years of hours or as many as are told, closest first; none else")
  func embodied() throws {
    let document = """
      {"economics": {"embodiedKilograms": 1752},
       "namespaces": [{"name": "team-a", "economics": {"embodiedKilograms": 876, "lifetimeYears": 5}}],
       "nodes": [{"label": "gpu", "value": "l4", "economics": {"embodiedKilograms": 0}}]}
      """
    // 1752 kg / (4 x 8760 h) = 50 g/h; 876 kg / (5 x 8760 h) = 20 g/h.
    let all = try rates(document)
    #expect(all.embodiedGramsPerHour == 50 && all.embodiedMethod == .settings)
    #expect(try rates(document, namespace: "team-a").embodiedGramsPerHour == 20)
    #expect(try rates(document, namespace: "team-a", nodes: ["gpu": "l4"]).embodiedGramsPerHour == 0)
    let none = try rates()
    #expect(none.embodiedGramsPerHour == nil && none.embodiedMethod == .none)
    for wrong in [#""embodiedKilograms": -1"#, #""lifetimeYears": 0"#, #""lifetimeYears": 21"#] {
      #expect(throws: InvalidSettings.self) { try InstallationSettings(text: #"{"economics": {\#(wrong)}}"#) }
    }
  }

  @Test("A known accelerator gives its watts by number, and idle ones as their share of what is told")
  func power() throws {
    let two = try rates("{}", nodes: ["cloud.google.com/gke-accelerator": "nvidia-h100-80gb"], accelerators: 2)
    #expect(two.busyWatts == 1400 && two.powerMethod == .table)
    #expect(two.idleWatts == 168)
    // The node is known, but nobody says how many devices a replica has.
    #expect(try rates("{}", nodes: ["cloud.google.com/gke-accelerator": "nvidia-l4"]).busyWatts == nil)
    let told = try rates(nodes: ["karpenter.k8s.aws/instance-gpu-name": "t4"], accelerators: 1)
    #expect(told.busyWatts == 300 && told.powerMethod == .settings)
    #expect(abs((told.idleWatts ?? 0) - 300 * 8 / 70) < 1e-9)
    #expect(try rates("{}", nodes: ["cloud.google.com/gke-accelerator": "tpu-v5e"], accelerators: 1).busyWatts == nil)
  }

  @Test("A region that is told closer holds before a figure that is told farther off, as in the status")
  func closerRegion() throws {
    let document = """
      {"economics": {"carbonGramsPerKWh": 300}, "namespaces": [{"name": "north", "economics": {"gridRegion": "eu-north-1"}}]}
      """
    let north = try rates(document, namespace: "north")
    #expect(north.carbonGramsPerKWh == 8.8 && north.carbonMethod == .table && north.effectiveness == 1.1)
    #expect(try rates(document).carbonGramsPerKWh == 300)
  }

  @Test("A price in another currency than the service's is left out; power and carbon are not")
  func currencies() throws {
    let dollars = try rates(economics: ["currency": "USD"])
    #expect(dollars.currency == "USD" && dollars.hourlyPrice == nil && dollars.priceMethod == .none)
    #expect(dollars.busyWatts == 300 && dollars.carbonGramsPerKWh == 51)
  }

  @Test("The ledger's own settings, their defaults and their bounds")
  func ledger() throws {
    let settings = try InstallationSettings(text: #"{"ledger": {"retentionDays": 30, "writeInterval": "10s"}}"#)
    #expect(settings.ledgerRetentionDays == 30 && settings.ledgerWriteInterval == .seconds(10))
    #expect(InstallationSettings().ledgerRetentionDays == 400)
    #expect(InstallationSettings().ledgerWriteInterval == .seconds(300))
    for wrong in [
      #"{"retentionDays": 0}"#, #"{"retentionDays": 3651}"#, #"{"writeInterval": "4s"}"#, #"{"writeInterval": "2h"}"#,
      #"{"days": 3}"#,
    ] {
      let error = #expect(throws: InvalidSettings.self) { try InstallationSettings(text: #"{"ledger": \#(wrong)}"#) }
      #expect(error?.description.contains("ledger.") == true, "\(wrong): \(error?.description ?? "")")
    }
  }
}
