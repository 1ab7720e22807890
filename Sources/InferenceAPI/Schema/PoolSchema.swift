import KubernetesAPI

extension InferenceService {
  /// `spec.dedicated`.
  static let dedicatedSchema = SchemaNode.object(
    "Replicas that are always on. This is what kubectl scale and the scale subresource set.",
    [
      ("replicas", .integer("Replicas outside every schedule. 0: none.", 0...10_000, default: 0)),
      (
        "maxConcurrency",
        .integer(
          "Instead of spec.scaling.maxConcurrency, where these replicas are of another kind than those of burst.",
          1...100_000)
      ),
      (
        "schedules",
        .list(
          "Times with more replicas. The largest of replicas and all schedules that hold now applies.", .map,
          keys: ["name"], max: 16, of: schedule)
      ),
      ("overrides", overrides(of: "dedicated")),
    ]
  ).withDefaultOfMembers()

  private static let schedule = SchemaNode.object(
    nil, required: ["name", "start", "end", "replicas"],
    [
      ("name", .dnsName("Name of the schedule.", max: 63)),
      (
        "days",
        .list(
          "Days on which it starts. Default: all.", .set, min: 1, max: 7, of: .choice(nil, Weekday.words))
      ),
      ("start", .text("From, as \"HH:MM\".", max: 32).checked(by: .timeOfDay)),
      (
        "end",
        .text("Until, as \"HH:MM\", at most \"24:00\"; earlier than start: on the next day.", max: 32)
          .checked(by: .endOfDay)
      ),
      (
        "timeZone",
        .text("IANA name, such as Europe/Berlin.", max: 64, default: "UTC").checked(by: .timeZone)
      ),
      ("replicas", .integer("Replicas while it holds.", 1...10_000)),
    ]
  ).checked(by: .scheduleLasts)

  /// `spec.burst`.
  static let burstSchema = SchemaNode.object(
    "Replicas that come with demand and go to zero when there is none.",
    [
      (
        "maxReplicas",
        .integer(
          "Most replicas of this pool; those of the dedicated pool come on top. 0: no burst pool.", 0...10_000,
          default: 1)
      ),
      (
        "spareReplicas",
        .integer("Replicas kept ready beyond the demand while the model is awake.", 0...100, default: 0)
      ),
      (
        "sleepAfter",
        .duration(
          "How long without a request before the last replica stops. Auto: the break-even of keeping it against waking it, by spec.economics.",
          from: "1s", to: "168h", orAuto: true, default: "10m")
      ),
      ("overrides", overrides(of: "burst")),
    ]
  ).withDefaultOfMembers().checked(by: .spareWithinMaximum)

  private static func overrides(of pool: String) -> SchemaNode {
    .object(
      "How the pods of the \(pool) pool differ from spec.template. Maps merge by key, env by name, tolerations are added; anything else replaces.",
      podOverrides + containerOverrides)
  }

  private static let podOverrides: SchemaNode.Fields = [
    ("labels", labels("Merged into the labels of the pods.")),
    ("annotations", annotations("Merged into the annotations of the pods.")),
    ("nodeSelector", annotations("Merged into nodeSelector.")),
    ("tolerations", .list("Added to the tolerations.", .atomic, max: 32, of: toleration)),
    ("affinity", .opaque("Replaces affinity. See: kubectl explain pod.spec.affinity")),
    (
      "topologySpreadConstraints",
      .list(
        "Replaces topologySpreadConstraints. See: kubectl explain pod.spec.topologySpreadConstraints", .atomic, max: 8,
        of: .opaque("As in a pod."))
    ),
    ("priorityClassName", .dnsName("Replaces priorityClassName.", max: 253)),
    ("runtimeClassName", .dnsName("Replaces runtimeClassName.", max: 253)),
  ]

  private static let toleration = SchemaNode.object(
    "As in a pod.",
    [
      ("key", .text("Taint key; empty matches every key.", max: 316)),
      ("operator", .text("Exists or Equal.", max: 16)),
      ("value", .text("Taint value.", max: 63)),
      ("effect", .text("NoSchedule, PreferNoSchedule or NoExecute; empty matches all.", max: 32)),
      ("tolerationSeconds", .integer("With NoExecute: how long to stay.", format: "int64")),
    ])

  private static let containerOverrides: SchemaNode.Fields = [
    ("image", .text("Replaces the image of the serving container.", min: 1, max: 512)),
    ("command", words("Replaces the command of the serving container.")),
    ("args", words("Replaces the args of the serving container.")),
    ("env", environment("Merged by name into the env of the serving container.", max: 64)),
    (
      "resources",
      .object(
        "Replaces the resources of the serving container as a whole.",
        [
          ("limits", quantities), ("requests", quantities),
          (
            "claims",
            .list(
              "As in a container (dynamic resource allocation).", .map, keys: ["name"], max: 8,
              of: .opaque(
                "As in a container.", required: ["name"], [("name", .text("Name of the claim.", max: 63))]))
          ),
        ])
    ),
  ]

  private static let quantities = SchemaNode.map("As in a container.", max: 16, of: .intOrString(nil, maxLength: 32))

  private static func words(_ description: String) -> SchemaNode {
    .list(description, .atomic, max: 128, of: .text(nil, max: 4096))
  }
}
