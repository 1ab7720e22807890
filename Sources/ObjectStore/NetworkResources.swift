import FoundationEssentials
import KubernetesAPI

extension ResourceDefinition {
  static let services: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .services, shortNames: ["svc"], categories: ["all"], hasStatus: true,
      columns: [
        TableColumn("Type", jsonPath: ".spec.type", absent: "", priority: 0),
        TableColumn("Cluster-IP", jsonPath: ".spec.clusterIP", absent: "<none>", priority: 0),
        TableColumn("External-IP", description: "External addresses") { object, _ in .string(externalAddress(object)) },
        TableColumn("Port(s)", description: "Ports of the service") { object, _ in .string(ports(object)) }, .age,
        TableColumn("Selector", priority: 1) { object, _ in .string(Service(object).selector?.text ?? "<none>") },
      ],
      schema: .object(
        "Service is a named abstraction of software service.",
        [("spec", serviceSpec), ("status", .opaque("Most recently observed status of the service."))]),
      isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.initialStatus = ["loadBalancer": [:]]
    definition.behaviour.returnsDeletedObject = true
    definition.behaviour.normalize = normalizeService
    definition.behaviour.validate = serviceCauses
    definition.behaviour.selectableFields = [
      "spec.clusterIP": { $0.spec["clusterIP"]?.stringValue ?? "" },
      "spec.type": { $0.spec["type"]?.stringValue ?? "" },
    ]
    return definition
  }()

  private static let serviceSpec: SchemaNode = {
    let port: SchemaNode = .object(
      "A port that is exposed by the service.",
      [
        ("appProtocol", .string("The application protocol.")), ("name", .string("Name of the port.")),
        ("nodePort", .integer("The port on each node.")), ("port", .integer("The port that will be exposed.")),
        ("protocol", .string("The IP protocol.", default: "TCP", oneOf: ["TCP", "UDP", "SCTP"])),
        ("targetPort", .intOrString("Number or name of the port on the pods.")),
      ], required: ["port"])
    return .object(
      "Behavior of a service.",
      [
        ("allocateLoadBalancerNodePorts", .boolean()),
        ("clusterIP", .string("Address of the service; None for a headless one.")),
        ("clusterIPs", .list(.string())), ("externalIPs", .list(.string())), ("externalName", .string()),
        ("externalTrafficPolicy", .string()), ("healthCheckNodePort", .integer()),
        ("internalTrafficPolicy", .string(default: "Cluster")), ("ipFamilies", .list(.string())),
        ("ipFamilyPolicy", .string()), ("loadBalancerClass", .string()), ("loadBalancerIP", .string()),
        ("loadBalancerSourceRanges", .list(.string())),
        ("ports", .keyed(["port", "protocol"], port, "Exposed ports.")),
        (
          "publishNotReadyAddresses",
          .boolean("Whether endpoints that are not ready are published as if they were.")
        ), ("selector", .map(.string(), "Route traffic to pods with these labels.", isAtomic: true)),
        ("sessionAffinity", .string(default: "None", oneOf: ["ClientIP", "None"])),
        ("sessionAffinityConfig", .opaque()), ("trafficDistribution", .string()),
        (
          "type",
          .string(
            "How the service is exposed.", default: "ClusterIP",
            oneOf: ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])
        ),
      ])
  }()

  @Sendable private static func normalizeService(_ json: inout JSONValue) {
    guard let ports = json[path: ["spec", "ports"]]?.arrayValue else { return }
    json[path: ["spec", "ports"]] = .array(
      ports.map { port in
        var port = port
        port["targetPort"] = port["targetPort"] ?? port["port"]
        if port["nodePort"]?.intValue == 0 { port["nodePort"] = nil }
        return port
      })
  }

  @Sendable private static func serviceCauses(_ new: JSONValue, _ old: JSONValue?) -> [KubernetesStatus.Cause] {
    let spec = new["spec"] ?? [:]
    let ports = spec["ports"]?.arrayValue ?? []
    var causes: [KubernetesStatus.Cause] = []
    let isExternal = spec["type"]?.stringValue == "ExternalName"
    if ports.isEmpty, !isExternal, spec["clusterIP"]?.stringValue != "None" { causes.append(.required("spec.ports")) }
    for (index, port) in ports.enumerated() {
      let field = "spec.ports[\(index)]"
      if ports.count > 1, port["name"]?.stringValue?.isEmpty != false { causes.append(.required("\(field).name")) }
      if let number = port["port"]?.intValue, !(1...65_535).contains(number) {
        causes.append(.invalid("\(field).port", JSONValue(number), "must be between 1 and 65535, inclusive"))
      }
    }
    if let former = old?[path: ["spec", "clusterIP"]], let address = spec["clusterIP"], address != former, !isExternal {
      causes.append(.invalid("spec.clusterIPs[0]", .array([address]), "may not change once set"))
    }
    return causes
  }

  private static func externalAddress(_ object: KubernetesObject) -> String {
    switch object.spec["type"]?.stringValue {
    case "ExternalName": object.spec["externalName"]?.stringValue ?? "<none>"
    case "LoadBalancer": "<pending>"
    default:
      (object.spec["externalIPs"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ",").nilIfEmpty
        ?? "<none>"
    }
  }

  private static func ports(_ object: KubernetesObject) -> String {
    let texts = Service(object).ports.map { port in
      let number = port["port"]?.text ?? ""
      let node = port["nodePort"].map { ":\($0.text)" } ?? ""
      return "\(number)\(node)/\(port["protocol"]?.stringValue ?? "TCP")"
    }
    return texts.isEmpty ? "<none>" : texts.joined(separator: ",")
  }

  static let endpointSlices: ResourceDefinition = {
    let endpoint: SchemaNode = .object(
      "A single logical backend.",
      [
        ("addresses", .set(.string(), "Addresses of this endpoint.")),
        (
          "conditions",
          .object(
            "The current status of the endpoint.",
            [("ready", .boolean()), ("serving", .boolean()), ("terminating", .boolean())])
        ), ("deprecatedTopology", .map(.string())), ("hints", .opaque()), ("hostname", .string()),
        ("nodeName", .string()), ("targetRef", .opaque("The object behind this endpoint.")), ("zone", .string()),
      ], required: ["addresses"])
    let port: SchemaNode = .object(
      "A port used by the slice.",
      [
        ("appProtocol", .string()), ("name", .string(default: "")), ("port", .integer()),
        ("protocol", .string(default: "TCP")),
      ])
    return ResourceDefinition(
      type: .endpointSlices,
      columns: [
        TableColumn("AddressType", jsonPath: ".addressType", absent: "", priority: 0),
        TableColumn("Ports") { object, _ in
          let ports = (object.json["ports"]?.arrayValue ?? []).compactMap { $0["port"]?.text }
          return .string(ports.isEmpty ? "<unset>" : ports.joined(separator: ","))
        },
        TableColumn("Endpoints") { object, _ in
          let addresses = EndpointSlice(object).endpoints.flatMap(\.addresses)
          let shown = addresses.prefix(3).joined(separator: ",")
          if addresses.isEmpty { return "<unset>" }
          return .string(addresses.count > 3 ? "\(shown) + \(addresses.count - 3) more..." : shown)
        }, .age,
      ],
      schema: .object(
        "EndpointSlice represents a set of service endpoints.",
        [
          ("addressType", .string("IPv4, IPv6 or FQDN.", oneOf: ["IPv4", "IPv6", "FQDN"])),
          ("endpoints", .list(endpoint, "Unique endpoints in this slice.")),
          ("ports", .list(port, "Network ports exposed by each endpoint.")),
        ], required: ["addressType"]), isCustom: false)
  }()
}
