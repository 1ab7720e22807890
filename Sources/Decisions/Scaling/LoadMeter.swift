/// What one gateway says about one model.
public struct LoadSample: Hashable, Sendable {
  public var held: Int
  public var inFlight: Int
  /// Requests since the gateway's start.
  public var requestsTotal: Int
  /// Integral of `held + inFlight` since the gateway's start, in request-seconds.
  public var concurrencySeconds: Double
  /// How long ago the last request came, by the gateway's clock; nil: none came.
  public var lastRequestAge: Duration?
  /// Tokens of prompts and answers since the gateway's start; nil: it does not know.
  public var tokensTotal: Int?
  /// How long answers took; nil: it does not measure.
  public var service: ServiceTotals?
  public init(
    held: Int = 0, inFlight: Int = 0, requestsTotal: Int = 0, concurrencySeconds: Double = 0,
    lastRequestAge: Duration? = nil, tokensTotal: Int? = nil, service: ServiceTotals? = nil
  ) {
    self.held = held
    self.inFlight = inFlight
    self.requestsTotal = requestsTotal
    self.concurrencySeconds = concurrencySeconds
    self.lastRequestAge = lastRequestAge
    self.tokensTotal = tokensTotal
    self.service = service
  }
}

/// Adds up what all gateways say about one model, and averages it over windows.
///
/// Gateways send cumulative counters, so a lost snapshot loses nothing. Between snapshots, and while a gateway cannot be
/// read, its last counts hold: missing data is not zero. A gateway's counts go only when it is told to have left.
public struct LoadMeter: Hashable, Sendable {
  private struct Gateway: Hashable, Sendable {
    var bootID: String
    var sample: LoadSample
    var at: Duration
    /// Requests per second between the last two samples.
    var requestRate: Double
    /// The same of tokens; nil: it does not know them.
    var tokenRate: Double?
    /// When it last had a request or news of one; nil: never.
    var activeAt: Duration?
  }
  private var gateways: [String: Gateway] = [:]
  private var concurrency: LoadWindow
  private var requests: LoadWindow
  private var tokens: LoadWindow
  private var service = ServiceMeter()
  /// Nil: nobody has asked for an objective.
  private var bursts: RehearsedPools?
  /// With ``bursts``.
  private var lateRequests = LateRequests()
  private var span: Duration
  /// When the present run of load began: a window that reaches further back is averaged over this run only, so that the
  /// first second after a sleep counts in full (Knative's partial windows).
  private var runStart: Duration?
  /// When a request was last seen held, in flight or arriving; nil: never.
  public private(set) var lastActivity: Duration?
  /// When a request was last seen to wait; nil: never.
  private var lastHeld: Duration?
  /// The requests that ended the last silence, and when: the windows spread them over all of it.
  private var woke: Duration?
  private var wokeBy = 0.0

  /// - Parameter span: the longest window that will be asked for.
  public init(span: Duration) {
    self.span = span
    concurrency = LoadWindow(span: span)
    requests = LoadWindow(span: span)
    tokens = LoadWindow(span: span)
  }

  public var held: Int { gateways.values.reduce(0) { $0 + $1.sample.held } }
  public var inFlight: Int { gateways.values.reduce(0) { $0 + $1.sample.inFlight } }
  /// Nothing is held or in flight anywhere, as far as is known.
  public var isQuiet: Bool { gateways.values.allSatisfy { $0.sample.held == 0 && $0.sample.inFlight == 0 } }

  /// Takes a gateway's counters at a moment.
  public mutating func record(_ sample: LoadSample, from gateway: String, bootID: String, at now: Duration) {
    let previous = gateways[gateway]
    var rate = 0.0
    var tokenRate = sample.tokensTotal.map { _ in 0.0 }
    var activeAt = previous?.activeAt ?? (sample.isBusy ? now : nil)
    if let previous, now >= previous.at {
      let isSameBoot = previous.bootID == bootID
      // After a restart the counters began at zero: all of them is new. Counters that fall without one are not believed.
      let arrived = sample.requestsTotal - (isSameBoot ? previous.sample.requestsTotal : 0)
      let integral = sample.concurrencySeconds - (isSameBoot ? previous.sample.concurrencySeconds : 0)
      let busy = arrived > 0 || sample.isBusy || previous.sample.isBusy
      if busy {
        noteActivity(from: previous.at, now: now)
        activeAt = now
      }
      concurrency.add(integral, from: previous.at, to: now)
      requests.add(Double(arrived), from: previous.at, to: now)
      bursts?.add(Double(arrived), from: previous.at, to: now)
      // Below half a second, the rate of an interval says nothing.
      let elapsed = (now - previous.at).inSeconds
      if arrived > 0, elapsed > 1, !previous.sample.isBusy {
        (woke, wokeBy) = (now, Double(arrived) * (1 - 1 / elapsed))
      }
      rate = elapsed >= 0.5 ? max(0, Double(arrived)) / elapsed : previous.requestRate
      if let total = sample.tokensTotal {
        // It did not know until now because no answer had told.
        let base = isSameBoot ? previous.sample.tokensTotal ?? 0 : 0
        tokens.add(Double(total - base), from: previous.at, to: now)
        tokenRate = elapsed >= 0.5 ? max(0, Double(total - base)) / elapsed : previous.tokenRate
      }
    } else {
      // First sight: how the counters came about is not known, so they are only a base to count from.
      if sample.isBusy { noteActivity(from: now, now: now) }
      if let age = sample.lastRequestAge {
        let moment = now - max(.zero, age)
        lastActivity = max(lastActivity ?? moment, moment)
      }
    }
    if let totals = sample.service { service.record(totals, from: gateway, bootID: bootID, at: now) }
    if sample.held > 0 || previous?.sample.held ?? 0 > 0 { lastHeld = now }
    var sample = sample
    sample.service = nil
    gateways[gateway] = Gateway(
      bootID: bootID, sample: sample, at: now, requestRate: sample.isBusy ? rate : 0,
      tokenRate: sample.isBusy ? tokenRate : tokenRate.map { _ in 0 }, activeAt: activeAt)
  }

  /// A snapshot of the gateway came without this model: it carries nothing, and its counters stand still.
  public mutating func recordAbsence(from gateway: String, bootID: String, at now: Duration) {
    guard let previous = gateways[gateway] else { return }
    guard previous.bootID == bootID else {
      gateways[gateway] = nil
      return
    }
    if previous.sample.isBusy { noteActivity(from: previous.at, now: now) }
    var sample = previous.sample
    sample.held = 0
    sample.inFlight = 0
    gateways[gateway] = Gateway(
      bootID: bootID, sample: sample, at: now, requestRate: 0, tokenRate: sample.tokensTotal.map { _ in 0 },
      activeAt: previous.activeAt)
  }

  /// Remembers at least `span` from now on. A longer memory begins empty, as after a sleep; counts stay.
  public mutating func reserve(_ span: Duration) {
    guard span > self.span else { return }
    self.span = span
    concurrency = LoadWindow(span: span)
    requests = LoadWindow(span: span)
    tokens = LoadWindow(span: span)
    runStart = nil
  }

  /// The gateway is no more: its requests are gone, whatever it said last.
  public mutating func remove(gateway: String) {
    gateways[gateway] = nil
    service.remove(gateway: gateway)
  }

  /// Average of a metric over the time from `now - window` to `now`; nil: a gateway with requests does not measure it.
  public func average(_ metric: ScalingMetric, over window: Duration, now: Duration) -> Double? {
    if metric == .tokensPerSecond, lacksTokens(since: now - window) { return nil }
    guard let runStart else { return 0 }
    let counted: Double
    switch metric {
    case .concurrency:
      counted =
        concurrency.sum(over: window, until: now)
        + assumed(over: window, now: now) { Double($0.sample.held + $0.sample.inFlight) }
    case .requestsPerSecond:
      counted = requests.sum(over: window, until: now) + assumed(over: window, now: now, rate: \.requestRate)
    case .tokensPerSecond:
      counted = tokens.sum(over: window, until: now) + assumed(over: window, now: now) { $0.tokenRate ?? 0 }
    }
    // The buckets know no less than a second.
    let elapsed = max(1, min(window.inSeconds, (now - runStart).inSeconds))
    return counted / elapsed
  }

  /// Times to the first token of late, by how busy the replica was.
  public var recentFirstTokens: [SampleSums] { service.recent.firstTokens }

  /// Looks at the seconds that have passed, where there is an objective whose bursts are to be remembered. To be called before
  /// each ``read(_:now:)``.
  public mutating func watchBursts(for objective: LatencyObjective?, now: Duration) {
    guard let objective else {
      if bursts != nil {
        bursts = nil
        lateRequests = LateRequests()
      }
      return
    }
    // Taken out while it changes, so that nothing is copied.
    var pools = bursts ?? RehearsedPools()
    bursts = nil
    pools.advance(to: now, occupied: service.occupied, objective: objective.seconds)
    bursts = pools
    // What a silent gateway holds says nothing of those that come to the others.
    let held = gateways.values.reduce(0) { now - $1.at <= .seconds(2) ? $0 + $1.sample.held : $0 }
    let atReplica =
      service.occupied == nil ? 0 : FirstTokenTimes(service.recent.firstToken).mean(within: objective.seconds)
    let patience = min(objective.seconds - atReplica, span.inSeconds - 6)
    lateRequests.note(requests, held: held, patience: max(0, patience), now: now)
  }

  /// What the policy's objective is decided on; nil: it has none.
  func service(_ policy: ScalingPolicy, now: Duration) -> ServiceObservation? {
    guard let objective = policy.objective else { return nil }
    let isMeasured = service.occupied != nil
    let firstToken = isMeasured ? service.recent.firstToken : SampleSums()
    let allowed = lateRequests.allowedShare(objective)
    let burstSlots = bursts?.slots(lateShare: allowed, objective, firstToken)
    return ServiceObservation(
      firstToken: firstToken, occupied: isMeasured ? service.recent.occupied : SampleSums(),
      arrivalVariation: service.arrivalVariation,
      stableArrivals: arrivalRate(over: policy.stableWindow, knowsBursts: burstSlots != nil, now: now),
      panicArrivals: arrivalRate(over: policy.panicWindow, knowsBursts: burstSlots != nil, now: now),
      burstSlots: burstSlots, inTimeShare: lateRequests.inTimeShare,
      allowedLateShare: burstSlots == nil ? nil : allowed)
  }

  /// Arrivals per second, for an objective. Where what bursts need is known, a window that reaches back before the load began
  /// counts as a whole: what a burst needs is ready. Else it is averaged since then, and the request that began the load says
  /// nothing of a rate.
  private func arrivalRate(over window: Duration, knowsBursts: Bool, now: Duration) -> Double {
    let rate = average(.requestsPerSecond, over: window, now: now) ?? 0
    guard let runStart, now - runStart < window else { return rate }
    let elapsed = max(1, (now - runStart).inSeconds)
    return knowsBursts ? rate * min(1, elapsed / window.inSeconds) : max(0, rate - 1 / elapsed)
  }

  /// Requests that would be at replicas now, had none of them waited: what arrivals ask for, whatever ran.
  ///
  /// Without a wait that is what is in flight. While requests wait, and as long after as those may run that did, it is what came
  /// within the mean time at a replica (Little's law), and no more than there is: a queue that a cold start made is not demand.
  /// Where it cannot be known it is too little rather than too much.
  public func unhindered(now: Duration) -> Int {
    guard let lastHeld else { return inFlight }
    guard let mean = service.recent.occupied.mean else { return min(1, held + inFlight) }
    let time = Duration.milliseconds(Int64(min(span.inSeconds, mean) * 1000))
    guard now - lastHeld <= time + time else { return inFlight }
    let first = woke.map { now - $0 < time } ?? false ? wokeBy : 0
    return min(held + inFlight, Int((requestCount(over: time, now: now) + first).rounded()))
  }

  /// Requests that arrived between `now - window` and `now`, as far as gateways have said.
  public func requestCount(over window: Duration, now: Duration) -> Double { requests.sum(over: window, until: now) }

  /// A gateway that had requests since `moment` does not know their tokens.
  private func lacksTokens(since moment: Duration) -> Bool {
    gateways.values.contains { $0.sample.tokensTotal == nil && ($0.sample.isBusy || $0.activeAt ?? moment > moment) }
  }

  /// What accrued since each gateway's last word, if nothing changed there.
  private func assumed(over window: Duration, now: Duration, rate: (Gateway) -> Double) -> Double {
    gateways.values.reduce(0) { $0 + rate($1) * max(0, min(window, now - $1.at).inSeconds) }
  }

  private mutating func noteActivity(from start: Duration, now: Duration) {
    if let lastActivity, now - lastActivity <= span, runStart != nil {
      self.lastActivity = max(lastActivity, now)
    } else {
      runStart = max(start, now - .seconds(1))
      lastActivity = now
    }
  }
}

extension LoadSample {
  fileprivate var isBusy: Bool { held > 0 || inFlight > 0 }
}
