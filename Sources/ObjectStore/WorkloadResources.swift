import KubernetesAPI

extension ResourceDefinition {
  private static let scaleMapping = ScaleMapping(
    specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector")

  static let pods: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .pods, shortNames: ["po"], categories: ["all"], hasStatus: true, columns: PodColumns.columns,
      schema: PodSchema.pod, isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.initialStatus = ["phase": "Pending", "qosClass": "BestEffort"]
    definition.behaviour.returnsDeletedObject = true
    definition.behaviour.normalize = { json in
      guard var spec = json["spec"] else { return }
      PodRules.normalize(spec: &spec, isTemplate: false)
      json["spec"] = spec
    }
    definition.behaviour.validate = { new, old in
      guard let spec = new["spec"] else { return [.required("spec.containers")] }
      return PodRules.causes(spec: spec, at: "spec") + podChangeCauses(new, old)
    }
    // A pod that no node runs, or that has ended, goes at once.
    definition.behaviour.gracePeriod = { object in
      let pod = Pod(object)
      if pod.nodeName.isEmpty || pod.isFinished { return 0 }
      return object.spec["terminationGracePeriodSeconds"]?.intValue ?? 30
    }
    definition.behaviour.selectableFields = [
      "spec.nodeName": { Pod($0).nodeName }, "status.phase": { Pod($0).phase },
      "spec.restartPolicy": { $0.spec["restartPolicy"]?.stringValue ?? "" },
      "spec.schedulerName": { $0.spec["schedulerName"]?.stringValue ?? "" },
      "spec.serviceAccountName": { $0.spec["serviceAccountName"]?.stringValue ?? "" },
      "status.podIP": { Pod($0).podIP },
    ]
    return definition
  }()

  /// Of a pod that exists, few fields may change; a node is given once.
  private static func podChangeCauses(_ new: JSONValue, _ old: JSONValue?) -> [KubernetesStatus.Cause] {
    guard let old else { return [] }
    func fixed(_ json: JSONValue) -> JSONValue {
      var spec = json["spec"] ?? [:]
      for name in ["activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "schedulingGates"] {
        spec[name] = nil
      }
      if old[path: ["spec", "nodeName"]] == nil { spec["nodeName"] = nil }
      for list in ["containers", "initContainers"] {
        guard let containers = spec[list]?.arrayValue else { continue }
        spec[list] = .array(
          containers.map { container in
            var container = container
            container["image"] = nil
            return container
          })
      }
      return spec
    }
    if fixed(new) == fixed(old) { return [] }
    return [
      .forbidden(
        "spec",
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
      )
    ]
  }

  static let deployments: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .deployments, shortNames: ["deploy"], categories: ["all"], hasStatus: true, scale: scaleMapping,
      columns: [
        TableColumn("Ready", description: "Number of the pod with ready state") { object, _ in
          "\(Deployment(object).readyReplicas)/\(Deployment(object).replicas)"
        },
        TableColumn(count: "Up-to-date", ".status.updatedReplicas"),
        TableColumn(count: "Available", ".status.availableReplicas"), .age,
      ] + containerColumns,
      schema: .object(
        "Deployment enables declarative updates for Pods and ReplicaSets.",
        [("spec", deploymentSpec), ("status", deploymentStatus)]), isCustom: false)
    definition.behaviour.normalize = WorkloadRules.normalizeDeployment
    definition.behaviour.validate = WorkloadRules.causes
    return definition
  }()

  static let replicaSets: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: .replicaSets, shortNames: ["rs"], categories: ["all"], hasStatus: true, scale: scaleMapping,
      columns: [
        TableColumn(count: "Desired", ".spec.replicas"), TableColumn(count: "Current", ".status.replicas"),
        TableColumn(count: "Ready", ".status.readyReplicas"), .age,
      ] + containerColumns,
      schema: .object(
        "ReplicaSet ensures that a specified number of pod replicas are running at any given time.",
        [
          (
            "spec",
            .object(
              "Specification of the desired behavior of the ReplicaSet.",
              [
                ("minReadySeconds", .integer("Seconds a pod must be ready before it counts as available.")),
                ("replicas", .integer("Number of desired pods.", default: 1)), ("selector", selector),
                ("template", PodSchema.template),
              ], required: ["selector"])
          ),
          (
            "status",
            .object(
              "Most recently observed status of the ReplicaSet.",
              [
                ("availableReplicas", .integer()), ("conditions", PodSchema.conditions),
                ("fullyLabeledReplicas", .integer()), ("observedGeneration", .integer()),
                ("readyReplicas", .integer()), ("replicas", .integer()), ("terminatingReplicas", .integer()),
              ])
          ),
        ]), isCustom: false)
    definition.behaviour.normalize = { WorkloadRules.normalizeTemplate(&$0) }
    definition.behaviour.validate = WorkloadRules.causes
    definition.behaviour.initialStatus = ["replicas": 0]
    return definition
  }()

  static let selector: SchemaNode = .object(
    "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected.",
    [
      (
        "matchExpressions",
        .list(
          .object(
            nil, [("key", .string()), ("operator", .string()), ("values", .list(.string()))],
            required: ["key", "operator"]), "A list of label selector requirements, ANDed.")
      ),
      ("matchLabels", .map(.string(), "A map of {key,value} pairs.")),
    ], isAtomic: true)

  private static let deploymentSpec: SchemaNode = .object(
    "Specification of the desired behavior of the Deployment.",
    [
      ("minReadySeconds", .integer("Seconds a pod must be ready before it counts as available.")),
      ("paused", .boolean("Indicates that the deployment is paused.")),
      ("progressDeadlineSeconds", .integer("Seconds to make progress before considered failed.", default: 600)),
      ("replicas", .integer("Number of desired pods.", default: 1)),
      ("revisionHistoryLimit", .integer("Number of old ReplicaSets to retain.", default: 10)),
      ("selector", selector),
      (
        "strategy",
        .object(
          "The deployment strategy to use to replace existing pods with new ones.",
          [
            (
              "rollingUpdate",
              .object(
                "Rolling update config params.",
                [
                  ("maxSurge", .intOrString("Pods above the desired number, a count or a percentage.")),
                  ("maxUnavailable", .intOrString("Pods that may be unavailable, a count or a percentage.")),
                ])
            ), ("type", .string("Recreate or RollingUpdate.", oneOf: ["Recreate", "RollingUpdate"])),
          ])
      ), ("template", PodSchema.template),
    ], required: ["selector", "template"])

  private static let deploymentStatus: SchemaNode = .object(
    "Most recently observed status of the Deployment.",
    [
      ("availableReplicas", .integer("Pods ready for at least minReadySeconds.")), ("collisionCount", .integer()),
      ("conditions", PodSchema.conditions), ("observedGeneration", .integer("The generation observed.")),
      ("readyReplicas", .integer("Pods with a Ready condition.")), ("replicas", .integer("Non-terminated pods.")),
      ("terminatingReplicas", .integer("Terminating pods.")),
      ("unavailableReplicas", .integer("Pods still to become available.")),
      ("updatedReplicas", .integer("Pods with the desired template.")),
    ])

  /// Wide columns of everything that has a pod template.
  private static let containerColumns: [TableColumn] = [
    TableColumn("Containers", priority: 1) { object, _ in .string(containers(object, "name")) },
    TableColumn("Images", priority: 1) { object, _ in .string(containers(object, "image")) },
    TableColumn("Selector", priority: 1) { object, _ in
      .string(object.spec["selector"].flatMap { LabelSelector(json: $0) }?.text ?? "<none>")
    },
  ]

  private static func containers(_ object: KubernetesObject, _ field: String) -> String {
    (object.spec[path: ["template", "spec", "containers"]]?.arrayValue ?? [])
      .compactMap { $0[field]?.stringValue }.joined(separator: ",")
  }
}
