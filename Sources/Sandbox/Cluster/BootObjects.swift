import FoundationEssentials
import InferenceAPI
import KubernetesAPI
import ObjectStore
import Telemetry

/// What is in a sandbox before anybody applied anything.
enum BootObjects {
  static let systemNamespace = "pilotlight-system"
  static let gatewayService = "pilotlight-gateway"

  static var namespaces: [KubernetesObject] {
    ["default", "kube-system", "kube-public", "kube-node-lease", systemNamespace].map {
      KubernetesObject(.namespaces, ObjectKey(name: $0))
    }
  }

  /// How a cluster's Service for its gateways looks; here its slices are written by the sandbox, so it selects nothing.
  static var service: KubernetesObject {
    var service = KubernetesObject(.services, ObjectKey(namespace: systemNamespace, name: gatewayService))
    service.metadata.labels = ["app.kubernetes.io/name": "pilotlight", "app.kubernetes.io/component": "gateway"]
    service.spec = [
      "clusterIP": "None",
      "ports": [
        ["name": "http", "port": 80, "protocol": "TCP"], ["name": "admin", "port": 9090, "protocol": "TCP"],
        ["name": "fleet", "port": 9443, "protocol": "TCP"],
      ],
    ]
    return service
  }

  /// The CustomResourceDefinition of InferenceService, established: the sandbox serves the resource from the start.
  static func customResourceDefinition(now: Date) -> KubernetesObject {
    var definition = KubernetesObject(InferenceService.customResourceDefinition)
    let names = definition.spec["names"] ?? [:]
    let versions = (definition.spec["versions"]?.arrayValue ?? []).compactMap { $0["name"] }
    definition.status = ["acceptedNames": names, "storedVersions": .array(versions)]
    for (type, reason, message) in [
      ("NamesAccepted", "NoConflicts", "no conflicts found"),
      ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ] {
      definition.setCondition(
        Condition(
          type: type, status: "True", reason: reason, message: message, transitionTime: Timestamp.seconds(now)))
    }
    return definition
  }

  /// The slice of one gateway process; without an endpoint while that does not run.
  static func slice(of place: SandboxConfiguration.GatewayPlace, owner: KubernetesObject?, isRunning: Bool)
    -> KubernetesObject
  {
    var slice = KubernetesObject(
      .endpointSlices, ObjectKey(namespace: systemNamespace, name: "\(gatewayService)-\(place.index)"))
    slice.metadata.labels = [
      "kubernetes.io/service-name": gatewayService, "endpointslice.kubernetes.io/managed-by": "pilotlight-sandbox",
    ]
    if let owner { slice.metadata.ownerReferences = [OwnerReference(controlledBy: owner)] }
    slice.json["addressType"] = "IPv4"
    let ports =
      [("http", place.httpPort), ("admin", place.adminPort)] + (place.fleetPort.map { [("fleet", $0)] } ?? [])
    slice.json["ports"] = .array(
      ports.map { ["name": .string($0), "port": JSONValue($1), "protocol": "TCP"] })
    let endpoint: JSONValue = [
      "addresses": [.string(PodLifecycle.hostAddress)], "hostname": .string("gateway-\(place.index)"),
      "conditions": ["ready": true, "serving": true, "terminating": false], "nodeName": .string(SandboxNode.name),
    ]
    slice.json["endpoints"] = .array(isRunning ? [endpoint] : [])
    return slice
  }
}

extension ControlPlane {
  /// Creates what is there from the start; what exists already is left alone.
  mutating func boot(version: String, now: Now) {
    for namespace in BootObjects.namespaces { perform(.namespaces, .create(namespace), as: "sandbox", now: now) }
    perform(.services, .create(BootObjects.service), as: "sandbox", now: now)
    for (type, object) in BootRoles.objects { perform(type, .create(object), as: "sandbox", now: now) }
    let definition = BootObjects.customResourceDefinition(now: now.wall)
    perform(.customResourceDefinitions, .create(definition), as: "sandbox", now: now)
    perform(.customResourceDefinitions, .update(definition), subresource: "status", as: "sandbox", now: now)
    let node = self.node.object(version: version, now: now.wall)
    perform(.nodes, .create(node), as: Kubelet.component, now: now)
    perform(.nodes, .update(node), subresource: "status", as: Kubelet.component, now: now)
  }

  /// Tells the node's health, as a kubelet does every five minutes when nothing changes.
  mutating func heartbeat(now: Now) {
    guard var node = view[.nodes, ObjectKey(name: SandboxNode.name)] else { return }
    let time = JSONValue.string(Timestamp.seconds(now.wall))
    let conditions = node.conditions.map { condition -> JSONValue in
      var json = condition.json
      json["lastHeartbeatTime"] = time
      return json
    }
    node.status["conditions"] = .array(conditions)
    writeStatus(.nodes, node, as: Kubelet.component, now: now)
  }

  /// Writes the slice of a gateway that started or ended.
  mutating func setGateway(_ place: SandboxConfiguration.GatewayPlace, isRunning: Bool, now: Now) {
    let service = view[
      .services, ObjectKey(namespace: BootObjects.systemNamespace, name: BootObjects.gatewayService)]
    var slice = BootObjects.slice(of: place, owner: service, isRunning: isRunning)
    guard let present = view[.endpointSlices, slice.key] else {
      perform(.endpointSlices, .create(slice), as: "sandbox", now: now)
      return
    }
    if present.json["endpoints"] == slice.json["endpoints"] { return }
    slice.metadata.json["resourceVersion"] = .string(present.metadata.resourceVersion)
    perform(.endpointSlices, .update(slice), as: "sandbox", now: now)
  }
}
