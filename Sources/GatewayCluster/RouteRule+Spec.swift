import Gateway
import InferenceAPI

extension RouteRule {
  /// The gateway's form of an entry of `spec.routing.rules`.
  init(_ rule: RoutingRule) {
    var match = Match()
    if let wanted = rule.match {
      match.models = wanted.models
      match.headers = wanted.headers.map { Header(name: $0.name, value: $0.value) }
      match.pathPrefix = wanted.pathPrefix
      match.stream = wanted.stream
      match.outputTokensAtMost = wanted.outputTokensAtMost
      match.promptBytesAtMost = wanted.promptBytesAtMost
    }
    self.init(
      name: rule.name, match: match, order: rule.order?.compactMap { Pool(rawValue: $0.rawValue.lowercased()) },
      urgency: rule.urgency, maxWait: rule.maxWait)
  }
}
