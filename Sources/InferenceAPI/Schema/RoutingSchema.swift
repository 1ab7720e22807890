import KubernetesAPI

extension InferenceService {
  /// `spec.routing`.
  static let routingSchema = SchemaNode.object(
    "Which requests go where.",
    [
      (
        "order",
        places("Places to try, in this order. One that is not named is not used.")
          .withDefault(JSONValue(RoutingPlace.words))
      ),
      (
        "rules",
        .list("The first rule that matches applies.", .map, keys: ["name"], max: 16, of: routingRule)
          .checked(by: .reservedSharesFit)
      ),
    ])

  private static func places(_ description: String) -> SchemaNode {
    .list(description, .atomic, min: 1, max: 3, of: .choice(nil, RoutingPlace.words)).checked(by: .placesAreDistinct)
  }

  private static let routingRule = SchemaNode.object(
    nil, required: ["name"],
    [
      ("name", .dnsName("Name of the rule, as it appears in headers and metrics.", max: 63)),
      ("match", match),
      ("order", places("Places to try, in this order. Default: spec.routing.order.")),
      (
        "urgency",
        .integer(
          "Place in the queue, 0 first, 7 last (RFC 9218). A caller may lower it, not raise it.", 0...7, default: 3)
      ),
      ("maxWait", .duration("Instead of spec.queue.maxWait.", from: "0s", to: "1h")),
      (
        "reservedDedicatedPercent",
        .integer("Share of the dedicated pool kept for these requests.", 1...100)
      ),
      (
        "dataClass",
        .text(
          "Data class of these requests; see overflow[].allowedDataClasses. Without it: header pilotlight-data-class.",
          min: 1, max: 63)
      ),
    ])

  private static let match = SchemaNode.object(
    "All that is given must hold. Without match: every request.",
    [
      (
        "models",
        .list(
          "Names by which callers asked for the model: an alias for batch work, for example.", .set, min: 1, max: 32,
          of: .text(nil, min: 1, max: 253))
      ),
      (
        "headers",
        .list(
          "Headers with exactly this value.", .map, keys: ["name"], max: 16,
          of: .object(
            nil, required: ["name", "value"],
            [
              ("name", .text("Name; case does not matter.", min: 1, max: 256)),
              ("value", .text("Value.", max: 4096)),
            ]))
      ),
      ("pathPrefix", .text("Start of the path.", max: 512).checked(by: .absolutePath)),
      ("stream", .flag("Whether the answer is streamed.")),
      (
        "outputTokensAtMost",
        .integer("The request limits its answer to this many tokens, or fewer.", 1...100_000_000)
      ),
      (
        "promptBytesAtMost",
        .integer("The body of the request has this many bytes, or fewer.", 1...1_073_741_824)
      ),
    ])
}
