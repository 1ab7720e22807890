import EventLoop

import struct FoundationEssentials.Date

/// A set of like replicas of one service.
public enum Pool: String, CaseIterable, Sendable, Codable {
  /// Always on.
  case dedicated
  /// Comes and goes with demand.
  case burst
  /// Tries a new template: takes its share of the requests, and nobody waits for it.
  case canary

  /// What a request that is the canary's turn tries first.
  static let canaryOnly: [Pool] = [.canary]
}

/// How a service's callers talk, which decides the shape of errors and what counts as an inference request.
public enum ModelProtocol: String, CaseIterable, Sendable, Codable {
  case openAI = "OpenAI"
  case openInference = "OpenInference"
  case kserveV1 = "KServeV1"
  case http = "HTTP"
}

/// One pod that may answer a service's requests. Its identity is the pod UID: an address may come back as another pod.
public struct Replica: Hashable, Sendable {
  public var podUID: String
  public var address: SocketAddress
  public var pool: Pool
  /// The EndpointSlice says that it serves.
  public var isReady: Bool
  /// It is on its way out: terminating, or named by the controller's drain. It gets no new request.
  public var isLeaving: Bool
  /// Requests it takes at once, over all gateways.
  public var maxConcurrency: Int
  /// When the pod became ready, as the EndpointSlice tells it.
  public var readySince: Date?
  /// How to talk to it; nil: in plain text.
  public var tls: UpstreamTLS?
  /// What it must pass, before the EndpointSlice has ever said that it is ready, to be given requests all the same; nil:
  /// the EndpointSlice alone says it.
  public var readinessProbe: ReadinessProbe?

  public init(
    podUID: String, address: SocketAddress, pool: Pool, isReady: Bool = true, isLeaving: Bool = false,
    maxConcurrency: Int = 64, readySince: Date? = nil, tls: UpstreamTLS? = nil, readinessProbe: ReadinessProbe? = nil
  ) {
    self.podUID = podUID
    self.address = address
    self.pool = pool
    self.isReady = isReady
    self.isLeaving = isLeaving
    self.maxConcurrency = maxConcurrency
    self.readySince = readySince
    self.tls = tls
    self.readinessProbe = readinessProbe
  }
}

/// Why nobody is held for a service although it has no replica: the controller will not wake it now.
public struct Refusal: Hashable, Sendable {
  /// The reason in one CamelCase word, such as `Suspended` or `StartupTimeout`.
  public var reason: String
  /// What the caller is told.
  public var message: String
  /// When the next attempt is made; nil: not before somebody changes the service.
  public var nextAttempt: Date?
  /// Refuse even while replicas are ready (the service is suspended).
  public var always: Bool

  public init(reason: String, message: String, nextAttempt: Date? = nil, always: Bool = false) {
    self.reason = reason
    self.message = message
    self.nextAttempt = nextAttempt
    self.always = always
  }

  /// Whether it holds at a time: when the next attempt is due, the request that comes is the one that makes it.
  func isInForce(wallUnix: Double) -> Bool { nextAttempt.map { $0.timeIntervalSince1970 > wallUnix } ?? true }
}

/// All that a gateway needs to know of one service; immutable, replaced as a whole.
public struct ServiceRoute: Hashable, Sendable {
  public var key: ServiceKey
  /// Creation time as text that sorts (RFC 3339): of two claims to a name the older one holds.
  public var created: String
  /// What the server inside the pods calls the model.
  public var modelName: String
  /// Names that callers may use and that ``modelName`` replaces on the way.
  public var aliases: [String]
  /// Names that callers may use and that are passed on as they are.
  public var adapters: [String]
  /// Host names besides `<name>.<namespace>.<domain>`.
  public var hostnames: [String]
  public var modelProtocol: ModelProtocol
  /// What a replica must pass before it gets a request. A caller's GET on its path never wakes the model.
  public var healthCheck: HealthCheck
  /// Most requests held at once; 0: none is held.
  public var maxHeld: Int
  /// Longest hold.
  public var maxWait: Duration
  /// Pools in order of preference; one that is left out is not used.
  public var order: [Pool]
  /// Longest silence of a replica, before the first byte and between any two.
  public var responseTimeout: Duration
  public var replicas: [Replica]
  public var refusal: Refusal?
  /// `status.drain.epoch` that ``replicas`` reflects.
  public var drainEpoch: Int
  /// How long a cold start took lately, as the controller knows it.
  public var coldStartHint: Duration?
  /// While a request for a stream is held, its caller gets a comment this often; nil: only where it asks for it.
  public var holdKeepAlive: Duration?
  /// How kinds of requests are treated differently; the first that matches applies.
  public var rules: [RouteRule] = []
  /// Requests whose prompts share so many bytes at their beginning prefer one replica, for its cache; nil: none does.
  public var prefixAffinity: Int?
  /// Share of the requests that the canary takes while a replica of it has a slot; 0: there is none.
  public var canaryPercent = 0
  /// Most of ``maxHeld`` that one tenant may have waiting.
  public var tenantSharePercent = 100

  public init(
    key: ServiceKey, created: String = "", modelName: String? = nil, aliases: [String] = [], adapters: [String] = [],
    hostnames: [String] = [], modelProtocol: ModelProtocol = .openAI, healthPath: String? = nil, maxHeld: Int = 1000,
    maxWait: Duration = .seconds(600), order: [Pool] = [.dedicated, .burst], responseTimeout: Duration = .seconds(600),
    replicas: [Replica] = [], refusal: Refusal? = nil, drainEpoch: Int = 0, coldStartHint: Duration? = nil,
    holdKeepAlive: Duration? = nil
  ) {
    self.key = key
    self.created = created
    self.modelName = modelName ?? key.name
    self.aliases = aliases
    self.adapters = adapters
    self.hostnames = hostnames
    self.modelProtocol = modelProtocol
    self.healthCheck = HealthCheck(path: healthPath, modelProtocol: modelProtocol, modelName: self.modelName)
    self.maxHeld = maxHeld
    self.maxWait = maxWait
    self.order = order
    self.responseTimeout = responseTimeout
    self.replicas = replicas
    self.refusal = refusal
    self.drainEpoch = drainEpoch
    self.coldStartHint = coldStartHint
    self.holdKeepAlive = holdKeepAlive
  }

  /// What `name`, used by a caller of this service, becomes for the server inside; nil: it stays as it is.
  public func rename(_ name: String) -> String? {
    if name == modelName || adapters.contains(name) { return nil }
    if name == key.name || aliases.contains(name) || name == key.description { return modelName }
    return nil
  }

  /// Most requests that one tenant may have waiting: its share, and one at least where any is held.
  var tenantLimit: Int { maxHeld == 0 ? 0 : max(1, maxHeld * min(100, max(1, tenantSharePercent)) / 100) }

  /// Whether a caller may use a name that the server inside does not know.
  public var renames: Bool { !aliases.isEmpty || modelName != key.name }
}
