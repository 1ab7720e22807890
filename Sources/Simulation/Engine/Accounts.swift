/// Replica-time of one pool by what the replicas did, in replica-microseconds; exact.
public struct PoolAccount: Hashable, Sendable {
  /// From the start of a replica until it takes requests.
  public var loading: Int64 = 0
  /// With at least one request.
  public var busy: Int64 = 0
  /// Ready, without a request.
  public var idle: Int64 = 0
  /// Finishing its requests before it goes.
  public var draining: Int64 = 0
  public init() {}

  public var total: Int64 { loading + busy + idle + draining }

  public static func += (left: inout PoolAccount, right: PoolAccount) {
    left.loading += right.loading
    left.busy += right.busy
    left.idle += right.idle
    left.draining += right.draining
  }
}

/// What one model did and took.
public struct ModelAccount: Hashable, Sendable {
  public var dedicated = PoolAccount()
  public var burst = PoolAccount()
  public var requests = 0
  /// Requests that did not start at once.
  public var waiting = 0
  /// Sum of all waits, in microseconds.
  public var waited: Int64 = 0
  /// Wakes from zero for a request.
  public var coldStarts = 0
  /// Replicas started for a request that was only expected.
  public var prewarms = 0
  public var promptTokens: Int64 = 0
  public var outputTokens: Int64 = 0
  /// Requests that an overflow endpoint answered, and their tokens.
  public var overflowRequests = 0
  public var overflowPromptTokens: Int64 = 0
  public var overflowOutputTokens: Int64 = 0
  /// Requests whose first token came within the objective.
  public var withinObjective = 0
  /// The most replicas at once, draining ones included.
  public var peakReplicas = 0
  public init() {}

  public static func += (left: inout ModelAccount, right: ModelAccount) {
    left.dedicated += right.dedicated
    left.burst += right.burst
    left.requests += right.requests
    left.waiting += right.waiting
    left.waited += right.waited
    left.coldStarts += right.coldStarts
    left.prewarms += right.prewarms
    left.promptTokens += right.promptTokens
    left.outputTokens += right.outputTokens
    left.overflowRequests += right.overflowRequests
    left.overflowPromptTokens += right.overflowPromptTokens
    left.overflowOutputTokens += right.overflowOutputTokens
    left.withinObjective += right.withinObjective
    left.peakReplicas += right.peakReplicas
  }
}

/// What a policy took for a whole trace.
public struct PolicyOutcome: Sendable {
  public var policy: String
  /// By the trace's index of models; models without a request have none of anything.
  public var models: [ModelAccount]
  /// From arrival to start, per request.
  public var waits: LogHistogram
  /// From arrival to first token, per request.
  public var firstTokens: LogHistogram
  public var timeline: Timeline?
  /// What was found out on the way, such as the window that was best.
  public var note: String?

  /// All models together.
  public var sum: ModelAccount { models.reduce(into: ModelAccount()) { $0 += $1 } }
}
