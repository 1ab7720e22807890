import FleetProtocol
import FoundationEssentials
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import ObjectStore
import Synchronization
import Telemetry
import Testing

@testable import Operator

/// Load streams that the test writes to.
final class TestGateways: GatewayTransport {
  /// A second gateway, in the cluster's slices for tests that want one.
  static let second = "http://10.0.0.3:9090/fleet/v1/load"

  private typealias Sink = AsyncThrowingStream<[UInt8], any Error>.Continuation
  private let open = Mutex<[String: Sink]>([:])
  private let sequence = Mutex(0)

  func open(_ path: String, at gateway: GatewayTarget) async throws -> AsyncThrowingStream<[UInt8], any Error> {
    let url = gateway.url(path)
    asked.withLock { $0[url] = gateway.trust }
    guard url == TestCluster.gateway || url == Self.second else { throw Refused() }
    let (stream, sink) = AsyncThrowingStream.makeStream(of: [UInt8].self, throwing: (any Error).self)
    open.withLock { $0[url] = sink }
    try send(url, [])
    return stream
  }

  struct Refused: Error {}

  /// The last trust in who was asked for a stream, by URL.
  let asked = Mutex<[String: GatewayTarget.Trust]>([:])

  /// What was put, by host, and whether it is taken.
  private let slots = Mutex<(messages: [String: [SlotMessage]], areTaken: Bool)>(([:], true))

  func put(_ path: String, _ body: [UInt8], at gateway: GatewayTarget, timeout: Duration) async throws -> [UInt8] {
    let url = gateway.url(path)
    let message = try SlotMessage(body: body)
    let isTaken = slots.withLock { slots in
      slots.messages[url, default: []].append(message)
      return slots.areTaken
    }
    guard isTaken else { throw Refused() }
    return try SlotReply(epoch: message.services.map(\.epoch).max() ?? 0).encoded()
  }

  func refuseSlots() { slots.withLock { $0.areTaken = false } }

  func slotMessages(_ host: String) -> [SlotMessage] {
    slots.withLock { $0.messages["http://\(host):9090\(SlotMessage.path)"] ?? [] }
  }

  /// Sends a snapshot on an open stream.
  func send(_ url: String, _ services: [ServiceLoad]) throws {
    let number = sequence.withLock { number in
      number += 1
      return number
    }
    let line = try LoadSnapshot(
      gateway: url, bootID: "1", sequence: number, services: services, takesSlots: true
    ).encodedLine()
    _ = open.withLock { $0[url]?.yield(line) }
  }

  func isOpen(_ url: String) -> Bool { open.withLock { $0[url] != nil } }
}

/// A cluster with a controller in it, in one process and on a clock of its own.
final class TestCluster: Sendable {
  static let gateway = "http://10.0.0.1:9090/fleet/v1/load"
  let clock = ManualClock()
  let transport: StoreTransport
  let gateways = TestGateways()
  let metrics = MetricsRegistry()
  /// What the gateway says each second.
  let load = Mutex<[ServiceLoad]>([])
  let otherLoad = Mutex<[ServiceLoad]>([])
  private let timeZones: any TimeZoneSource

  init(timeZones: any TimeZoneSource = NoTimeZones()) throws {
    self.timeZones = timeZones
    let definition = ResourceDefinition(
      type: InferenceService.resourceType, hasStatus: true, columns: [], schema: InferenceService.schema)
    transport = StoreTransport(ObjectStore(resources: ResourceDefinition.builtIn + [definition]), clock: clock)
    for name in ["default", "pilotlight-system"] {
      try transport.apply(create(.namespaces, ObjectKey(name: name), [:]))
    }
    try transport.apply(
      create(
        .endpointSlices, ObjectKey(namespace: "pilotlight-system", name: "pilotlight-gateway-1"),
        [
          "metadata": ["labels": ["kubernetes.io/service-name": "pilotlight-gateway"]], "addressType": "IPv4",
          "ports": [["name": "admin", "port": 9090]],
          "endpoints": [["addresses": ["10.0.0.1"], "conditions": ["ready": true]]],
        ]))
  }

  func addGateway() throws {
    let key = ObjectKey(namespace: "pilotlight-system", name: "pilotlight-gateway-1")
    let endpoints: JSONValue = [
      ["addresses": ["10.0.0.1"], "conditions": ["ready": true]],
      ["addresses": ["10.0.0.3"], "conditions": ["ready": true]],
    ]
    try transport.apply(
      ObjectOperation(.endpointSlices, .mergePatch(key, ["endpoints": endpoints]), fieldManager: "test"))
  }

  /// Runs a controller beside `body`.
  func running(_ body: @escaping @Sendable (TestCluster) async throws -> Void) async throws {
    let controller = Operator(
      client: KubernetesClient(transport: transport, clock: clock), gateways: gateways,
      configuration: OperatorConfiguration(identity: "test", leaderElection: false), clock: clock,
      timeZones: timeZones, metrics: metrics)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await controller.run() }
      group.addTask { try await body(self) }
      try await group.next()
      group.cancelAll()
    }
  }

  /// Lets time pass whatever happens.
  func pass(_ duration: Duration) async throws {
    let end = clock.now().monotonic + duration
    try await until("\(duration)", within: duration + .seconds(60)) { $0.clock.now().monotonic >= end }
  }

  /// Lets time pass, a quarter of a second at a time, until something holds; the gateway goes on telling its load.
  func until(_ what: String, within limit: Duration = .seconds(120), _ test: (TestCluster) -> Bool) async throws {
    var steps = 0
    while !test(self) {
      // Time only moves when tasks have had their turn.
      await transport.quiet()
      if test(self) { return }
      clock.advance(by: .milliseconds(250))
      if gateways.isOpen(Self.gateway) { try gateways.send(Self.gateway, load.withLock { $0 }) }
      if gateways.isOpen(TestGateways.second) { try gateways.send(TestGateways.second, otherLoad.withLock { $0 }) }
      steps += 1
      guard steps < 4 * Int(limit.components.seconds) else {
        let status = service("llm")?.status.text ?? "no such service"
        throw Timeout(description: "\(what) did not come; status: \(status); writes: \(transport.writes.suffix(20))")
      }
    }
  }

  struct Timeout: Error, CustomStringConvertible { var description: String }

  func service(_ name: String) -> KubernetesObject? {
    transport.object(InferenceService.resourceType, ObjectKey(namespace: "default", name: name))
  }

  func state(_ name: String = "llm") -> String? { service(name)?.status[path: ["display", "state"]]?.stringValue }

  /// Pods that the status names as going.
  func draining(_ name: String = "llm") -> [String] {
    (service(name)?.status[path: ["drain", "pods"]]?.arrayValue ?? []).compactMap(\.stringValue)
  }

  func replicas(_ name: String) -> Int? {
    transport.object(.deployments, ObjectKey(namespace: "default", name: name)).map { Deployment($0).replicas }
  }

  func create(_ type: ResourceType, _ key: ObjectKey, _ content: JSONValue) -> ObjectOperation {
    var object = KubernetesObject(type, key)
    for (name, value) in content.objectValue ?? [:] where name != "metadata" { object.json[name] = value }
    for (name, value) in content["metadata"]?.objectValue ?? [:] { object.json[path: ["metadata", name]] = value }
    return ObjectOperation(type, .create(object), fieldManager: "test")
  }

  func applyService(_ name: String = "llm", _ changes: JSONValue = [:]) throws {
    var spec: JSONValue = [
      "template": [
        "spec": [
          "containers": [["name": "model", "image": "stub", "ports": [["name": "http", "containerPort": 8000]]]]
        ]
      ],
      "burst": ["maxReplicas": 2, "sleepAfter": "6s"],
      "scaling": ["target": 2, "stableWindow": "6s", "panicWindow": "2s", "scaleDownDelay": "3s"],
      "timeouts": ["drain": "30s", "startup": "60s"],
    ]
    for (member, value) in changes.objectValue ?? [:] { spec[member] = value }
    try transport.apply(
      create(InferenceService.resourceType, ObjectKey(namespace: "default", name: name), ["spec": spec]))
  }

  /// A pod as a ReplicaSet and a kubelet would have made it.
  func makePod(_ name: String, of service: String = "llm", pool: String = "burst", status: JSONValue) throws {
    let key = ObjectKey(namespace: "default", name: name)
    let template = transport.object(.deployments, ObjectKey(namespace: "default", name: "\(service)-\(pool)"))
      .map { Deployment($0).template }
    var metadata = template?["metadata"] ?? [:]
    metadata["name"] = nil
    var spec = template?["spec"] ?? [:]
    spec["nodeName"] = "node"
    try transport.apply(create(.pods, key, ["metadata": metadata, "spec": spec]))
    try setPod(name, status)
  }

  func setPod(_ name: String, _ status: JSONValue) throws {
    let key = ObjectKey(namespace: "default", name: name)
    try transport.apply(
      ObjectOperation(.pods, .mergePatch(key, ["status": status]), subresource: "status", fieldManager: "test"))
  }

  func deletePod(_ name: String) throws {
    let key = ObjectKey(namespace: "default", name: name)
    try transport.apply(
      ObjectOperation(.pods, .delete(key, DeleteOptions(gracePeriodSeconds: 0)), fieldManager: "test"))
  }

  /// An activation Lease as a gateway writes it.
  func makeLease(_ service: String = "llm") throws {
    let name = ActivationLease.name(namespace: "default", name: service)
    try transport.apply(
      create(
        .leases, ObjectKey(namespace: "pilotlight-system", name: name),
        [
          "metadata": [
            "labels": [ActivationLease.label: .string(ActivationLease.labelValue)],
            "annotations": [
              ActivationLease.namespaceAnnotation: "default", ActivationLease.nameAnnotation: .string(service),
            ],
          ],
          "spec": ["holderIdentity": "gateway-0"],
        ]))
  }

  func lease(_ service: String = "llm") -> KubernetesObject? {
    let name = ActivationLease.name(namespace: "default", name: service)
    return transport.object(.leases, ObjectKey(namespace: "pilotlight-system", name: name))
  }

  static let ready: JSONValue = ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
}
