import Decisions

/// Replays one model's requests against the production scaling decision, on virtual time.
///
/// Replicas load for `loadTime`, carry `maxConcurrency` requests each, and take the oldest held request first, as a gateway
/// does. The same ``decideScale(_:_:_:now:)`` that runs in the controller is asked once a second, and at once when a request
/// finds the model asleep.
public struct Replay: Sendable {
  public struct Configuration: Sendable {
    public var policy: ScalingPolicy
    /// From the start of a replica until it takes requests.
    public var loadTime: Duration
    /// For rows without a duration.
    public var serviceTime: Duration
    /// Requests that a replica runs at once.
    public var maxConcurrency: Int
    public init(policy: ScalingPolicy, loadTime: Duration, serviceTime: Duration, maxConcurrency: Int) {
      self.policy = policy
      self.loadTime = loadTime
      self.serviceTime = serviceTime
      self.maxConcurrency = max(1, maxConcurrency)
    }
  }

  private struct Replica {
    var id: Int
    var isReady = false
    var isDraining = false
    var inFlight = 0
  }
  private enum Occurrence: Sendable {
    case tick
    case loaded(replica: Int)
    case finished(replica: Int)
  }

  private let configuration: Configuration
  private var agenda = Agenda<Occurrence>()
  private var state: ScalingState
  private var meter: LoadMeter
  private var usage: UsageMeter
  private var replicas: [Replica] = []
  private var nextReplica = 0
  private var wanted = 0
  private var held: [(arrival: Duration, duration: Duration)] = []
  private var integral = 0.0
  private var integralAt: Duration
  private var isTicking = false
  private var report = ReplayReport()
  private let start: Duration

  /// - Parameter start: the trace's first moment.
  public init(_ configuration: Configuration, start: Duration) {
    self.configuration = configuration
    self.start = start
    let policy = configuration.policy
    state = ScalingState(startedAt: start, holdScaleDownUntil: start)
    meter = LoadMeter(span: max(policy.stableWindow, policy.panicWindow))
    usage = UsageMeter(at: start)
    integralAt = start
    account(at: start)
  }

  /// Takes the next request; requests must come in order of time.
  public mutating func add(_ request: TraceRequest) {
    advance(to: request.time)
    accrue(until: request.time)
    report.requests += 1
    held.append((request.time, request.duration ?? configuration.serviceTime))
    release(at: request.time)
    if !isTicking { decide(at: request.time) }
  }

  /// Lets everything end, and says what it took.
  public mutating func finish() -> ReplayReport {
    let limit = integralAt + configuration.policy.sleepAfter + configuration.loadTime + .seconds(86_400)
    while let (time, _) = agenda.first, time <= limit { advance(to: time) }
    account(at: integralAt)
    report.usage = usage
    report.span = integralAt - start
    return report
  }

  private mutating func advance(to time: Duration) {
    while let (due, occurrence) = agenda.popFirst(through: time) {
      accrue(until: due)
      switch occurrence {
      case .tick:
        isTicking = false
        decide(at: due)
      case .loaded(let id):
        if let index = replicas.firstIndex(where: { $0.id == id }) {
          replicas[index].isReady = true
          release(at: due)
        }
      case .finished(let id):
        if let index = replicas.firstIndex(where: { $0.id == id }) {
          replicas[index].inFlight -= 1
          removeDrained(at: due)
          release(at: due)
        }
      }
    }
  }

  private mutating func decide(at now: Duration) {
    let inFlight = replicas.reduce(0) { $0 + $1.inFlight }
    meter.record(
      LoadSample(
        held: held.count, inFlight: inFlight, requestsTotal: report.requests, concurrencySeconds: integral),
      from: "replay", bootID: "replay", at: now)
    let policy = configuration.policy
    let observation = ScalingObservation(
      held: held.count, inFlight: inFlight,
      stableAverage: meter.average(policy.metric, over: policy.stableWindow, now: now),
      panicAverage: meter.average(policy.metric, over: policy.panicWindow, now: now),
      lastActivity: meter.lastActivity, burstWanted: wanted,
      burstReady: replicas.count { $0.isReady && !$0.isDraining })
    scale(to: decideScale(policy, &state, observation, now: now).burst, at: now)
    if wanted > 0 || !held.isEmpty || inFlight > 0 {
      isTicking = true
      agenda.add(.tick, at: now + .seconds(1))
    }
  }

  private mutating func scale(to target: Int, at now: Duration) {
    if wanted == 0, target > 0 { report.coldStarts += 1 }
    wanted = target
    var serving = replicas.count { !$0.isDraining }
    while serving < target {
      replicas.append(Replica(id: nextReplica))
      agenda.add(.loaded(replica: nextReplica), at: now + configuration.loadTime)
      nextReplica += 1
      serving += 1
    }
    while serving > target, let index = victim() {
      replicas[index].isDraining = true
      serving -= 1
    }
    removeDrained(at: now)
    account(at: now)
  }

  /// Not ready first, then the least busy, then the youngest, as the controller drains.
  private func victim() -> Int? {
    replicas.indices.filter { !replicas[$0].isDraining }.min {
      let (left, right) = (replicas[$0], replicas[$1])
      return (left.isReady ? 1 : 0, left.inFlight, -left.id) < (right.isReady ? 1 : 0, right.inFlight, -right.id)
    }
  }

  private mutating func removeDrained(at now: Duration) {
    replicas.removeAll { $0.isDraining && $0.inFlight == 0 }
    account(at: now)
  }

  private mutating func release(at now: Duration) {
    var released = 0
    while released < held.count {
      let free = replicas.indices.filter {
        replicas[$0].isReady && !replicas[$0].isDraining && replicas[$0].inFlight < configuration.maxConcurrency
      }
      guard let index = free.min(by: { replicas[$0].inFlight < replicas[$1].inFlight }) else { break }
      replicas[index].inFlight += 1
      let request = held[released]
      released += 1
      report.waits.append(now - request.arrival)
      agenda.add(.finished(replica: replicas[index].id), at: now + request.duration)
    }
    held.removeFirst(released)
  }

  private mutating func accrue(until now: Duration) {
    let load = Double(held.count + replicas.reduce(0) { $0 + $1.inFlight })
    integral += load * max(0, (now - integralAt) / .seconds(1))
    integralAt = max(integralAt, now)
  }

  private mutating func account(at now: Duration) { usage.advance(to: now, dedicated: 0, burst: replicas.count) }
}
