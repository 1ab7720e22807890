import FoundationEssentials
import KubernetesAPI

extension ResourceDefinition {
  static let leases: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .leases,
      columns: [TableColumn("Holder", jsonPath: ".spec.holderIdentity", absent: "", priority: 0), .age],
      schema: .object(
        "Lease defines a lease concept.",
        [
          (
            "spec",
            .object(
              "Specification of the Lease.",
              [
                ("acquireTime", .string("When the current lease was acquired.", isNullable: true)),
                ("holderIdentity", .string("The identity of the holder.")),
                ("leaseDurationSeconds", .integer("Seconds that candidates wait before force acquiring.")),
                ("leaseTransitions", .integer("Number of transitions between holders.")),
                ("preferredHolder", .string()),
                ("renewTime", .string("When the holder last updated the lease.", isNullable: true)),
                ("strategy", .string()),
              ])
          )
        ]), isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.validate = { new, _ in
      let spec = new["spec"] ?? [:]
      var causes: [KubernetesStatus.Cause] = []
      if let seconds = spec["leaseDurationSeconds"]?.intValue, seconds <= 0 {
        causes.append(.invalid("spec.leaseDurationSeconds", JSONValue(seconds), "must be greater than 0"))
      }
      if let count = spec["leaseTransitions"]?.intValue, count < 0 {
        causes.append(.invalid("spec.leaseTransitions", JSONValue(count), "must be greater than or equal to 0"))
      }
      return causes
    }
    return definition
  }()

  static let events: ResourceDefinition = {
    let reference: SchemaNode = .object(
      "The object that this event is about.",
      [
        ("apiVersion", .string()), ("fieldPath", .string()), ("kind", .string()), ("name", .string()),
        ("namespace", .string()), ("resourceVersion", .string()), ("uid", .string()),
      ])
    var definition = ResourceDefinition(
      type: .events, shortNames: ["ev"], columns: eventColumns,
      schema: .object(
        "Event is a report of an event somewhere in the cluster.",
        [
          ("action", .string("What action was taken.")), ("count", .integer("How often this event has occurred.")),
          ("eventTime", .string("When this event was first observed.", isNullable: true)),
          ("firstTimestamp", .string("When the event was first recorded.", isNullable: true)),
          ("involvedObject", reference),
          ("lastTimestamp", .string("When the event last occurred.", isNullable: true)),
          ("message", .string("A human-readable description.")),
          ("reason", .string("A short, machine readable reason.")),
          ("related", reference), ("reportingComponent", .string()), ("reportingInstance", .string()),
          ("series", .object(nil, [("count", .integer()), ("lastObservedTime", .string())])),
          ("source", .object("The component reporting.", [("component", .string()), ("host", .string())])),
          ("type", .string("Normal or Warning.")),
        ], required: ["involvedObject"]), isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.selectableFields = eventFields
    return definition
  }()

  private static let eventFields: [String: @Sendable (KubernetesObject) -> String] = {
    var fields: [String: @Sendable (KubernetesObject) -> String] = [
      "reason": { $0.json["reason"]?.stringValue ?? "" }, "type": { $0.json["type"]?.stringValue ?? "" },
      "reportingComponent": { $0.json["reportingComponent"]?.stringValue ?? "" },
      "source": { $0.json[path: ["source", "component"]]?.stringValue ?? "" },
    ]
    for name in ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] {
      fields["involvedObject.\(name)"] = { $0.json[path: ["involvedObject", name]]?.stringValue ?? "" }
    }
    return fields
  }()

  private static let eventColumns: [TableColumn] = [
    TableColumn("Last Seen") { object, now in
      let times = [
        object.json[path: ["series", "lastObservedTime"]], object.json["lastTimestamp"], object.json["eventTime"],
        object.json["firstTimestamp"],
      ]
      return .string(HumanDuration.age(of: times.lazy.compactMap { $0?.stringValue }.first, now: now))
    },
    TableColumn("Type", jsonPath: ".type", absent: "", priority: 0),
    TableColumn("Reason", jsonPath: ".reason", absent: "", priority: 0),
    TableColumn("Object") { object, _ in
      let about = object.json["involvedObject"]
      return .string("\(about?["kind"]?.stringValue?.lowercased() ?? "")/\(about?["name"]?.stringValue ?? "")")
    },
    TableColumn("Subobject", jsonPath: ".involvedObject.fieldPath", absent: ""),
    TableColumn("Source", priority: 1) { object, _ in
      let source = [object.json[path: ["source", "component"]], object.json[path: ["source", "host"]]]
      let words = source.compactMap { $0?.stringValue?.nilIfEmpty }
      return .string(
        words.isEmpty ? object.json["reportingComponent"]?.stringValue ?? "" : words.joined(separator: ", "))
    },
    TableColumn("Message") { object, _ in
      .string((object.json["message"]?.stringValue ?? "").split(separator: "\n").joined(separator: " "))
    },
    TableColumn("First Seen", priority: 1) { object, now in
      let times = [object.json["firstTimestamp"], object.json["eventTime"]]
      return .string(HumanDuration.age(of: times.lazy.compactMap { $0?.stringValue }.first, now: now))
    },
    TableColumn("Count", type: "integer", priority: 1) { object, _ in
      object.json[path: ["series", "count"]] ?? object.json["count"] ?? 1
    },
    TableColumn("Name", jsonPath: ".metadata.name", absent: ""),
  ]

  static let podDisruptionBudgets: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .podDisruptionBudgets, shortNames: ["pdb"], hasStatus: true,
      columns: [
        TableColumn("Min Available") { object, _ in object.spec["minAvailable"].map(shown) ?? "N/A" },
        TableColumn("Max Unavailable") { object, _ in object.spec["maxUnavailable"].map(shown) ?? "N/A" },
        TableColumn(count: "Allowed Disruptions", ".status.disruptionsAllowed"), .age,
      ],
      schema: .object(
        "PodDisruptionBudget defines the max disruption that can be caused to a collection of pods.",
        [
          (
            "spec",
            .object(
              "Desired behavior of the PodDisruptionBudget.",
              [
                ("maxUnavailable", .intOrString("Pods that may be unavailable after an eviction.")),
                ("minAvailable", .intOrString("Pods that must be available after an eviction.")),
                ("selector", selector),
                ("unhealthyPodEvictionPolicy", .string()),
              ])
          ),
          (
            "status",
            .object(
              "Most recently observed status.",
              [
                ("conditions", PodSchema.conditions), ("currentHealthy", .integer()), ("desiredHealthy", .integer()),
                ("disruptedPods", .map(.string())), ("disruptionsAllowed", .integer()), ("expectedPods", .integer()),
                ("observedGeneration", .integer()),
              ])
          ),
        ]), isCustom: false)
    definition.behaviour.validate = { new, _ in
      let spec = new["spec"] ?? [:]
      guard spec["minAvailable"] != nil, spec["maxUnavailable"] != nil else { return [] }
      return [
        .invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
      ]
    }
    return definition
  }()

  private static func shown(_ value: JSONValue) -> JSONValue { .string(value.stringValue ?? value.text) }
}
