import FoundationEssentials
import KubernetesAPI
import Testing

@testable import Gateway
@testable import GatewayCluster

struct RoutingViewBuilderTests {
  private static func view(_ service: KubernetesObject, _ slices: [KubernetesObject] = []) throws -> ServiceRoute {
    var builder = RoutingViewBuilder(domain: "models.test", identity: "gateway-b")
    return try #require(builder.view(services: [service], slices: slices, gatewaySlices: []).services.first)
  }

  /// `spec` with a template, unless it has one.
  private static func withTemplate(_ spec: String) -> String {
    let template =
      #""template": {"spec": {"containers": [{"name": "model", "image": "i", "ports": [{"containerPort": 8000}]}]}}"#
    return spec == "{}" ? "{\(template)}" : "{\(template), \(spec.dropFirst())"
  }

  private static func object(_ text: String) throws -> KubernetesObject {
    KubernetesObject(try JSONValue(parsing: Array(text.utf8)))
  }

  private static func service(spec: String = "{}", status: String = "{}", generation: Int = 1) throws
    -> KubernetesObject
  {
    try object(
      """
      {"apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
       "metadata": {"namespace": "default", "name": "owl", "generation": \(generation),
        "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": \(withTemplate(spec)), "status": \(status)}
      """)
  }

  private static func slice(_ name: String, pool: String, port: Int, endpoints: String) throws -> KubernetesObject {
    try object(
      """
      {"metadata": {"namespace": "default", "name": "\(name)",
        "labels": {"serving.pilotlight.dev/service": "owl", "serving.pilotlight.dev/pool": "\(pool)"},
        "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:05.250Z"}},
       "ports": [{"name": "http", "port": \(port)}], "endpoints": [\(endpoints)]}
      """)
  }

  private static func endpoint(_ uid: String, _ address: String, ready: Bool = true, terminating: Bool = false)
    -> String
  {
    """
    {"addresses": ["\(address)"], "conditions": {"ready": \(ready), "terminating": \(terminating)},
     "targetRef": {"kind": "Pod", "name": "\(uid)", "uid": "\(uid)"}}
    """
  }

  private static func gateways(_ names: [(String, Bool)]) throws -> [KubernetesObject] {
    let endpoints = names.map { endpoint($0.0, "10.0.0.1", terminating: $0.1) }.joined(separator: ",")
    return [
      try object(
        #"{"metadata": {"labels": {"kubernetes.io/service-name": "pilotlight-gateway"}}, "endpoints": [\#(endpoints)]}"#
      )
    ]
  }

  @Test("Pods of both pools become replicas, with the pool's limit; those that drain or terminate are leaving")
  func replicas() throws {
    let service = try Self.service(
      spec: #"{"scaling": {"target": 2, "maxConcurrency": 8}, "dedicated": {"maxConcurrency": 3}}"#,
      status: #"{"drain": {"epoch": 4, "pods": ["c"]}}"#)
    let slices = [
      try Self.slice(
        "owl-burst-x", pool: "burst", port: 8000,
        endpoints: [
          Self.endpoint("b", "10.0.0.2"), Self.endpoint("c", "10.0.0.3"),
          Self.endpoint("d", "10.0.0.4", ready: false, terminating: true),
        ].joined(separator: ",")),
      try Self.slice("owl-dedicated-x", pool: "dedicated", port: 8001, endpoints: Self.endpoint("a", "fd00::1")),
    ]
    let route = try Self.view(service, slices)
    #expect(route.replicas.map(\.podUID) == ["a", "b", "c", "d"])
    #expect(route.replicas.map(\.pool) == [.dedicated, .burst, .burst, .burst])
    #expect(route.replicas.map(\.maxConcurrency) == [3, 8, 8, 8])
    #expect(route.replicas.map { $0.isReady && !$0.isLeaving } == [true, true, false, false])
    #expect(route.replicas.map(\.address.port) == [8001, 8000, 8000, 8000])
    #expect(route.replicas.first?.address.host == "fd00::1")
    #expect(route.replicas.first?.readySince == Date(timeIntervalSince1970: 1_767_225_605.25))
    #expect(route.drainEpoch == 4)
  }

  @Test(
    "The limit of a replica is maxConcurrency, else twice the target",
    arguments: [("{}", 16), (#"{"scaling": {"target": 3}}"#, 6), (#"{"scaling": {"maxConcurrency": 5}}"#, 5)])
  func limits(spec: String, limit: Int) throws {
    let slices = [try Self.slice("s", pool: "burst", port: 1, endpoints: Self.endpoint("a", "10.0.0.2"))]
    let route = try Self.view(try Self.service(spec: spec), slices)
    #expect(route.replicas.map(\.maxConcurrency) == [limit])
  }

  @Test("Names, hosts, queue and timeouts come from the spec")
  func route() throws {
    let spec = #"""
      {"model": {"name": "Qwen/Qwen3-8B", "aliases": ["gpt"], "adapters": [{"name": "lora"}], "protocol": "KServeV1",
        "hostnames": ["llm.test"], "healthPath": "/up"}, "queue": {"maxRequests": 7, "maxWait": "20s"},
        "timeouts": {"response": "3s"}, "routing": {"order": ["Burst", "Overflow"]}}
      """#
    let service = try Self.service(spec: spec, status: #"{"coldStart": {"p50": "12s"}}"#)
    let route = try Self.view(service)
    #expect(
      route
        == ServiceRoute(
          key: ServiceKey(namespace: "default", name: "owl"), created: "2026-01-01T00:00:00Z",
          modelName: "Qwen/Qwen3-8B", aliases: ["gpt"], adapters: ["lora"], hostnames: ["llm.test"],
          modelProtocol: .kserveV1, healthPath: "/up", maxHeld: 7, maxWait: .seconds(20), order: [.burst],
          responseTimeout: .seconds(3), coldStartHint: .seconds(12)))
  }

  private static func ready(_ status: String, _ reason: String, observed: Int = 1, next: String? = nil) -> String {
    let decision = next.map { #", "lastDecision": {"inputs": {"nextAttempt": "\#($0)"}}"# } ?? ""
    return """
      {"observedGeneration": \(observed)\(decision),
       "conditions": [{"type": "Ready", "status": "\(status)", "reason": "\(reason)", "message": "words"}]}
      """
  }

  static let unknownZone = #"""
    {"dedicated": {"schedules": [
      {"name": "s", "start": "08:00", "end": "18:00", "timeZone": "Europe/Berln", "replicas": 1}]}}
    """#

  @Test(
    "Nobody is held for a service that the controller will not wake; a wait that may end is waited",
    arguments: [
      ("{}", "{}", nil),
      (#"{"suspend": true}"#, "{}", "Suspended always"),
      ("{}", ready("True", "Asleep"), nil),
      ("{}", ready("False", "NoCapacity"), "NoCapacity"),
      // A wake that failed while there was capacity does not make anybody wait now.
      ("{}", ready("False", "NoCapacity", next: "2026-01-01T00:01:00Z"), "NoCapacity"),
      // Zones are the controller's business: its verdict counts once it is there, and what runs is used all the same.
      (unknownZone, "{}", nil), (unknownZone, ready("False", "UnknownTimeZone"), "UnknownTimeZone"),
      (#"{"burst": {"sleepAfter": "Auto"}}"#, "{}", "Invalid always"),
      (#"{"scaling": {"mode": "Predictive"}}"#, "{}", "UnsupportedField always"),
      ("{}", ready("False", "NoCapacity", observed: 0), nil),
      ("{}", ready("False", "Unschedulable"), nil),
      ("{}", ready("False", "StartupTimeout", next: "2026-01-01T00:01:00Z"), "StartupTimeout 1767225660"),
      ("{}", ready("False", "CrashLoopBackOff", next: "2026-01-01T00:01:00Z"), "CrashLoopBackOff 1767225660"),
      ("{}", ready("False", "CrashLoopBackOff"), "CrashLoopBackOff"),
      ("{}", ready("True", "Waking", next: "2026-01-01T00:01:00Z"), nil),
    ] as [(String, String, String?)])
  func refusal(spec: String, status: String, expected: String?) throws {
    let service = try Self.service(spec: spec, status: status)
    let refusal = try Self.view(service).refusal
    let found = refusal.map { refusal in
      refusal.reason + (refusal.nextAttempt.map { " \(Int($0.timeIntervalSince1970))" } ?? "")
        + (refusal.always ? " always" : "")
    }
    #expect(found == expected)
  }

  @Test(
    "A gateway finds its place among those that take traffic; one that is not listed yet counts itself in",
    arguments: [
      ([], 0, 1), ([("gateway-b", false)], 0, 1), ([("gateway-a", false), ("gateway-b", false)], 1, 2),
      ([("gateway-a", false), ("gateway-c", false)], 1, 3), ([("gateway-a", true), ("gateway-b", false)], 0, 1),
    ] as [([(String, Bool)], Int, Int)])
  func share(names: [(String, Bool)], index: Int, count: Int) throws {
    let builder = RoutingViewBuilder(domain: "models.test", identity: "gateway-b")
    let share = builder.share(of: try Self.gateways(names))
    #expect(share.index == index && share.count == count && share.members.count == count)
    #expect(share.members[index] == "gateway-b")
  }

  @Test("Gateways that are no pods and have one address go by their host names")
  func shareOfProcesses() throws {
    let endpoints = (0..<2).map { #"{"addresses": ["127.0.0.1"], "hostname": "gateway-\#($0)"}"# }
    let slice = try Self.object(
      #"{"metadata": {"labels": {"kubernetes.io/service-name": "pilotlight-gateway"}}, "endpoints": [\#(endpoints.joined(separator: ","))]}"#
    )
    let builder = RoutingViewBuilder(domain: "models.test", identity: "gateway-1")
    #expect(builder.share(of: [slice]) == GatewayShare(identity: "gateway-1", among: ["gateway-0"]))
  }

  @Test("The canary's share is what the controller grants, and its replicas are those of its slices")
  func canary() throws {
    let spec = #"{"rollout": {"strategy": "Canary", "steps": [{"trafficPercent": 40}]}}"#
    let slice = try Self.slice("owl-canary-1", pool: "canary", port: 9000, endpoints: Self.endpoint("u1", "127.0.0.9"))
    let route = try Self.view(
      try Self.service(spec: spec, status: #"{"rollout": {"trafficPercent": 25}}"#), [slice])
    #expect(route.canaryPercent == 25 && route.refusal == nil)
    #expect(route.replicas.map(\.pool) == [.canary] && route.replicas.first?.address.port == 9000)
    #expect(try Self.view(try Self.service(spec: spec)).canaryPercent == 0)
  }
}
