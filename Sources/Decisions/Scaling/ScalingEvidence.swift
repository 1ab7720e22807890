/// The numbers behind a decision, kept as numbers: text is made only for the few decisions that somebody reads.
public struct ScalingEvidence: Hashable, Sendable {
  public var policy: ScalingPolicy
  public var observation: ScalingObservation
  /// Burst replicas that the stable and the panic average ask for, before limits.
  public var stableNeed: Int
  public var panicNeed: Int
  /// What the objective asks for; nil: there is none, or too little was measured.
  public var objective: ObjectiveEvidence?
  /// Time since the burst pool was last needed; nil: not known.
  public var idleFor: Duration?
  public init(
    policy: ScalingPolicy, observation: ScalingObservation, stableNeed: Int, panicNeed: Int,
    objective: ObjectiveEvidence? = nil, idleFor: Duration?
  ) {
    self.policy = policy
    self.observation = observation
    self.stableNeed = stableNeed
    self.panicNeed = panicNeed
    self.objective = objective
    self.idleFor = idleFor
  }
}

/// Burst replicas that an objective asks for.
public struct ObjectiveEvidence: Hashable, Sendable {
  /// What an answer is taken to occupy a slot for until enough were measured, in seconds: a chat answer of some 400 tokens at 40
  /// tokens/s. An assumption of this project's.
  public static let assumedSeconds = 10.0

  /// By the arrivals of the stable and the panic window; nil: too few answers were measured.
  public var stable: ObjectiveNeed?
  public var panic: ObjectiveNeed?
  /// By the arrivals of the recent past.
  public var bursts: Int
  /// Slots for what comes and what waits, by the arrivals of the stable and the panic window.
  public var stableWork: Double
  public var panicWork: Double
  /// The most of all, in replicas, for each window; bursts left out.
  public var stableNeed: Int
  public var panicNeed: Int

  var largestNeed: Int { max(stableNeed, panicNeed, bursts) }

  /// Nil: the policy has no objective, or nothing is known.
  init?(_ policy: ScalingPolicy, _ observation: ScalingObservation) {
    guard let objective = policy.objective, let service = observation.service else { return nil }
    let most = max(0, policy.maxBurstReplicas)
    let slots = max(1, policy.maxConcurrency)
    let beside = observation.dedicatedReplicas * policy.dedicatedMaxConcurrency
    func need(_ arrivals: Double) -> ObjectiveNeed? {
      leastReplicas(objective, arrivals: arrivals, service, slots: slots, slotsBeside: beside, within: 0...most)
    }
    func replicas(_ wanted: Double) -> Int {
      let missing = (wanted - Double(beside)) / Double(slots) - 1e-9
      return missing > 0 ? min(most, missing < 1e6 ? Int(missing.rounded(.up)) : most) : 0
    }
    stable = need(service.stableArrivals)
    panic = service.panicArrivals == service.stableArrivals ? stable : need(service.panicArrivals)
    bursts = replicas(service.burstSlots ?? 0)
    stableWork = Self.work(service.stableArrivals, service, policy, observation)
    panicWork = Self.work(service.panicArrivals, service, policy, observation)
    stableNeed = max(stable?.replicas ?? 0, replicas(stableWork))
    panicNeed = max(panic?.replicas ?? 0, replicas(panicWork))
  }

  /// Slots that requests occupy or soon will: what comes at this rate, what that is more than the ready replicas can take (it
  /// piles up until new ones are loaded), and what waits already, to be done within a stable window. Replicas for all that
  /// waits at once would come when it is late anyway.
  private static func work(
    _ arrivals: Double, _ service: ServiceObservation, _ policy: ScalingPolicy, _ observation: ScalingObservation
  ) -> Double {
    let occupied = service.occupied.mean ?? assumedSeconds
    let ready =
      observation.burstReady * policy.maxConcurrency + observation.dedicatedReady * policy.dedicatedMaxConcurrency
    // What is only assumed makes no further claims.
    let beyond = service.occupied.mean == nil ? 0 : max(0, arrivals * occupied - Double(ready))
    return arrivals * occupied + beyond
      + Double(observation.held) * occupied / max(1, policy.stableWindow.inSeconds)
  }
}

extension ScalingEvidence {
  /// How long a lower need must last before replicas go. What the arrivals of half an hour needed is kept ready anyway, so with
  /// an objective it is at most a stable window.
  public var scaleDownDelay: Duration {
    policy.objective == nil || observation.service?.burstSlots == nil
      ? policy.scaleDownDelay : min(policy.scaleDownDelay, policy.stableWindow)
  }

  /// The time to first token that the objective's percentile should not exceed with so many burst replicas, at the higher of
  /// the two rates of arrivals; nil: it cannot be said.
  public func expectedFirstToken(burst: Int) -> Duration? {
    guard let objective = policy.objective, let service = observation.service else { return nil }
    return Decisions.expectedFirstToken(
      percentile: objective.percentile, arrivals: max(service.stableArrivals, service.panicArrivals), service,
      slots: observation.dedicatedReplicas * policy.dedicatedMaxConcurrency + burst * policy.maxConcurrency)
  }
}
