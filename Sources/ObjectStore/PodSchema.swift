import KubernetesAPI

/// Schema of `core/v1 Pod` and of pod templates.
enum PodSchema {
  static let template: SchemaNode = .object(
    "The pods that will be created.",
    [("metadata", ObjectSchema.metadata), ("spec", spec)])

  static let pod: SchemaNode = .object(
    "Pod is a collection of containers that can run on a host.", [("spec", spec), ("status", status)])

  static let spec: SchemaNode = .object(
    "Specification of the desired behavior of the pod.",
    [
      ("activeDeadlineSeconds", .integer("Seconds the pod may be active on the node.")),
      ("affinity", .opaque("The pod's scheduling constraints.")),
      ("automountServiceAccountToken", .boolean("Whether a service account token is mounted.")),
      ("containers", .keyed(["name"], ContainerSchema.container, "Containers belonging to the pod.")),
      ("dnsConfig", .opaque("DNS parameters of the pod.")),
      ("dnsPolicy", .string("DNS policy for the pod.", default: "ClusterFirst")),
      ("enableServiceLinks", .boolean("Whether information about services is injected into environment variables.")),
      (
        "ephemeralContainers",
        .keyed(["name"], ContainerSchema.container, "Ephemeral containers run in this pod, for debugging.")
      ),
      ("hostAliases", .keyed(["ip"], .object(nil, [("hostnames", .list(.string())), ("ip", .string())]))),
      ("hostIPC", .boolean("Use the host's ipc namespace.")),
      ("hostNetwork", .boolean("Host networking requested for this pod.")),
      ("hostPID", .boolean("Use the host's pid namespace.")),
      ("hostUsers", .boolean("Use the host's user namespace.")),
      ("hostname", .string("The hostname of the pod.")),
      ("imagePullSecrets", .keyed(["name"], .object(nil, [("name", .string(default: ""))]))),
      ("initContainers", .keyed(["name"], ContainerSchema.container, "Containers run to completion before others.")),
      ("nodeName", .string("The node in which this pod is scheduled.")),
      ("nodeSelector", .map(.string(), "Labels that a node must have to run the pod.", isAtomic: true)),
      ("os", .object("The OS of the containers.", [("name", .string())])),
      ("overhead", .map(.intOrString(), "Resource overhead of running the pod.")),
      ("preemptionPolicy", .string("Policy for preempting pods with lower priority.")),
      ("priority", .integer("The priority value.")),
      ("priorityClassName", .string("Name of the pod's priority class.")),
      ("readinessGates", .list(.object(nil, [("conditionType", .string())]), "Conditions that readiness also needs.")),
      ("resourceClaims", .keyed(["name"], named, "Resource claims that must be allocated.")),
      ("resources", .opaque("Total resources of the pod.")),
      ("restartPolicy", .string("Restart policy for all containers.", default: "Always", oneOf: restartPolicies)),
      ("runtimeClassName", .string("The RuntimeClass to run this pod with.")),
      ("schedulerName", .string("The scheduler that places the pod.", default: "default-scheduler")),
      ("schedulingGates", .keyed(["name"], .object(nil, [("name", .string())]), "Gates that block scheduling.")),
      ("securityContext", securityContext),
      ("serviceAccount", .string("Deprecated alias of serviceAccountName.")),
      ("serviceAccountName", .string("The ServiceAccount to run this pod as.")),
      ("setHostnameAsFQDN", .boolean("Whether the pod's hostname is its FQDN.")),
      ("shareProcessNamespace", .boolean("Share one process namespace between all containers.")),
      ("subdomain", .string("Subdomain of the pod's hostname.")),
      (
        "terminationGracePeriodSeconds",
        .integer("Seconds between SIGTERM and SIGKILL when the pod is deleted.", default: 30)
      ),
      ("tolerations", .list(toleration, "Taints that the pod tolerates.")),
      (
        "topologySpreadConstraints",
        .keyed(
          ["topologyKey", "whenUnsatisfiable"], topologySpread, "How pods ought to spread across topology domains.")
      ),
      ("volumes", .keyed(["name"], volume, "Volumes that can be mounted by containers of the pod.")),
    ], required: ["containers"])

  private static let restartPolicies = ["Always", "OnFailure", "Never"]

  /// Known by name; the rest is not looked at.
  private static let named: SchemaNode = {
    var node: SchemaNode = .object(nil, [("name", .string())], required: ["name"])
    node.preservesUnknownFields = true
    return node
  }()

  private static let toleration: SchemaNode = .object(
    "A toleration of a taint.",
    [
      ("effect", .string()), ("key", .string()), ("operator", .string()), ("tolerationSeconds", .integer()),
      ("value", .string()),
    ])

  private static let topologySpread: SchemaNode = .object(
    nil,
    [
      ("labelSelector", .opaque()), ("matchLabelKeys", .list(.string())), ("maxSkew", .integer()),
      ("minDomains", .integer()), ("nodeAffinityPolicy", .string()), ("nodeTaintsPolicy", .string()),
      ("topologyKey", .string()), ("whenUnsatisfiable", .string()),
    ], required: ["maxSkew", "topologyKey", "whenUnsatisfiable"])

  private static let securityContext: SchemaNode = .object(
    "Pod-level security attributes and common container settings.",
    [
      ("appArmorProfile", ContainerSchema.seccompProfile), ("fsGroup", .integer()), ("fsGroupChangePolicy", .string()),
      ("runAsGroup", .integer()), ("runAsNonRoot", .boolean()), ("runAsUser", .integer()),
      ("seLinuxChangePolicy", .string()), ("seLinuxOptions", ContainerSchema.seLinuxOptions),
      ("seccompProfile", ContainerSchema.seccompProfile), ("supplementalGroups", .list(.integer())),
      ("supplementalGroupsPolicy", .string()),
      ("sysctls", .list(.object(nil, [("name", .string()), ("value", .string())]))), ("windowsOptions", .opaque()),
    ], default: [:])

  private static let keyToPath: SchemaNode = .object(
    nil, [("key", .string()), ("mode", .integer()), ("path", .string())], required: ["key", "path"])

  private static let volume: SchemaNode = {
    let mode = SchemaNode.integer("Mode bits of created files.", default: 420)
    let opaqueSources = [
      "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "ephemeral", "fc", "flexVolume",
      "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "image", "iscsi", "nfs", "photonPersistentDisk",
      "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
    ]
    return .object(
      "A named volume in a pod.",
      [
        (
          "configMap",
          .object(
            "A ConfigMap that should populate this volume.",
            [("defaultMode", mode), ("items", .list(keyToPath)), ("name", .string()), ("optional", .boolean())])
        ),
        ("downwardAPI", .object(nil, [("defaultMode", mode), ("items", .list(.opaque()))])),
        (
          "emptyDir",
          .object(
            "A temporary directory that shares the pod's lifetime.",
            [
              ("medium", .string()), ("sizeLimit", .intOrString()),
            ])
        ),
        (
          "hostPath",
          .object(
            "A file or directory of the host.", [("path", .string()), ("type", .string(default: ""))],
            required: ["path"])
        ),
        ("name", .string("Name of the volume, a DNS label, unique in the pod.")),
        (
          "persistentVolumeClaim",
          .object(nil, [("claimName", .string()), ("readOnly", .boolean())], required: ["claimName"])
        ),
        ("projected", .object(nil, [("defaultMode", mode), ("sources", .list(.opaque()))])),
        (
          "secret",
          .object(
            "A Secret that should populate this volume.",
            [("defaultMode", mode), ("items", .list(keyToPath)), ("optional", .boolean()), ("secretName", .string())])
        ),
      ] + opaqueSources.map { ($0, .opaque()) }, required: ["name"])
  }()

  // MARK: Status

  static let condition: SchemaNode = .object(
    nil,
    [
      ("lastHeartbeatTime", .string(isNullable: true)), ("lastProbeTime", .string(isNullable: true)),
      ("lastTransitionTime", .string(isNullable: true)), ("lastUpdateTime", .string(isNullable: true)),
      ("message", .string()), ("observedGeneration", .integer()), ("reason", .string()), ("status", .string()),
      ("type", .string()),
    ], required: ["type", "status"])
  static let conditions: SchemaNode = .keyed(["type"], condition, "Current state, one entry per aspect.")

  private static let containerStatuses: SchemaNode = .keyed(["name"], named, "State of each container.")
  private static let addresses: SchemaNode = .keyed(["ip"], .object(nil, [("ip", .string())], required: ["ip"]))

  private static let status: SchemaNode = .object(
    "Most recently observed status of the pod.",
    [
      ("conditions", conditions), ("containerStatuses", containerStatuses),
      ("ephemeralContainerStatuses", containerStatuses), ("hostIP", .string("IP address of the pod's host.")),
      ("hostIPs", .list(.object(nil, [("ip", .string())]))), ("initContainerStatuses", containerStatuses),
      ("message", .string("Why the pod is in this condition.")), ("nominatedNodeName", .string()),
      ("observedGeneration", .integer()),
      ("phase", .string("Pending, Running, Succeeded, Failed or Unknown.")),
      ("podIP", .string("IP address allocated to the pod.")), ("podIPs", addresses),
      ("qosClass", .string("Quality of service class.")), ("reason", .string("A brief CamelCase reason.")),
      ("resize", .string()), ("resourceClaimStatuses", .keyed(["name"], named)),
      ("startTime", .string("When the kubelet acknowledged the pod.", isNullable: true)),
    ])
}
