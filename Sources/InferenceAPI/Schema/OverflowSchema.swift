import KubernetesAPI

extension InferenceService {
  /// `spec.overflow`.
  static let overflowSchema = SchemaNode.list(
    "Endpoints outside the cluster that may take a request, in this order.", .map, keys: ["name"], max: 8,
    of: overflowTarget)

  private static let overflowTarget = SchemaNode.object(
    nil, required: ["name", "provider", "url"],
    [
      ("name", .dnsName("Name of the endpoint, as it appears in headers, metrics and status.", max: 63)),
      (
        "provider",
        .choice(
          "How requests are signed and shaped. OpenAI: any server with that API. HTTP: passed on as they are.",
          OverflowProvider.words)
      ),
      ("url", .text("Base URL of the endpoint.", max: 1024).checked(by: .url)),
      ("model", .text("Name of the model there. Default: spec.model.name.", min: 1, max: 253)),
      ("credentialsSecretRef", credentials),
      (
        "when",
        .list(
          "When it may take a request: while replicas are waking, when all are full, when none can be had.", .set,
          min: 1, max: 3, of: .choice(nil, OverflowOccasion.words)
        ).withDefault(JSONValue(OverflowOccasion.words))
      ),
      (
        "allowedDataClasses",
        .list(
          "A request with a data class goes only to endpoints that list it, one without only to endpoints that have no list.",
          .set, min: 1, max: 16, of: .text(nil, min: 1, max: 63))
      ),
      ("price", price),
      (
        "budget",
        .object(
          "No request goes there once this is spent.", required: ["amount"],
          [
            ("amount", .price("In the currency of spec.economics.")),
            ("period", .choice("Calendar period, in UTC.", BudgetPeriod.words, default: "Month")),
          ])
      ),
    ]
  ).checked(by: .budgetHasPrice, .credentialsAreEncrypted)

  private static let credentials = SchemaNode.object(
    "Secret with the credentials. Without it: the identity of the gateway, where the provider has one, else none.",
    required: ["name"],
    [
      ("name", .dnsName("Name of the Secret, in the namespace of this object.", max: 253)),
      (
        "key",
        .text(
          "Entry that holds the API key. Default: apiKey. AWS reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
          min: 1, max: 253)
      ),
    ]
  ).asAtomicMap()

  private static let price = SchemaNode.object(
    "What it costs, in the currency of spec.economics.",
    [
      ("perRequest", .price("Price of a request.")),
      ("perMillionInputTokens", .price("Price of a million tokens of prompt.")),
      ("perMillionOutputTokens", .price("Price of a million tokens of answer.")),
    ]
  ).withAtLeastOneMember()
}
