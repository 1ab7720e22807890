/// What is measured to decide how many replicas a model needs.
public enum ScalingMetric: String, Hashable, Sendable {
  /// Requests held or in flight at a moment, averaged over a window.
  case concurrency = "Concurrency"
  /// Requests that arrived per second, averaged over a window.
  case requestsPerSecond = "RequestsPerSecond"
  /// Tokens of prompts and answers per second, counted as answers end, averaged over a window.
  case tokensPerSecond = "TokensPerSecond"
}

/// How one model scales: its owner's wishes, with every default filled in. Replicas count pods.
public struct ScalingPolicy: Hashable, Sendable {
  public var metric: ScalingMetric
  /// Load that one burst replica should carry, in units of `metric`; above 0.
  public var target: Double
  /// Load that one dedicated replica should carry: differs from `target` where its hardware does.
  public var dedicatedTarget: Double
  /// Average that steers the number of replicas.
  public var stableWindow: Duration
  /// Average that finds a sudden rise; shorter than `stableWindow`.
  public var panicWindow: Duration
  /// Load over the panic window, in percent of what the ready replicas should carry, from which nothing is scaled down.
  public var panicThresholdPercent: Int
  /// How long a lower need must last before replicas go.
  public var scaleDownDelay: Duration
  /// How long after the last need for the burst pool its last replica goes.
  public var sleepAfter: Duration
  /// How ``sleepAfter`` was chosen; nil: the owner chose it.
  public var idleWindow: IdleWindowChoice?
  /// Replicas that are always on.
  public var dedicatedReplicas: Int
  /// Most replicas of the burst pool, on top of the dedicated ones; 0: no burst.
  public var maxBurstReplicas: Int
  /// Burst replicas kept ready beyond demand while any burst replica is wanted.
  public var spareBurstReplicas: Int
  /// Requests that a burst replica works on at once: the slots that an ``objective`` counts with.
  public var maxConcurrency: Int
  /// The same of a dedicated replica.
  public var dedicatedMaxConcurrency: Int
  /// Replicas are also added for this; nil: only for `metric`.
  public var objective: LatencyObjective?
  /// The owner wants neither replicas nor wakes.
  public var isSuspended: Bool

  public init(
    metric: ScalingMetric = .concurrency, target: Double = 8, dedicatedTarget: Double? = nil,
    stableWindow: Duration = .seconds(60), panicWindow: Duration = .seconds(6), panicThresholdPercent: Int = 200,
    scaleDownDelay: Duration = .seconds(300), sleepAfter: Duration = .seconds(600), dedicatedReplicas: Int = 0,
    maxBurstReplicas: Int = 1, spareBurstReplicas: Int = 0, maxConcurrency: Int = 16,
    dedicatedMaxConcurrency: Int? = nil,
    objective: LatencyObjective? = nil, isSuspended: Bool = false
  ) {
    self.metric = metric
    self.target = target
    self.dedicatedTarget = dedicatedTarget ?? target
    self.stableWindow = stableWindow
    self.panicWindow = panicWindow
    self.panicThresholdPercent = panicThresholdPercent
    self.scaleDownDelay = scaleDownDelay
    self.sleepAfter = sleepAfter
    self.dedicatedReplicas = dedicatedReplicas
    self.maxBurstReplicas = maxBurstReplicas
    self.spareBurstReplicas = spareBurstReplicas
    self.maxConcurrency = maxConcurrency
    self.dedicatedMaxConcurrency = dedicatedMaxConcurrency ?? maxConcurrency
    self.objective = objective
    self.isSuspended = isSuspended
  }

  /// Most that a tick multiplies the ready replicas by (Knative's `max-scale-up-rate`).
  public static let maxScaleUpRate = 1000.0
  /// Most that a tick divides the ready replicas by (Knative's `max-scale-down-rate`).
  public static let maxScaleDownRate = 2.0
}
