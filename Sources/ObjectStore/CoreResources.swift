import FoundationEssentials
import KubernetesAPI

extension ResourceDefinition {
  static let namespaces: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .namespaces, shortNames: ["ns"], hasStatus: true,
      columns: [TableColumn("Status", jsonPath: ".status.phase", absent: "", priority: 0), .age],
      schema: .object(
        "Namespace provides a scope for Names.",
        [
          ("spec", .object("Behavior of the Namespace.", [("finalizers", .list(.string()))])),
          (
            "status",
            .object("Status of the Namespace.", [("conditions", PodSchema.conditions), ("phase", .string())])
          ),
        ]), isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.initialStatus = ["phase": "Active"]
    definition.behaviour.normalize = { json in
      // Every namespace carries its name as a label.
      let name = json.metadataMembers["name"] ?? ""
      json[path: ["metadata", "labels", "kubernetes.io/metadata.name"]] = name
      // Without it a deleted namespace would go before its contents do.
      if json[path: ["metadata", "deletionTimestamp"]] == nil, json[path: ["spec", "finalizers"]] == nil {
        json[path: ["spec", "finalizers"]] = [.string(Finalizer.namespace)]
      }
    }
    definition.behaviour.selectableFields = [
      "status.phase": { $0.status["phase"]?.stringValue ?? "" }
    ]
    return definition
  }()

  static let nodes: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .nodes, shortNames: ["no"], hasStatus: true, columns: NodeColumns.columns,
      schema: .object(
        "Node is a worker node in Kubernetes.",
        [
          (
            "spec",
            .object(
              "Behavior of a node.",
              [
                ("podCIDR", .string()), ("podCIDRs", .set(.string())), ("providerID", .string()),
                ("taints", .list(.opaque(), "The node's taints.")),
                ("unschedulable", .boolean("Whether new pods are kept away.")),
              ])
          ),
          (
            "status",
            .object(
              "Most recently observed status of the node.",
              [
                ("addresses", .keyed(["type"], .object(nil, [("address", .string()), ("type", .string())]))),
                ("allocatable", .map(.intOrString())), ("capacity", .map(.intOrString())),
                ("conditions", PodSchema.conditions), ("daemonEndpoints", .opaque()), ("features", .opaque()),
                ("images", .list(.opaque())), ("nodeInfo", .opaque()), ("phase", .string()),
                ("runtimeHandlers", .list(.opaque())),
              ])
          ),
        ]), isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.keepsStatusOnCreate = true
    definition.behaviour.selectableFields = [
      "spec.unschedulable": { String($0.spec["unschedulable"]?.boolValue ?? false) }
    ]
    return definition
  }()

  static let secrets: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .secrets,
      columns: [
        TableColumn("Type", jsonPath: ".type", absent: "", priority: 0),
        TableColumn("Data", type: "integer") { object, _ in JSONValue(object.json["data"]?.objectValue?.count ?? 0) },
        .age,
      ],
      schema: .object(
        "Secret holds secret data of a certain type.",
        [
          ("data", .map(.string(), "The secret data, base64 encoded.")),
          ("immutable", .boolean("Whether the data cannot be updated.")),
          ("stringData", .map(.string(), "Write-only: secret data in string form, written into data.")),
          ("type", .string("Used to facilitate programmatic handling.", default: "Opaque")),
        ]), isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.normalize = { json in
      for (name, value) in json["stringData"]?.objectValue ?? [:] {
        json[path: ["data", name]] = .string(Base64.text((value.stringValue ?? "").utf8))
      }
      json["stringData"] = nil
    }
    definition.behaviour.validate = { new, old in
      let bad = (new["data"]?.objectValue ?? [:]).filter { !Base64.isValid($0.value.stringValue ?? "") }
      return immutableDataCauses(new, old)
        + bad.keys.sorted().map { .invalid("data[\($0)]", "<secret contents redacted>", "must be base64 encoded") }
    }
    definition.behaviour.selectableFields = ["type": { $0.json["type"]?.stringValue ?? "" }]
    return definition
  }()

  static let configMaps: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .configMaps, shortNames: ["cm"],
      columns: [
        TableColumn("Data", type: "integer") { object, _ in
          let counts = ["data", "binaryData"].map { object.json[$0]?.objectValue?.count ?? 0 }
          return JSONValue(counts.reduce(0, +))
        }, .age,
      ],
      schema: .object(
        "ConfigMap holds configuration data for pods to consume.",
        [
          ("binaryData", .map(.string(), "Binary data, base64 encoded.")),
          ("data", .map(.string(), "The configuration data.")),
          ("immutable", .boolean("Whether the data cannot be updated.")),
        ]), isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.validate = immutableDataCauses
    return definition
  }()

  @Sendable private static func immutableDataCauses(
    _ new: JSONValue, _ old: JSONValue?
  ) -> [KubernetesStatus.Cause] {
    guard let old, old["immutable"]?.boolValue == true else { return [] }
    return ["immutable", "data", "binaryData"].filter { new[$0] != old[$0] }.map {
      .forbidden($0, "field is immutable when `immutable` is set")
    }
  }

  static let serviceAccounts: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .serviceAccounts, shortNames: ["sa"],
      columns: [
        TableColumn("Secrets", type: "integer") { object, _ in
          JSONValue(object.json["secrets"]?.arrayValue?.count ?? 0)
        }, .age,
      ],
      schema: .object(
        "ServiceAccount binds together a name, a principal, and a set of secrets.",
        [
          ("automountServiceAccountToken", .boolean()),
          ("imagePullSecrets", .list(.object(nil, [("name", .string())]))), ("secrets", .list(.opaque())),
        ]), isCustom: false)
    definition.behaviour.tracksGeneration = false
    return definition
  }()

  static let customResourceDefinitions: ResourceDefinition = {
    ResourceDefinition(
      type: .customResourceDefinitions, shortNames: ["crd", "crds"], categories: ["api-extensions"], hasStatus: true,
      columns: [
        TableColumn("Created At", type: "date") { object, _ in .string(object.metadata.creationTimestamp) }
      ],
      schema: .object(
        "CustomResourceDefinition represents a resource that should be exposed on the API server.",
        [("spec", .opaque("How the resources appear.")), ("status", .opaque("The actual state."))]), isCustom: false)
  }()
}
