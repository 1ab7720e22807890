import KubernetesAPI

/// A rule of the resource together with values that keep it and values that break it: tests run both of its forms, CEL
/// and Swift, over them.
struct CheckedRule: Sendable {
  let rule: SchemaRule
  let good: [JSONValue]
  let bad: [JSONValue]

  init(
    _ cel: String, _ message: String, at fieldPath: String? = nil, good: [JSONValue], bad: [JSONValue],
    holds: @escaping @Sendable (JSONValue) -> Bool
  ) {
    rule = SchemaRule(cel: cel, message: message, fieldPath: fieldPath, holds: holds)
    self.good = good
    self.bad = bad
  }
}

/// A value for one rule, and what the rule must say of it.
public struct RuleCase: Sendable {
  /// Path of the node in the schema, such as `spec.overflow[].url`.
  public let path: String
  public let cel: String
  /// What `self` is.
  public let value: JSONValue
  /// Whether the value keeps the rule.
  public let expected: Bool
  /// What the rule's Swift form says.
  public let holds: Bool

  /// One line for `hack/cel-check`.
  public var json: JSONValue {
    ["path": .string(path), "cel": .string(cel), "self": value, "expected": .bool(expected)]
  }
}

extension InferenceService {
  /// A good and a bad value, at least, for every rule of the schema, in its order.
  public static let ruleCases: [RuleCase] = cases(of: schema, at: "")

  private static func cases(of node: SchemaNode, at path: String) -> [RuleCase] {
    var found: [RuleCase] = []
    for rule in node.rules {
      guard let checked = CheckedRule.all.first(where: { $0.rule.cel == rule.cel }) else { continue }
      for (values, expected) in [(checked.good, true), (checked.bad, false)] {
        found += values.map { value in
          RuleCase(path: path, cel: rule.cel, value: value, expected: expected, holds: rule.holds(value))
        }
      }
    }
    for (name, property) in node.properties {
      found += cases(of: property, at: path.isEmpty ? name : "\(path).\(name)")
    }
    if let items = node.items { found += cases(of: items.node, at: path + "[]") }
    if let values = node.additionalProperties { found += cases(of: values.node, at: path + "{}") }
    return found
  }
}

extension CheckedRule {
  /// Every rule that ``InferenceService/schema`` uses.
  static let all: [CheckedRule] =
    [
      objectName, dnsName, absolutePath, url, httpsURL, timeOfDay, endOfDay, timeZone, currency, decimal, portNumber,
      countOrPercentage, labelsAreNotReserved, aliasesAreNoAdapters, scheduleLasts, spareWithinMaximum, budgetHasPrice,
      credentialsAreEncrypted, panicIsShorter, targetIsGiven, targetIsReachable, placesAreDistinct, reservedSharesFit,
      canaryHasSteps, stepsAreOfCanary, rolloutCanProceed, accessIsNotEmpty, rateLimitSaysWhat, servesSomePort,
      namesAPort, autoHasPrices, duration(from: "1s", to: "168h", orAuto: true),
    ]
    + [
      ("6s", "1h"), ("1s", "10m"), ("0s", "24h"), ("1ms", "1h"), ("0s", "1h"), ("10s", "24h"), ("1s", "24h"),
      ("0s", "168h"),
    ].map { duration(from: $0.0, to: $0.1) }
}
