/// Replays one trace under several policies at once: the trace is read once, however many there are.
public struct Simulator {
  /// A policy under its own settings.
  public struct Contender: Sendable {
    public var name: String
    public var policy: SimulatedPolicy
    public var settings: SimulationSettings
    public init(name: String? = nil, policy: SimulatedPolicy, settings: SimulationSettings) {
      self.name = name ?? policy.description
      self.policy = policy
      self.settings = settings
    }
  }

  /// Requests that are handed to a policy at once: enough that changing between policies costs nothing.
  static let batchSize = 4096

  private let contenders: [Contender]
  private var runs: [any PolicyRun]
  /// What costs are compared with, where it is not among the contenders; its settings are those of the first one.
  private var optimum: (any PolicyRun)?
  private var alwaysOn: (any PolicyRun)?
  private var batch: [TraceRequest] = []
  private var first: Int64?
  private var last: Int64 = 0
  public private(set) var requests = 0

  /// - Parameter bestWindow: for the policy `best-fixed`: what a ``BestFixedSearch`` over the same trace found.
  public init(_ contenders: [Contender], bestWindow: Int64? = nil) {
    self.contenders = contenders
    runs = contenders.map { $0.policy.run($0.name, $0.settings, bestWindow: bestWindow) }
    batch.reserveCapacity(Self.batchSize)
    guard let settings = contenders.first?.settings else { return }
    if settings.isOneReplica {
      if !contenders.contains(where: { $0.policy == .optimum }) {
        optimum = SimulatedPolicy.optimum.run("optimum", settings, bestWindow: nil)
      }
    } else if !contenders.contains(where: { $0.policy == .alwaysOn }) {
      alwaysOn = SimulatedPolicy.alwaysOn.run("always-on", settings, bestWindow: nil)
    }
  }

  /// Takes the next request; requests must come in order of time.
  @inline(__always)
  public mutating func add(_ request: TraceRequest) {
    batch.append(request)
    if batch.count == Self.batchSize { flush() }
  }

  private mutating func flush() {
    guard let first = batch.first, let last = batch.last else { return }
    if self.first == nil { self.first = first.timeMicroseconds }
    self.last = last.timeMicroseconds
    requests += batch.count
    for index in runs.indices { runs[index].add(batch) }
    optimum?.add(batch)
    alwaysOn?.add(batch)
    batch.removeAll(keepingCapacity: true)
  }

  /// Lets everything end.
  /// - Parameter models: names by index.
  public mutating func finish(models: [String]) -> SimulationResult {
    flush()
    let outcomes = runs.indices.map { runs[$0].finish(at: last) }
    func outcome(of policy: SimulatedPolicy) -> PolicyOutcome? {
      contenders.firstIndex { $0.policy == policy }.map { outcomes[$0] }
    }
    return SimulationResult(
      contenders: contenders, outcomes: outcomes, models: models, start: first ?? 0, end: last, requests: requests,
      optimum: outcome(of: .optimum) ?? optimum?.finish(at: last),
      alwaysOn: outcome(of: .alwaysOn) ?? alwaysOn?.finish(at: last))
  }
}

/// What came of a simulation.
public struct SimulationResult: Sendable {
  public var contenders: [Simulator.Contender]
  /// One for each contender.
  public var outcomes: [PolicyOutcome]
  /// Names by index.
  public var models: [String]
  /// The times of the first and the last request, in microseconds of the trace.
  public var start: Int64
  public var end: Int64
  public var requests: Int
  /// The clairvoyant optimum; nil where it is not defined.
  public var optimum: PolicyOutcome?
  /// As many replicas as at the peak, all the time; nil: one per model.
  public var alwaysOn: PolicyOutcome?

  public var seconds: Double { Double(end - start) / 1e6 }
}
