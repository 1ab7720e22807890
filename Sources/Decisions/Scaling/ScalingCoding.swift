// Policy, state and observation as they are recorded: every input of a decision, with names that stay. Durations are in
// seconds. A member that a reader does not find has its default, so that neighbouring versions read each other's records.

extension LatencyObjective: Codable {
  private enum CodingKeys: String, CodingKey { case timeToFirstToken, percentile }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      timeToFirstToken: try values.seconds(.timeToFirstToken) ?? .zero,
      percentile: try values.decode(Int.self, forKey: .percentile))
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(seconds: timeToFirstToken, .timeToFirstToken)
    try values.encode(percentile, forKey: .percentile)
  }
}

extension ScalingMetric: Codable {}
extension ScalingReason: Codable {}

extension ScalingPolicy: Codable {
  private enum CodingKeys: String, CodingKey {
    case metric, target, dedicatedTarget, stableWindow, panicWindow, panicThresholdPercent, scaleDownDelay, sleepAfter
    case idleWindow
    case dedicatedReplicas, maxBurstReplicas, spareBurstReplicas, maxConcurrency, dedicatedMaxConcurrency, objective
    case suspended
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    metric = try values.decode(ScalingMetric.self, forKey: .metric)
    target = try values.decode(Double.self, forKey: .target)
    dedicatedTarget = try values.decodeIfPresent(Double.self, forKey: .dedicatedTarget) ?? target
    stableWindow = try values.seconds(.stableWindow) ?? stableWindow
    panicWindow = try values.seconds(.panicWindow) ?? panicWindow
    panicThresholdPercent =
      try values.decodeIfPresent(Int.self, forKey: .panicThresholdPercent) ?? panicThresholdPercent
    scaleDownDelay = try values.seconds(.scaleDownDelay) ?? scaleDownDelay
    sleepAfter = try values.seconds(.sleepAfter) ?? sleepAfter
    idleWindow = try values.decodeIfPresent(IdleWindowChoice.self, forKey: .idleWindow)
    dedicatedReplicas = try values.decodeIfPresent(Int.self, forKey: .dedicatedReplicas) ?? 0
    maxBurstReplicas = try values.decodeIfPresent(Int.self, forKey: .maxBurstReplicas) ?? maxBurstReplicas
    spareBurstReplicas = try values.decodeIfPresent(Int.self, forKey: .spareBurstReplicas) ?? 0
    maxConcurrency = try values.decodeIfPresent(Int.self, forKey: .maxConcurrency) ?? maxConcurrency
    dedicatedMaxConcurrency = try values.decodeIfPresent(Int.self, forKey: .dedicatedMaxConcurrency) ?? maxConcurrency
    objective = try values.decodeIfPresent(LatencyObjective.self, forKey: .objective)
    isSuspended = try values.decodeIfPresent(Bool.self, forKey: .suspended) ?? false
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(metric, forKey: .metric)
    try values.encode(target, forKey: .target)
    if dedicatedTarget != target { try values.encode(dedicatedTarget, forKey: .dedicatedTarget) }
    try values.encode(seconds: stableWindow, .stableWindow)
    try values.encode(seconds: panicWindow, .panicWindow)
    try values.encode(panicThresholdPercent, forKey: .panicThresholdPercent)
    try values.encode(seconds: scaleDownDelay, .scaleDownDelay)
    try values.encode(seconds: sleepAfter, .sleepAfter)
    try values.encodeIfPresent(idleWindow, forKey: .idleWindow)
    try values.encode(dedicatedReplicas, forKey: .dedicatedReplicas)
    try values.encode(maxBurstReplicas, forKey: .maxBurstReplicas)
    if spareBurstReplicas != 0 { try values.encode(spareBurstReplicas, forKey: .spareBurstReplicas) }
    try values.encode(maxConcurrency, forKey: .maxConcurrency)
    if dedicatedMaxConcurrency != maxConcurrency {
      try values.encode(dedicatedMaxConcurrency, forKey: .dedicatedMaxConcurrency)
    }
    try values.encodeIfPresent(objective, forKey: .objective)
    if isSuspended { try values.encode(true, forKey: .suspended) }
  }
}

extension ScalingState: Codable {
  private enum CodingKeys: String, CodingKey {
    case startedAt, holdScaleDownUntil, panicSince, panicPeak, lastNeeded, recentWishes
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      startedAt: try values.seconds(.startedAt) ?? .zero,
      holdScaleDownUntil: try values.seconds(.holdScaleDownUntil) ?? .zero)
    panicSince = try values.seconds(.panicSince)
    panicPeak = try values.decodeIfPresent(Int.self, forKey: .panicPeak) ?? 0
    lastNeeded = try values.seconds(.lastNeeded)
    recentWishes = try values.decodeIfPresent([Wish].self, forKey: .recentWishes) ?? []
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(seconds: startedAt, .startedAt)
    try values.encode(seconds: holdScaleDownUntil, .holdScaleDownUntil)
    try values.encode(seconds: panicSince, .panicSince)
    if panicPeak != 0 { try values.encode(panicPeak, forKey: .panicPeak) }
    try values.encode(seconds: lastNeeded, .lastNeeded)
    if !recentWishes.isEmpty { try values.encode(recentWishes, forKey: .recentWishes) }
  }

  /// The same state on a clock that reads `offset` less.
  public func moved(by offset: Duration) -> ScalingState {
    var state = ScalingState(startedAt: startedAt - offset, holdScaleDownUntil: holdScaleDownUntil - offset)
    state.panicSince = panicSince.map { $0 - offset }
    state.panicPeak = panicPeak
    state.lastNeeded = lastNeeded.map { $0 - offset }
    state.recentWishes = recentWishes.map { Wish(at: $0.at - offset, replicas: $0.replicas) }
    return state
  }
}

extension ScalingState.Wish: Codable {
  private enum CodingKeys: String, CodingKey { case at, replicas }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(at: try values.seconds(.at) ?? .zero, replicas: try values.decode(Int.self, forKey: .replicas))
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(seconds: at, .at)
    try values.encode(replicas, forKey: .replicas)
  }
}

extension ScalingObservation: Codable {
  private enum CodingKeys: String, CodingKey {
    case held, inFlight, stableAverage, panicAverage, lastActivity, complete, activated, dedicatedReplicas
    case dedicatedReady, burstWanted, burstReady, wakeNotBefore, service, advisedTarget, expected
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func count(_ key: CodingKeys) throws -> Int { try values.decodeIfPresent(Int.self, forKey: key) ?? 0 }
    self.init(
      held: try count(.held), inFlight: try count(.inFlight),
      stableAverage: try values.decodeIfPresent(Double.self, forKey: .stableAverage),
      panicAverage: try values.decodeIfPresent(Double.self, forKey: .panicAverage),
      lastActivity: try values.seconds(.lastActivity),
      isComplete: try values.decodeIfPresent(Bool.self, forKey: .complete) ?? true,
      isActivated: try values.decodeIfPresent(Bool.self, forKey: .activated) ?? false,
      dedicatedReplicas: try count(.dedicatedReplicas), dedicatedReady: try count(.dedicatedReady),
      burstWanted: try count(.burstWanted), burstReady: try count(.burstReady),
      wakeNotBefore: try values.seconds(.wakeNotBefore),
      service: try values.decodeIfPresent(ServiceObservation.self, forKey: .service),
      advisedTarget: try values.decodeIfPresent(Int.self, forKey: .advisedTarget))
    isExpected = try values.decodeIfPresent(Bool.self, forKey: .expected) ?? false
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(held, forKey: .held)
    try values.encode(inFlight, forKey: .inFlight)
    try values.encodeIfPresent(stableAverage, forKey: .stableAverage)
    try values.encodeIfPresent(panicAverage, forKey: .panicAverage)
    try values.encode(seconds: lastActivity, .lastActivity)
    if !isComplete { try values.encode(false, forKey: .complete) }
    if isActivated { try values.encode(true, forKey: .activated) }
    try values.encode(dedicatedReplicas, forKey: .dedicatedReplicas)
    try values.encode(dedicatedReady, forKey: .dedicatedReady)
    try values.encode(burstWanted, forKey: .burstWanted)
    try values.encode(burstReady, forKey: .burstReady)
    try values.encode(seconds: wakeNotBefore, .wakeNotBefore)
    try values.encodeIfPresent(service, forKey: .service)
    try values.encodeIfPresent(advisedTarget, forKey: .advisedTarget)
    if isExpected { try values.encode(true, forKey: .expected) }
  }

  /// The same observation on a clock that reads `offset` less.
  public func moved(by offset: Duration) -> ScalingObservation {
    var observation = self
    observation.lastActivity = lastActivity.map { $0 - offset }
    observation.wakeNotBefore = wakeNotBefore.map { $0 - offset }
    return observation
  }
}

extension KeyedDecodingContainer {
  /// Seconds to the nanosecond; nil where there are none. - Throws: where they are no length of time.
  fileprivate func seconds(_ key: Key) throws -> Duration? {
    guard let seconds = try decodeIfPresent(Double.self, forKey: key) else { return nil }
    guard let nanoseconds = Int64(exactly: (seconds * 1e9).rounded()) else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "\(seconds) is no number of seconds; what fits is below 9.2e9")
    }
    return .nanoseconds(nanoseconds)
  }
}

extension KeyedEncodingContainer {
  fileprivate mutating func encode(seconds duration: Duration?, _ key: Key) throws {
    guard let duration else { return }
    let (seconds, attoseconds) = duration.components
    let nanoseconds = Double(seconds) * 1e9 + (Double(attoseconds) / 1e9).rounded()
    try encode(nanoseconds / 1e9, forKey: key)
  }
}
