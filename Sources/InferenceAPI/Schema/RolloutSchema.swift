import KubernetesAPI

extension InferenceService {
  /// `spec.rollout`.
  static let rolloutSchema = SchemaNode.object(
    "How a change of the template reaches the pods.",
    [
      (
        "strategy",
        .choice(
          "RollingUpdate: replica by replica. Canary: first a third pool with the new template, which takes a share of the requests.",
          RolloutStrategy.words, default: "RollingUpdate")
      ),
      (
        "maxSurge",
        .intOrString(
          "Replicas, or percent, above the wanted number. 0 where no accelerator is to spare; then maxUnavailable must be more.",
          maxLength: 16, default: 1
        ).checked(by: .countOrPercentage)
      ),
      (
        "maxUnavailable",
        .intOrString("Replicas, or percent, below the wanted number.", maxLength: 16, default: 0)
          .checked(by: .countOrPercentage)
      ),
      (
        "steps",
        .list(
          "With Canary: the shares, in this order. After the last the new template is taken over by both pools.",
          .atomic, max: 16,
          of: .object(
            nil, required: ["trafficPercent"],
            [
              ("trafficPercent", .integer("Share of the requests that the new template takes.", 1...100)),
              (
                "pause",
                .duration(
                  "How long the step lasts. Without it: until the steps are edited.", from: "0s", to: "168h")
              ),
            ]))
      ),
    ]
  ).withDefaultOfMembers().checked(by: .canaryHasSteps, .stepsAreOfCanary, .rolloutCanProceed)
}
