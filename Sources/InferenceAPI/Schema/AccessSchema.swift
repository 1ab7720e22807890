import KubernetesAPI

extension InferenceService {
  /// `spec.access`.
  static let accessSchema = SchemaNode.object(
    "Who may call. Without it: everybody who reaches the gateway.",
    [
      (
        "apiKeysSecretRef",
        .object(
          "Secret whose entries are tenants: the name of an entry is the tenant, its value the key.",
          required: ["name"], [("name", .dnsName("Name of the Secret, in the namespace of this object.", max: 253))]
        ).asAtomicMap()
      ),
      ("jwt", jwt),
      ("rateLimits", .list("Limits per tenant.", .map, keys: ["tenant"], max: 64, of: rateLimit)),
    ]
  ).checked(by: .accessIsNotEmpty)

  private static let jwt = SchemaNode.object(
    "Tokens that are accepted.", required: ["issuer", "audiences"],
    [
      ("issuer", .text("Value of iss.", max: 1024).checked(by: .httpsURL)),
      (
        "jwksURI",
        .text("Where the keys are. Default: by OpenID discovery at issuer.", max: 1024).checked(by: .httpsURL)
      ),
      (
        "audiences",
        .list("One of them must be in aud.", .set, min: 1, max: 16, of: .text(nil, min: 1, max: 1024))
      ),
      ("tenantClaim", .text("Claim that names the tenant.", min: 1, max: 253, default: "sub")),
    ])

  private static let rateLimit = SchemaNode.object(
    nil, required: ["tenant"],
    [
      (
        "tenant",
        .text("Name of the tenant; \"*\": each that has no limit of its own.", min: 1, max: 253)
      ),
      ("requestsPerMinute", .integer("Requests in a minute.", 1...100_000_000)),
      ("tokensPerMinute", .integer("Tokens of prompt and answer in a minute.", 1...2_000_000_000)),
    ]
  ).checked(by: .rateLimitSaysWhat)
}
