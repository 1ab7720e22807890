import EventLoop
import FoundationEssentials

/// The services of a gateway without a cluster, from a JSON file (`pilotlight gateway --static FILE`).
///
///     {"domain": "models.test",
///      "services": [{"namespace": "default", "name": "llama", "model": "meta/Llama", "aliases": ["gpt-4o-mini"],
///                    "hostnames": ["llm.example.com"], "queue": {"maxRequests": 100, "maxWait": "30s"},
///                    "endpoints": [{"address": "127.0.0.1:8000", "pool": "dedicated", "maxConcurrency": 8}]}]}
public struct StaticConfiguration: Equatable, Sendable {
  public var domain: String
  public var services: [ServiceRoute]

  /// The view that the file describes; this gateway has all slots.
  public var view: RoutingView { RoutingView(services: services, domain: domain) }

  /// Reads the file's bytes. - Throws: ``ConfigurationError`` for the first thing that is wrong.
  public init(parsing bytes: [UInt8], defaultDomain: String = "localhost") throws(ConfigurationError) {
    let node: JSONNode
    do { node = try JSONDecoder().decode(JSONNode.self, from: Data(bytes)) } catch {
      throw ConfigurationError("the file is no JSON: \(Self.problem(error))")
    }
    let file = try JSONFields(node, path: "", known: ["domain", "services"])
    domain = try file.text("domain") ?? defaultDomain
    services = []
    var seen: Set<ServiceKey> = []
    for (index, element) in try file.list("services").enumerated() {
      // Of two claims the earlier entry's holds: the place in the file stands for the age.
      let service = try Self.service(element, path: "services[\(index)]", order: index)
      guard seen.insert(service.key).inserted else {
        throw ConfigurationError("services[\(index)].name: \(service.key) is already there")
      }
      services.append(service)
    }
  }

  private static func service(
    _ node: JSONNode, path: String, order: Int
  ) throws(ConfigurationError) -> ServiceRoute {
    let fields = try JSONFields(
      node, path: path,
      known: [
        "namespace", "name", "model", "aliases", "adapters", "hostnames", "protocol", "healthPath", "order", "queue",
        "timeouts", "rules", "prefixAffinity", "canaryPercent", "endpoints",
      ])
    guard let name = try fields.text("name") else { throw ConfigurationError("\(fields.child("name")): is needed") }
    guard !name.contains("."), !name.contains("/") else {
      throw ConfigurationError("\(fields.child("name")): '\(name)' must hold neither '.' nor '/'; see 'model'")
    }
    var service = ServiceRoute(
      key: ServiceKey(namespace: try fields.text("namespace") ?? "default", name: name),
      created: String(repeating: "0", count: max(0, 9 - String(order).count)) + String(order),
      modelName: try fields.text("model"), aliases: try fields.texts("aliases"),
      adapters: try fields.texts("adapters"), hostnames: try fields.texts("hostnames"),
      modelProtocol: try fields.word("protocol", as: ModelProtocol.self) ?? .openAI,
      healthPath: try healthPath(fields))
    if let queue = fields.node("queue") {
      let fields = try JSONFields(
        queue, path: fields.child("queue"), known: ["maxRequests", "maxWait", "keepAlive", "tenantSharePercent"])
      service.maxHeld = try fields.integer("maxRequests", in: 0...1_000_000) ?? service.maxHeld
      service.maxWait = try fields.duration("maxWait") ?? service.maxWait
      service.tenantSharePercent = try fields.integer("tenantSharePercent", in: 1...100) ?? 100
      service.holdKeepAlive = try fields.duration("keepAlive")
    }
    if let timeouts = fields.node("timeouts") {
      let fields = try JSONFields(timeouts, path: fields.child("timeouts"), known: ["response"])
      service.responseTimeout = try fields.duration("response") ?? service.responseTimeout
    }
    service.prefixAffinity = try fields.integer("prefixAffinity", in: 1...65536)
    service.canaryPercent = try fields.integer("canaryPercent", in: 0...100) ?? 0
    service.order = try pools(fields) ?? service.order
    for (index, rule) in try fields.list("rules").enumerated() {
      service.rules.append(try self.rule(rule, path: "\(fields.child("rules"))[\(index)]"))
    }
    for (index, endpoint) in try fields.list("endpoints").enumerated() {
      service.replicas.append(try replica(endpoint, path: "\(fields.child("endpoints"))[\(index)]", of: service.key))
    }
    return service
  }

  private static func pools(_ fields: JSONFields) throws(ConfigurationError) -> [Pool]? {
    guard fields.node("order") != nil else { return nil }
    var order: [Pool] = []
    for word in try fields.texts("order") {
      guard let pool = Pool(rawValue: word.lowercased()), pool != .canary, !order.contains(pool) else {
        throw ConfigurationError("\(fields.child("order")): '\(word)' must be Dedicated or Burst, each at most once")
      }
      order.append(pool)
    }
    return order
  }

  private static func rule(_ node: JSONNode, path: String) throws(ConfigurationError) -> RouteRule {
    let fields = try JSONFields(node, path: path, known: ["name", "match", "order", "urgency", "maxWait"])
    guard let name = try fields.text("name") else { throw ConfigurationError("\(fields.child("name")): is needed") }
    var rule = RouteRule(name: name, order: try pools(fields))
    rule.urgency = try fields.integer("urgency", in: 0...7) ?? rule.urgency
    rule.maxWait = try fields.duration("maxWait")
    guard let match = fields.node("match") else { return rule }
    let matching = try JSONFields(
      match, path: fields.child("match"),
      known: ["models", "headers", "pathPrefix", "stream", "outputTokensAtMost", "promptBytesAtMost"])
    rule.match.models = try matching.texts("models")
    rule.match.pathPrefix = try matching.text("pathPrefix")
    rule.match.stream = try matching.flag("stream")
    rule.match.outputTokensAtMost = try matching.integer("outputTokensAtMost", in: 1...1_000_000_000)
    rule.match.promptBytesAtMost = try matching.integer("promptBytesAtMost", in: 1...1 << 40)
    for (index, node) in try matching.list("headers").enumerated() {
      let header = try JSONFields(node, path: "\(matching.child("headers"))[\(index)]", known: ["name", "value"])
      guard let name = try header.text("name"), let value = try header.text("value") else {
        throw ConfigurationError("\(header.child("name")) and \(header.child("value")): are needed")
      }
      rule.match.headers.append(RouteRule.Header(name: name, value: value))
    }
    return rule
  }

  /// Empty: a connection is check enough.
  private static func healthPath(_ fields: JSONFields) throws(ConfigurationError) -> String? {
    switch fields.node("healthPath") {
    case nil: return nil
    case .string(let path)? where path.isEmpty || path.hasPrefix("/"): return path
    case .string(let path)?:
      throw ConfigurationError(
        "\(fields.child("healthPath")): '\(path)' must start with '/', or be empty to connect only")
    case let node?: throw ConfigurationError("\(fields.child("healthPath")): must be a string, is \(node.kind)")
    }
  }

  private static func replica(
    _ node: JSONNode, path: String, of key: ServiceKey
  ) throws(ConfigurationError) -> Replica {
    let fields = try JSONFields(node, path: path, known: ["address", "pool", "maxConcurrency", "tls"])
    guard let text = try fields.text("address") else {
      throw ConfigurationError("\(fields.child("address")): is needed, such as 127.0.0.1:8000")
    }
    let address: SocketAddress
    do { address = try SocketAddress(parsing: text) } catch {
      throw ConfigurationError("\(fields.child("address")): '\(text)' is no address and port such as 127.0.0.1:8000")
    }
    let pool = try fields.word("pool", as: Pool.self) ?? .dedicated
    let tls = try tls(fields)
    // Whom to trust is part of who it is: connections made under other terms are not used again.
    let trust = tls.map { "/tls(\($0.caFile ?? "system"), \($0.serverName ?? "address"), \($0.verifies))" } ?? ""
    return Replica(
      podUID: "\(key)/\(pool.rawValue)/\(text)\(trust)", address: address, pool: pool,
      maxConcurrency: try fields.integer("maxConcurrency", in: 1...1_000_000) ?? 64, tls: tls)
  }

  /// `true`, or an object that says whom to trust.
  private static func tls(_ fields: JSONFields) throws(ConfigurationError) -> UpstreamTLS? {
    guard let node = fields.node("tls") else { return nil }
    if case .bool(let isWanted) = node { return isWanted ? UpstreamTLS() : nil }
    let settings = try JSONFields(
      node, path: fields.child("tls"), known: ["caFile", "serverName", "insecureSkipVerify"])
    return UpstreamTLS(
      caFile: try settings.text("caFile"), serverName: try settings.text("serverName"),
      verifies: !(try settings.flag("insecureSkipVerify") ?? false))
  }

  private static func problem(_ error: any Error) -> String {
    if case DecodingError.dataCorrupted(let context) = error {
      return context.underlyingError.map { "\($0)" } ?? context.debugDescription
    }
    return "\(error)"
  }
}
