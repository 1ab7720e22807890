import KubernetesAPI

/// An entry of `spec.overflow`: an endpoint outside the cluster.
public struct OverflowTarget: Hashable, Sendable {
  public let name: String
  public let provider: OverflowProvider
  /// Base URL.
  public let url: String
  /// What the model is called there; nil: as in the pods.
  public let model: String?
  public let credentialsSecretRef: SecretKeyReference?
  public let when: [OverflowOccasion]
  /// Nil: takes requests without a data class, and no others.
  public let allowedDataClasses: [String]?
  public let price: RequestPrice?
  public let budget: Budget?

  init?(_ reader: FieldReader) {
    guard let name = reader.text("name"), let provider: OverflowProvider = reader.word("provider"),
      let url = reader.text("url")
    else { return nil }
    self.name = name
    self.provider = provider
    self.url = url
    model = reader.text("model")
    credentialsSecretRef = reader.optionalBlock("credentialsSecretRef").flatMap(SecretKeyReference.init)
    when = reader.words("when")
    allowedDataClasses = reader.json["allowedDataClasses"].map { _ in reader.texts("allowedDataClasses") }
    price = reader.optionalBlock("price").map(RequestPrice.init)
    budget = reader.optionalBlock("budget").flatMap(Budget.init)
  }
}

/// An entry of a Secret in the object's namespace.
public struct SecretKeyReference: Hashable, Sendable {
  public let name: String
  /// Nil: the entry that the user of the reference looks for by itself.
  public let key: String?

  init?(_ reader: FieldReader) {
    guard let name = reader.text("name") else { return nil }
    self.name = name
    key = reader.text("key")
  }
}

/// `spec.overflow[].price`, in the currency of `spec.economics`.
public struct RequestPrice: Hashable, Sendable {
  public let perRequest: Price?
  public let perMillionInputTokens: Price?
  public let perMillionOutputTokens: Price?

  init(_ reader: FieldReader) {
    perRequest = reader.price("perRequest")
    perMillionInputTokens = reader.price("perMillionInputTokens")
    perMillionOutputTokens = reader.price("perMillionOutputTokens")
  }
}

/// `spec.overflow[].budget`.
public struct Budget: Hashable, Sendable {
  public let amount: Price
  public let period: BudgetPeriod

  init?(_ reader: FieldReader) {
    guard let amount = reader.price("amount") else { return nil }
    self.amount = amount
    period = reader.word("period") ?? .month
  }
}
