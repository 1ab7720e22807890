import KubernetesAPI

extension InferenceService {
  /// `status`.
  static let statusSchema = SchemaNode.object(
    "What is. Written by the controller.",
    [
      (
        "observedGeneration",
        .integer("Generation of the spec that this status is about.", format: "int64")
      ),
      (
        "conditions",
        .list(
          "Ready: a request sent now will be answered, after waking if need be.", .map, keys: ["type"], max: 16,
          of: condition)
      ),
      ("url", .text("Where callers reach the model.", max: 1024)),
      (
        "names",
        .list(
          "Names by which callers reach the model at the gateway.", .set, max: 128, of: .text(nil, max: 253))
      ),
      ("selector", .text("Label selector of the dedicated pods, for the scale subresource.", max: 1024)),
      ("dedicated", poolStatus("dedicated")), ("burst", poolStatus("burst")), ("canary", poolStatus("canary")),
      ("rollout", rolloutStatus),
      (
        "overflow",
        .list("Endpoints outside the cluster.", .map, keys: ["name"], max: 8, of: overflowStatus)
      ),
      ("load", loadStatus), ("lastDecision", lastDecision), ("coldStart", coldStart), ("usage", usage),
      ("savings", savings), ("drain", drain), ("display", display),
    ])

  private static let condition = SchemaNode.object(
    nil, required: ["type", "status", "reason", "message", "lastTransitionTime"],
    [
      (
        "type",
        .text(
          "Ready, TemplateValid, NamesAccepted, DedicatedReady, BurstReady, OverflowReady or Progressing.", max: 316)
      ),
      ("status", .choice(nil, ["True", "False", "Unknown"])),
      ("reason", .text("One word for programs.", min: 1, max: 1024)),
      ("message", .text("A sentence for people.", max: 32768)),
      ("lastTransitionTime", .time("When status last changed.")),
      ("observedGeneration", .integer("Generation of the spec this was said of.", format: "int64")),
    ])

  private static func poolStatus(_ pool: String) -> SchemaNode {
    .object(
      "The \(pool) pool.",
      [
        ("desiredReplicas", .integer("Replicas wanted now.")),
        ("replicas", .integer("Pods there are, without those that drain.")),
        ("readyReplicas", .integer("Pods that take requests.")),
        ("updatedReplicas", .integer("Pods of the present template.")),
        ("drainingReplicas", .integer("Pods that finish their requests before they go.")),
        ("unschedulableReplicas", .integer("Pods for which no node has room.")),
      ])
  }

  private static let rolloutStatus = SchemaNode.object(
    "The change of template under way.",
    [
      ("currentRevision", .text("Revision both pools ran before.", max: 32)),
      ("updateRevision", .text("Revision of spec.template.", max: 32)),
      ("step", .integer("Index of the step, from 0.")),
      ("stepStartTime", .time("When it began.")),
      ("trafficPercent", .integer("Share of the requests it takes.")),
    ])

  private static let overflowStatus = SchemaNode.object(
    nil, required: ["name"],
    [
      ("name", .text("Name of the endpoint.", max: 63)),
      ("requests", .integer("Requests in this period.", format: "int64")),
      ("spent", .text("Spent in this period.", max: 32)),
      ("periodStartTime", .time("Start of the period.")),
    ])

  private static let loadStatus = SchemaNode.object(
    "Load over all gateways. Written when it matters, at most every 15 s.",
    [
      ("inFlight", .integer("Requests at a replica.")),
      ("held", .integer("Requests that wait.")),
      ("requestsPerMinute", .integer("Requests in the last minute.")),
      ("observedTime", .time("When this was so.")),
    ])

  private static let lastDecision = SchemaNode.object(
    "The last change of scale.",
    [
      ("time", .time("When.")),
      ("pool", .text("Dedicated or Burst.", max: 32)),
      ("from", .integer("Replicas before.")),
      ("to", .integer("Replicas after.")),
      ("reason", .text("One word.", max: 64)),
      ("message", .text("The sentence.", max: 1024)),
      ("inputs", .map("What it was computed from.", max: 24, of: .text(nil, max: 64))),
    ])

  private static let coldStart = SchemaNode.object(
    "Time from the first held request to the first answer.",
    [
      ("samples", .integer("How many.")),
      ("p50", .text("Median, a duration.", max: 32)),
      ("p95", .text("95th percentile, a duration.", max: 32)),
    ])

  private static let usage = SchemaNode.object(
    "What was used since sinceTime.",
    [
      ("sinceTime", .time("Start.")),
      ("dedicatedReplicaHours", .text("Decimal.", max: 32)),
      ("burstReplicaHours", .text("Decimal.", max: 32)),
      ("cost", .text("Decimal, overflow included.", max: 32)),
      ("currency", .text("Of cost and savings.", max: 32)),
      ("energyKWh", .text("Decimal.", max: 32)),
      ("carbonKg", .text("Decimal.", max: 32)),
    ])

  private static let savings = SchemaNode.object(
    "Against a baseline, over the time of usage.",
    [
      ("baseline", .text("AlwaysOnPeak: the most replicas wanted at any time, all the time.", max: 64)),
      ("baselineReplicaHours", .text("Decimal.", max: 32)),
      ("amount", .text("Decimal; negative: it cost more.", max: 32)),
      ("percent", .integer("Of the cost of the baseline.")),
      ("energyKWh", .text("Decimal.", max: 32)),
      ("carbonKg", .text("Decimal.", max: 32)),
    ])

  private static let drain = SchemaNode.object(
    "Pods that are to go: gateways give them no new request.",
    [
      ("epoch", .integer("Grows with each change of pods; gateways say which they have seen.", format: "int64")),
      ("pods", .list("Their UIDs.", .set, max: 10_000, of: .text(nil, max: 63))),
    ])

  private static let display = SchemaNode.object(
    "Text for kubectl get. Its form may change; programs read the other fields.",
    [
      ("state", .text("Reason of condition Ready.", max: 64)),
      ("dedicated", .text("Ready/wanted.", max: 32)),
      ("burst", .text("Ready/wanted.", max: 32)),
      ("saved", .text("Amount and percent.", max: 32)),
      ("decision", .text("Last decision.", max: 128)),
    ])
}
