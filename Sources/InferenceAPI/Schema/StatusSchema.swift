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
          "Verdicts, each with its reason. Ready: a request sent now will be answered, after waking if need be.", .map,
          keys: ["type"], max: 16,
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
        .list("What went to each endpoint outside the cluster.", .map, keys: ["name"], max: 8, of: overflowStatus)
      ),
      ("load", loadStatus), ("lastDecision", lastDecision), ("coldStart", coldStart),
      ("capacity", capacity), ("usage", usage),
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
      ("status", .choice("Whether it holds.", ["True", "False", "Unknown"])),
      ("reason", .text("Why, in one word for programs.", min: 1, max: 1024)),
      ("message", .text("Why, in a sentence for people.", max: 32768)),
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
      ("currentRevision", .text("Revision both pools run, or roll to.", max: 32)),
      ("updateRevision", .text("Revision of spec.template; the canary's where it differs.", max: 32)),
      ("step", .integer("Index of the step under way, from 0.")),
      ("stepsRevision", .text("Revision of the steps that it counts.", max: 32)),
      ("stepStartTime", .time("When the step began, moved on by the time in which nothing of the canary served.")),
      ("stepStoppedTime", .time("Since when nothing of the canary serves; absent: the step's time runs.")),
      ("trafficPercent", .integer("Share of the requests that the canary takes.")),
      ("abortReason", .text("Why the canary was given up, in one word.", max: 64)),
      ("abortMessage", .text("Why the canary was given up, in a sentence with the numbers.", max: 1024)),
    ])

  private static let overflowStatus = SchemaNode.object(
    nil, required: ["name"],
    [
      ("name", .text("Name of the endpoint.", max: 63)),
      ("requests", .integer("Requests that went there in this period.", format: "int64")),
      ("spent", .text("What they cost, a decimal.", max: 32)),
      ("periodStartTime", .time("Start of the period of the budget.")),
    ])

  private static let loadStatus = SchemaNode.object(
    "Load over all gateways. Written when it matters, at most every 15 s.",
    [
      ("inFlight", .integer("Requests that a replica works on.")),
      ("held", .integer("Requests that wait at a gateway.")),
      ("requestsPerMinute", .integer("Requests that arrived in the last minute.")),
      ("observedTime", .time("When these counts were taken.")),
    ])

  private static let lastDecision = SchemaNode.object(
    "The last change of scale.",
    [
      ("time", .time("When it was made.")),
      ("pool", .text("Dedicated, Burst or Canary.", max: 32)),
      ("from", .integer("Replicas before.")),
      ("to", .integer("Replicas after.")),
      ("reason", .text("Why, in one word, such as Activated, LoadAboveTarget or Idle.", max: 64)),
      ("message", .text("Why, in a sentence with the numbers.", max: 1024)),
      ("inputs", .map("The numbers it was computed from, by name.", max: 24, of: .text(nil, max: 64))),
    ])

  private static let coldStart = SchemaNode.object(
    "Time from the first held request to the first answer.",
    [
      ("samples", .integer("How many wakes were measured.")),
      ("p50", .text("Median, a duration.", max: 32)),
      ("p95", .text("95th percentile, a duration.", max: 32)),
    ])

  private static let capacity = SchemaNode.object(
    "What a replica carries, learned from times to first token: advice, which nothing acts on.",
    [
      (
        "advisedTarget",
        .integer("For spec.scaling.target with metric Concurrency: 70 % of slowConcurrency.")
      ),
      ("bend", .text("Requests at a replica from which the first token takes longer than alone, a decimal.", max: 32)),
      ("slowConcurrency", .text("Requests at which it takes half as long again, a decimal.", max: 32)),
      ("firstTokenAlone", .text("Time to the first token without company, a duration.", max: 32)),
      ("samples", .integer("First tokens it was learned from; older ones count less.", format: "int64")),
      (
        "sinceTime",
        .time("Since when this is advised. It is told anew when the target is another by more than a tenth.")
      ),
    ])

  private static let usage = SchemaNode.object(
    "What was used since sinceTime.",
    [
      ("sinceTime", .time("Since when usage is counted.")),
      ("dedicatedReplicaHours", .text("Hours of dedicated replicas, a decimal.", max: 32)),
      ("burstReplicaHours", .text("Hours of burst replicas, a decimal.", max: 32)),
      ("cost", .text("What they cost by spec.economics, overflow included; a decimal.", max: 32)),
      ("currency", .text("Currency of cost and of savings.", max: 32)),
      ("energyKWh", .text("Energy by powerWatts, a decimal.", max: 32)),
      ("carbonKg", .text("Carbon dioxide by carbonGramsPerKWh, a decimal.", max: 32)),
      ("embodiedKg", .text("Share of what making the hardware emitted, a decimal; absent: it was not told.", max: 32)),
    ])

  private static let savings = SchemaNode.object(
    "Against a baseline, over the time of usage.",
    [
      ("baseline", .text("AlwaysOnPeak: the most replicas that requests needed at any time, all the time.", max: 64)),
      ("baselineReplicaHours", .text("Replica hours of the baseline, a decimal.", max: 32)),
      ("amount", .text("Money saved, a decimal; negative: it cost more.", max: 32)),
      (
        "percent",
        .integer("What was saved, in percent of the baseline: of its cost, or of its hours where there is no price.")
      ),
      ("energyKWh", .text("Energy saved, a decimal.", max: 32)),
      ("carbonKg", .text("Carbon dioxide saved, a decimal.", max: 32)),
    ])

  private static let drain = SchemaNode.object(
    "Pods that are to go: gateways give them no new request.",
    [
      ("epoch", .integer("Grows with each change of pods; gateways say which they have seen.", format: "int64")),
      ("pods", .list("UIDs of these pods.", .set, max: 10_000, of: .text(nil, max: 63))),
    ])

  private static let display = SchemaNode.object(
    "Text for kubectl get. Its form may change; programs read the other fields.",
    [
      ("state", .text("The reason of condition Ready.", max: 64)),
      ("dedicated", .text("Ready/wanted replicas of the dedicated pool.", max: 32)),
      ("burst", .text("Ready/wanted replicas of the burst pool.", max: 32)),
      ("canary", .text("The canary's share of the requests and its ready/wanted replicas.", max: 32)),
      ("saved", .text("Amount and percent saved.", max: 32)),
      ("decision", .text("The last decision, as pool, change and reason.", max: 128)),
    ])
}
