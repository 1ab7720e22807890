import KubernetesAPI

/// `spec` of an InferenceService, with the defaults of the schema filled in. What has no static default is optional here;
/// ``InferenceService`` computes its effective value.
public struct InferenceServiceSpec: Hashable, Sendable {
  /// Neither replicas nor wakes are wanted.
  public let suspend: Bool
  public let model: ModelSpec
  /// `{metadata, spec}` of a pod, opaque.
  public let template: JSONValue
  public let dedicated: DedicatedSpec
  public let burst: BurstSpec
  /// In order of preference.
  public let overflow: [OverflowTarget]
  public let scaling: ScalingSpec
  public let queue: QueueSpec
  public let timeouts: TimeoutsSpec
  public let routing: RoutingSpec
  public let rollout: RolloutSpec
  /// Nil: everybody may call.
  public let access: AccessSpec?
  /// Nil: the installation's defaults.
  public let economics: EconomicsSpec?

  /// From the JSON of a spec that is pruned, defaulted and valid by the schema.
  init(defaulted json: JSONValue) {
    let reader = FieldReader(json)
    suspend = reader.flag("suspend") ?? false
    model = ModelSpec(reader.block("model"))
    template = json["template"] ?? [:]
    dedicated = DedicatedSpec(reader.block("dedicated"))
    burst = BurstSpec(reader.block("burst"))
    overflow = reader.blocks("overflow").compactMap(OverflowTarget.init)
    scaling = ScalingSpec(reader.block("scaling"))
    queue = QueueSpec(reader.block("queue"))
    timeouts = TimeoutsSpec(reader.block("timeouts"))
    routing = RoutingSpec(reader.block("routing"))
    rollout = RolloutSpec(reader.block("rollout"))
    access = reader.optionalBlock("access").map(AccessSpec.init)
    economics = reader.optionalBlock("economics").map(EconomicsSpec.init)
  }
}

/// `spec.model`.
public struct ModelSpec: Hashable, Sendable {
  /// What the server in the pods calls the model; nil: the object's name.
  public let name: String?
  /// Other names that callers may use; replaced on the way.
  public let aliases: [String]
  /// Names of adapters, passed on as they are.
  public let adapters: [String]
  public let `protocol`: InferenceProtocol
  /// Number or name of a container port; nil: the first port of the first container.
  public let port: JSONValue?
  /// Nil: by protocol.
  public let healthPath: String?
  public let hostnames: [String]

  init(_ reader: FieldReader) {
    name = reader.text("name")
    aliases = reader.texts("aliases")
    adapters = reader.blocks("adapters").compactMap { $0.text("name") }
    `protocol` = reader.word("protocol") ?? .openAI
    port = reader.json["port"]
    healthPath = reader.text("healthPath")
    hostnames = reader.texts("hostnames")
  }
}

/// `spec.queue`.
public struct QueueSpec: Hashable, Sendable {
  /// Most requests that wait; 0: none does.
  public let maxRequests: Int
  public let maxWait: Duration
  public let tenantSharePercent: Int

  init(_ reader: FieldReader) {
    maxRequests = reader.integer("maxRequests") ?? 1000
    maxWait = reader.duration("maxWait") ?? .seconds(600)
    tenantSharePercent = reader.integer("tenantSharePercent") ?? 100
  }
}

/// `spec.timeouts`.
public struct TimeoutsSpec: Hashable, Sendable {
  /// From the creation of a pod to Ready.
  public let startup: Duration
  /// Longest silence of a replica that answers.
  public let response: Duration
  /// How long a replica that leaves may finish its requests.
  public let drain: Duration

  init(_ reader: FieldReader) {
    startup = reader.duration("startup") ?? .seconds(1800)
    response = reader.duration("response") ?? .seconds(600)
    drain = reader.duration("drain") ?? .seconds(300)
  }
}
