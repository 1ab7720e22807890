import KubernetesAPI

extension InferenceService {
  /// `spec.economics`.
  static let economicsSchema = SchemaNode.object(
    "What things cost. Without it the defaults of the installation apply.",
    [
      (
        "currency",
        .text("Currency of all prices and budgets of this object.", max: 16, default: "USD").checked(by: .currency)
      ),
      ("dedicated", replicaPrice("dedicated")),
      ("burst", replicaPrice("burst")),
      (
        "waitingHourlyPrice",
        .price(
          "What an hour of waiting is worth to callers. Weighed against hourlyPrice by sleepAfter: Auto, spare replicas and overflow while waking."
        )
      ),
      ("carbonGramsPerKWh", .integer("Carbon intensity of the electricity.", 0...5000)),
    ])

  private static func replicaPrice(_ pool: String) -> SchemaNode {
    .object(
      "One replica of the \(pool) pool.",
      [
        ("hourlyPrice", .price("Price of a replica for an hour.")),
        ("powerWatts", .integer("Power of a replica under load.", 0...1_000_000)),
      ])
  }
}
