import KubernetesAPI

/// `spec.routing`.
public struct RoutingSpec: Hashable, Sendable {
  /// Places to try, in this order; one that is not named is not used.
  public let order: [RoutingPlace]
  /// The first that matches applies.
  public let rules: [RoutingRule]

  init(_ reader: FieldReader) {
    let order: [RoutingPlace] = reader.words("order")
    self.order = order.isEmpty ? RoutingPlace.allCases : order
    rules = reader.blocks("rules").compactMap(RoutingRule.init)
  }
}

/// An entry of `spec.routing.rules`.
public struct RoutingRule: Hashable, Sendable {
  public let name: String
  /// Nil: every request.
  public let match: RequestMatch?
  /// Nil: `spec.routing.order`.
  public let order: [RoutingPlace]?
  /// 0 first, 7 last (RFC 9218).
  public let urgency: Int
  /// Nil: `spec.queue.maxWait`.
  public let maxWait: Duration?
  /// Share of the dedicated pool kept for these requests.
  public let reservedDedicatedPercent: Int?
  public let dataClass: String?

  init?(_ reader: FieldReader) {
    guard let name = reader.text("name") else { return nil }
    let order: [RoutingPlace] = reader.words("order")
    self.name = name
    match = reader.optionalBlock("match").map(RequestMatch.init)
    self.order = order.isEmpty ? nil : order
    urgency = reader.integer("urgency") ?? 3
    maxWait = reader.duration("maxWait")
    reservedDedicatedPercent = reader.integer("reservedDedicatedPercent")
    dataClass = reader.text("dataClass")
  }
}

/// `spec.routing.rules[].match`: all that is given must hold.
public struct RequestMatch: Hashable, Sendable {
  /// Names by which the caller asked; empty: any.
  public let models: [String]
  /// Headers with exactly this value.
  public let headers: [Header]
  public let pathPrefix: String?
  public let stream: Bool?
  public let outputTokensAtMost: Int?
  public let promptBytesAtMost: Int?

  public struct Header: Hashable, Sendable {
    /// Case does not matter.
    public let name: String
    public let value: String
  }

  init(_ reader: FieldReader) {
    models = reader.texts("models")
    headers = reader.blocks("headers").compactMap { header in
      guard let name = header.text("name"), let value = header.text("value") else { return nil }
      return Header(name: name, value: value)
    }
    pathPrefix = reader.text("pathPrefix")
    stream = reader.flag("stream")
    outputTokensAtMost = reader.integer("outputTokensAtMost")
    promptBytesAtMost = reader.integer("promptBytesAtMost")
  }
}

/// `spec.rollout`.
public struct RolloutSpec: Hashable, Sendable {
  public let strategy: RolloutStrategy
  public let maxSurge: IntOrPercent
  public let maxUnavailable: IntOrPercent
  /// With Canary: the shares, in this order.
  public let steps: [Step]

  public struct Step: Hashable, Sendable {
    public let trafficPercent: Int
    /// Nil: until the steps are edited.
    public let pause: Duration?
  }

  init(_ reader: FieldReader) {
    strategy = reader.word("strategy") ?? .rollingUpdate
    maxSurge = reader.json["maxSurge"].flatMap(IntOrPercent.init(json:)) ?? .count(1)
    maxUnavailable = reader.json["maxUnavailable"].flatMap(IntOrPercent.init(json:)) ?? .count(0)
    steps = reader.blocks("steps").compactMap { step in
      step.integer("trafficPercent").map { Step(trafficPercent: $0, pause: step.duration("pause")) }
    }
  }
}
