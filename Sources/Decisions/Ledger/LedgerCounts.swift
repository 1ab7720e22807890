/// What is counted of requests. All numbers are whole, so that sums do not depend on their order.
public struct LedgerCounts: Codable, Hashable, Sendable {
  /// Requests that are over.
  public var requests: Int
  public var promptTokens: Int
  public var outputTokens: Int
  /// Requests among them that had to wait at a gateway.
  public var waits: Int
  public var waitMilliseconds: Int
  /// Time at replicas, from placement to the end of the answer.
  public var servingMilliseconds: Int
  /// Requests that went to an overflow endpoint.
  public var overflowCalls: Int
  /// Their price in millionths of the currency's unit.
  public var overflowMicros: Int

  public init(
    requests: Int = 0, promptTokens: Int = 0, outputTokens: Int = 0, waits: Int = 0, waitMilliseconds: Int = 0,
    servingMilliseconds: Int = 0, overflowCalls: Int = 0, overflowMicros: Int = 0
  ) {
    self.requests = requests
    self.promptTokens = promptTokens
    self.outputTokens = outputTokens
    self.waits = waits
    self.waitMilliseconds = waitMilliseconds
    self.servingMilliseconds = servingMilliseconds
    self.overflowCalls = overflowCalls
    self.overflowMicros = overflowMicros
  }

  /// From a list in the order of ``list``; what is missing is 0.
  public init(list: [Int]) {
    func at(_ index: Int) -> Int { index < list.count ? list[index] : 0 }
    self.init(
      requests: at(0), promptTokens: at(1), outputTokens: at(2), waits: at(3), waitMilliseconds: at(4),
      servingMilliseconds: at(5), overflowCalls: at(6), overflowMicros: at(7))
  }

  /// All counts in one order.
  public var list: [Int] {
    [
      requests, promptTokens, outputTokens, waits, waitMilliseconds, servingMilliseconds, overflowCalls, overflowMicros,
    ]
  }

  public var isZero: Bool { self == LedgerCounts() }
  public var isSane: Bool { list.allSatisfy { $0 >= 0 } }

  // Wrapping: what a peer sends must not end the process.
  private static func combined(_ left: Self, _ right: Self, _ join: (Int, Int) -> Int) -> Self {
    LedgerCounts(list: zip(left.list, right.list).map(join))
  }
  public static func + (left: Self, right: Self) -> Self { combined(left, right, &+) }
  public static func - (left: Self, right: Self) -> Self { combined(left, right, &-) }
  public static func += (left: inout Self, right: Self) { left = left + right }

  private enum CodingKeys: String, CodingKey {
    case requests, promptTokens, outputTokens, waits, waitMilliseconds, servingMilliseconds, overflowCalls
    case overflowMicros
  }

  /// What a neighbour version does not count is 0.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func count(_ key: CodingKeys) throws -> Int { try values.decodeIfPresent(Int.self, forKey: key) ?? 0 }
    self.init(
      requests: try count(.requests), promptTokens: try count(.promptTokens), outputTokens: try count(.outputTokens),
      waits: try count(.waits), waitMilliseconds: try count(.waitMilliseconds),
      servingMilliseconds: try count(.servingMilliseconds), overflowCalls: try count(.overflowCalls),
      overflowMicros: try count(.overflowMicros))
  }
}

/// What a replica does while somebody pays for it.
public enum ReplicaPhase: Int, Hashable, Sendable, CaseIterable {
  /// From its place on a node to its readiness, and whenever it is not ready.
  case loading
  /// Ready, with or without a request.
  case ready
  /// Named to go, or being deleted.
  case draining
}

/// Time of the replicas of one pool, in milliseconds, and how many were started in it.
public struct ReplicaTime: Hashable, Sendable {
  public var loading: Int
  public var ready: Int
  public var draining: Int
  /// The part of ``ready`` with a request in flight.
  public var busy: Int
  /// Replicas that began to load in this time, for whatever reason: a wake, a peak, a request that was only expected.
  public var starts: Int

  public init(loading: Int = 0, ready: Int = 0, draining: Int = 0, busy: Int = 0, starts: Int = 0) {
    self.loading = loading
    self.ready = ready
    self.draining = draining
    self.busy = busy
    self.starts = starts
  }

  /// Somebody pays for all of it.
  public var paid: Int { loading + ready + draining }
  public var idle: Int { max(0, ready - busy) }

  public static func += (left: inout Self, right: Self) {
    left.loading += right.loading
    left.ready += right.ready
    left.draining += right.draining
    left.busy += right.busy
    left.starts += right.starts
  }

  public static func - (left: Self, right: Self) -> Self {
    ReplicaTime(
      loading: left.loading - right.loading, ready: left.ready - right.ready, draining: left.draining - right.draining,
      busy: left.busy - right.busy, starts: left.starts - right.starts)
  }

  mutating func add(_ milliseconds: Int, _ phase: ReplicaPhase) {
    switch phase {
    case .loading: loading += milliseconds
    case .ready: ready += milliseconds
    case .draining: draining += milliseconds
    }
  }
}
