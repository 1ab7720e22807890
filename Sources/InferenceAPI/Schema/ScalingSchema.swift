import KubernetesAPI

extension InferenceService {
  /// `spec.scaling`.
  static let scalingSchema = SchemaNode.object(
    "How many burst replicas the load asks for.",
    [
      ("metric", .choice("What is measured per replica.", ScaledMetric.words, default: "Concurrency")),
      (
        "target",
        .integer(
          "What a replica should carry on average, in the unit of metric. Default with Concurrency: 8, or maxConcurrency where that is less; with an objective maxConcurrency. The other metrics need it.",
          1...1_000_000)
      ),
      (
        "maxConcurrency",
        .integer(
          "Most requests a replica is given at once; the rest wait in the queue. Default: twice target with metric Concurrency, else 64.",
          1...100_000)
      ),
      (
        "stableWindow",
        .duration("Load is averaged over this time.", from: "6s", to: "1h", default: "60s")
      ),
      (
        "panicWindow",
        .duration("In a sudden rise it is averaged over this time instead.", from: "1s", to: "10m", default: "6s")
      ),
      (
        "panicThresholdPercent",
        .integer(
          "Rise, in percent of what the ready replicas can carry, that counts as sudden.", 110...1000, default: 200)
      ),
      (
        "scaleDownDelay",
        .duration(
          "A lower number must have held for this long before replicas are removed; with an objective, once bursts were seen, for no longer than stableWindow.",
          from: "0s", to: "24h", default: "5m")
      ),
      (
        "mode",
        .choice(
          "Reactive: by the load seen. Predictive: also wakes a sleeping model ahead of requests that recur, and may put it to sleep within a minute (docs/idle-windows.md).",
          ScalingMode.words,
          default: "Reactive")
      ),
      (
        "objective",
        .object(
          "Replicas are also added as service times and bursts need them for this (docs/deciding.md).",
          required: ["timeToFirstToken"],
          [
            (
              "timeToFirstToken",
              .duration(
                "Time from arrival to the first token, or the first byte of an answer that is no stream.", from: "1ms",
                to: "1h")
            ),
            ("percentile", .integer("Share of the requests for which it must hold.", 50...99, default: 95)),
          ])
      ),
    ]
  ).withDefaultOfMembers().checked(by: .panicIsShorter, .targetIsGiven, .targetIsReachable)
}
