import KubernetesAPI

extension ResourceDefinition {
  /// Kept and shown like any object; nothing in the store enforces it.
  static let networkPolicies: ResourceDefinition = {
    let ports: SchemaNode = .list(
      .object(
        "A port to allow traffic on.",
        [
          ("endPort", .integer("With it, `port` to `endPort` are allowed.")),
          ("port", .intOrString("Number or name of the port on the pods; absent: all.")),
          ("protocol", .string("The IP protocol.", default: "TCP", oneOf: ["TCP", "UDP", "SCTP"])),
        ]))
    let peers: SchemaNode = .list(
      .object(
        "A peer to allow traffic to or from.",
        [
          ("ipBlock", .object(nil, [("cidr", .string()), ("except", .list(.string()))], required: ["cidr"])),
          ("namespaceSelector", selector), ("podSelector", selector),
        ]))
    var definition = ResourceDefinition(
      type: .networkPolicies, shortNames: ["netpol"],
      columns: [
        TableColumn("Pod-Selector") { object, _ in
          .string(object.spec["podSelector"].flatMap { LabelSelector(json: $0)?.text }?.nilIfEmpty ?? "<none>")
        }, .age,
      ],
      schema: .object(
        "NetworkPolicy describes what network traffic is allowed for a set of Pods.",
        [
          (
            "spec",
            .object(
              "Specification of the desired behavior for this NetworkPolicy.",
              [
                ("egress", .list(.object("Traffic out of the selected pods.", [("ports", ports), ("to", peers)]))),
                ("ingress", .list(.object("Traffic to the selected pods.", [("from", peers), ("ports", ports)]))),
                ("podSelector", selector), ("policyTypes", .list(.string(oneOf: ["Ingress", "Egress"]))),
              ])
          )
        ]), isCustom: false)
    definition.behaviour.normalize = addPolicyTypes
    return definition
  }()

  /// Ingress is always meant; egress only by a policy that has rules for it.
  @Sendable private static func addPolicyTypes(_ json: inout JSONValue) {
    guard json[path: ["spec", "policyTypes"]]?.arrayValue?.isEmpty != false else { return }
    let hasEgress = json[path: ["spec", "egress"]]?.arrayValue?.isEmpty == false
    json[path: ["spec", "policyTypes"]] = hasEgress ? ["Ingress", "Egress"] : ["Ingress"]
  }
}

extension ResourceType {
  /// `networking.k8s.io/v1 NetworkPolicy`.
  static let networkPolicies = ResourceType(
    group: "networking.k8s.io", version: "v1", resource: "networkpolicies", kind: "NetworkPolicy")
}
