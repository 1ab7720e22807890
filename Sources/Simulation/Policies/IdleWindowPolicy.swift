/// What becomes of a model that has nothing to do, in microseconds from the moment its last request ended.
public struct IdlePlan: Hashable, Sendable {
  /// How long the replica stays; `Int64.max`: for good.
  public var keep: Int64
  /// Replicas that are started for requests that are expected; in order, apart from each other, and later than `keep`.
  public var prewarms: [Prewarm]

  public struct Prewarm: Hashable, Sendable {
    /// When it is started.
    public var after: Int64
    /// When it goes if no request came.
    public var until: Int64
    public init(after: Int64, until: Int64) {
      self.after = after
      self.until = until
    }
  }

  public init(keep: Int64, prewarms: [Prewarm] = []) {
    self.keep = max(0, keep)
    self.prewarms = prewarms
  }

  /// A replica is wanted after so long, for a request that is expected.
  func isExpected(after idle: Int64) -> Bool { prewarms.contains { idle >= $0.after && idle < $0.until } }

  /// A replica is wanted after so long.
  func isAwake(after idle: Int64) -> Bool {
    idle < keep || isExpected(after: idle)
  }

  /// The next moment at which ``isAwake(after:)`` may change; `Int64.max`: it does not any more.
  func nextChange(after idle: Int64) -> Int64 {
    if idle < keep { return keep }
    for prewarm in prewarms {
      if idle < prewarm.after { return prewarm.after }
      if idle < prewarm.until { return prewarm.until }
    }
    return .max
  }
}

/// Decides how long a model's last replica stays once nothing is in flight or held. Moments are in microseconds.
public protocol IdleWindowPolicy: Sendable {
  /// A plan depends on other models' past: then plans are asked for and gaps noted in order of time over all models.
  var learnsAcrossModels: Bool { get }
  /// The replica is there before the first request too, and never loads.
  var isAlwaysOn: Bool { get }
  /// Called when a model becomes idle.
  mutating func plan(model: Int, idleSince: Int64) -> IdlePlan
  /// Called when a request ends an idle period, before it is served.
  mutating func noteGap(model: Int, idleSince: Int64, gap: Int64)
}

extension IdleWindowPolicy {
  public var learnsAcrossModels: Bool { false }
  public var isAlwaysOn: Bool { false }
  public mutating func noteGap(model: Int, idleSince: Int64, gap: Int64) {}
}

/// The same window for every model, always.
public struct FixedWindow: IdleWindowPolicy {
  public let window: Int64
  public init(window: Int64) { self.window = window }
  @inline(__always)
  public mutating func plan(model: Int, idleSince: Int64) -> IdlePlan { IdlePlan(keep: window) }
}

/// A replica that never goes.
public struct AlwaysOn: IdleWindowPolicy {
  public init() {}
  public var isAlwaysOn: Bool { true }
  public mutating func plan(model: Int, idleSince: Int64) -> IdlePlan { IdlePlan(keep: .max) }
}
