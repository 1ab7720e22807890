import KubernetesAPI

/// `spec.access`: who may call.
public struct AccessSpec: Hashable, Sendable {
  /// Name of the Secret whose entries are tenants and their keys.
  public let apiKeysSecretName: String?
  public let jwt: TokenRequirements?
  public let rateLimits: [RateLimit]

  init(_ reader: FieldReader) {
    apiKeysSecretName = reader.optionalBlock("apiKeysSecretRef")?.text("name")
    jwt = reader.optionalBlock("jwt").flatMap(TokenRequirements.init)
    rateLimits = reader.blocks("rateLimits").compactMap(RateLimit.init)
  }
}

/// `spec.access.jwt`.
public struct TokenRequirements: Hashable, Sendable {
  public let issuer: String
  /// Nil: by OpenID discovery at the issuer.
  public let jwksURI: String?
  public let audiences: [String]
  public let tenantClaim: String

  init?(_ reader: FieldReader) {
    guard let issuer = reader.text("issuer") else { return nil }
    self.issuer = issuer
    jwksURI = reader.text("jwksURI")
    audiences = reader.texts("audiences")
    tenantClaim = reader.text("tenantClaim") ?? "sub"
  }
}

/// An entry of `spec.access.rateLimits`.
public struct RateLimit: Hashable, Sendable {
  /// `*`: each tenant without a limit of its own.
  public let tenant: String
  public let requestsPerMinute: Int?
  public let tokensPerMinute: Int?

  init?(_ reader: FieldReader) {
    guard let tenant = reader.text("tenant") else { return nil }
    self.tenant = tenant
    requestsPerMinute = reader.integer("requestsPerMinute")
    tokensPerMinute = reader.integer("tokensPerMinute")
  }
}

/// `spec.economics`.
public struct EconomicsSpec: Hashable, Sendable {
  /// ISO 4217.
  public let currency: String
  public let dedicated: ReplicaCost
  public let burst: ReplicaCost
  /// What an hour of waiting is worth to callers.
  public let waitingHourlyPrice: Price?
  public let carbonGramsPerKWh: Int?

  /// Of one replica.
  public struct ReplicaCost: Hashable, Sendable {
    public let hourlyPrice: Price?
    public let powerWatts: Int?
  }

  init(_ reader: FieldReader) {
    func cost(_ name: String) -> ReplicaCost {
      let block = reader.block(name)
      return ReplicaCost(hourlyPrice: block.price("hourlyPrice"), powerWatts: block.integer("powerWatts"))
    }
    currency = reader.text("currency") ?? "USD"
    dedicated = cost("dedicated")
    burst = cost("burst")
    waitingHourlyPrice = reader.price("waitingHourlyPrice")
    carbonGramsPerKWh = reader.integer("carbonGramsPerKWh")
  }
}
