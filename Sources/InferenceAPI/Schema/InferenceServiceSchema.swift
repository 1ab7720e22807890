import KubernetesAPI

extension InferenceService {
  /// The whole resource: what the CustomResourceDefinition holds, what is pruned, defaulted and refused, how apply merges.
  public static let schema = SchemaNode.object(
    "InferenceService serves one model: it sleeps at zero, wakes on the first request, and may keep replicas always on.",
    required: ["spec"],
    [
      ("apiVersion", SchemaNode(.string)), ("kind", SchemaNode(.string)),
      // Declared for the rule on the name; the API server knows the rest of metadata by itself.
      ("metadata", .object(nil, [("name", .text(nil, max: 253))])),
      ("spec", specSchema), ("status", statusSchema),
    ]
  ).checked(by: .objectName)

  private static let specSchema = SchemaNode.object(
    "What is wanted.", required: ["template"],
    [
      ("suspend", .flag("Drains and stops all replicas; requests are refused, not held.", default: false)),
      ("model", modelSchema), ("template", templateSchema), ("dedicated", dedicatedSchema), ("burst", burstSchema),
      ("overflow", overflowSchema), ("scaling", scalingSchema), ("queue", queueSchema), ("timeouts", timeoutsSchema),
      ("routing", routingSchema), ("rollout", rolloutSchema), ("access", accessSchema), ("economics", economicsSchema),
    ]
  ).checked(by: .servesSomePort, .namesAPort, .autoHasPrices)
}
