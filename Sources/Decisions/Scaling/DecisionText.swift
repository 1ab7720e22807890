extension ScalingDecision {
  /// One sentence for people: what happens and which numbers made it so; with an objective, what it should come to.
  public var message: String {
    guard burst > 0, evidence.objective?.stable != nil else { return sentence }
    return "\(sentence) \(evidence.expectation(burst: burst))"
  }

  private var sentence: String {
    let (policy, seen) = (evidence.policy, evidence.observation)
    let averages =
      "\(evidence.averageText(seen.stableAverage)) over \(policy.stableWindow.shortText), "
      + "\(evidence.averageText(seen.panicAverage)) over \(policy.panicWindow.shortText)"
    let each = "\(policy.target.decimalText(places: 2)) per replica"
    let count = "\(burst) burst \(burst == 1 ? "replica" : "replicas")"
    switch reason {
    case .activated: return "\(seen.held) held, and no replica is there: waking \(count)."
    case .expected:
      let window = policy.idleWindow.map { "; \($0.explanation)" } ?? ""
      return "A request is expected after \(evidence.idleText) of silence: waking \(count)\(window)."
    case .loadAboveTarget: return "\(averages) at \(each), beyond \(seen.dedicatedReplicas) dedicated: \(count)."
    case .objective: return "\(evidence.objectiveText): \(count)."
    case .loadBelowTarget: return "\(averages) at \(each) needs no more than \(count)."
    case .panic:
      return "\(averages) is at least \(policy.panicThresholdPercent)% of what is ready: \(count), nothing goes down."
    case .idle:
      let window = policy.idleWindow?.explanation ?? "sleepAfter is \(policy.sleepAfter.shortText)"
      return "Not needed for \(evidence.idleText), \(window): \(count)."
    case .floorChanged, .schedule: return "The owner wants \(dedicated) dedicated."
    case .ceilingChanged: return "The owner wants at most \(policy.maxBurstReplicas): \(count)."
    case .suspended: return "The owner suspended the service."
    case .noData: return "A gateway cannot be read, so nothing goes down: \(count)."
    case .startingUp: return "The controller has not seen a whole window yet, so nothing goes down: \(count)."
    case .scaleDownDelayed: return "Less is needed, but not for \(evidence.scaleDownDelay.shortText): \(count)."
    case .wakeBackOff: return "The last wake failed; the next attempt waits."
    case .noCapacity: return "Neither dedicated.replicas nor burst.maxReplicas allows a replica."
    case .canary: return "The canary follows its share of the requests."
    case .steady: return "\(averages) at \(each): \(count) as before."
    }
  }

  /// The numbers as short texts, for `status.lastDecision.inputs`, which takes at most 24 of at most 64 characters: the first
  /// 19, in order of importance, leave room for what a schedule and a failed wake add.
  public var inputs: [String: String] {
    Dictionary(orderedInputs.prefix(19).map { ($0.name, $0.value) }) { first, _ in first }
  }

  private var orderedInputs: [(name: String, value: String)] {
    let (policy, seen) = (evidence.policy, evidence.observation)
    let inputs: [(String, String?)] = [
      ("metric", policy.metric.rawValue), ("target", policy.target.decimalText(places: 2)),
      ("held", "\(seen.held)"), ("inFlight", "\(seen.inFlight)"),
      ("stableAverage", seen.stableAverage?.decimalText(places: 2)),
      ("panicAverage", seen.panicAverage?.decimalText(places: 2)),
      ("stableNeed", "\(evidence.stableNeed)"), ("panicNeed", "\(evidence.panicNeed)"),
      ("burstWanted", "\(seen.burstWanted)"), ("burstReady", "\(seen.burstReady)"),
      ("idleFor", evidence.idleFor?.shortText),
      ("sleepAfter", (policy.idleWindow == nil ? "" : "Auto: ") + policy.sleepAfter.shortText),
      ("wakePrice", policy.idleWindow.map { Duration.seconds($0.wakePrice).shortText }),
      ("expected", seen.isExpected ? "true" : nil),
      ("returnChance", policy.idleWindow?.returnChance.decimalText(places: 2)),
      ("complete", seen.isComplete ? nil : "false"), ("objective", policy.objective?.text),
      ("expectedFirstToken", evidence.expectedFirstToken(burst: burst)?.shortText),
      ("burstNeed", evidence.burstText), ("arrivals", seen.service?.arrivalsText),
      ("serviceTime", seen.service?.serviceText), ("advisedTarget", seen.advisedTarget.map { "\($0)" }),
      ("dedicatedReplicas", "\(seen.dedicatedReplicas)"),
      (
        "dedicatedTarget", policy.dedicatedTarget == policy.target ? nil : policy.dedicatedTarget.decimalText(places: 2)
      ),
      ("spareReplicas", policy.spareBurstReplicas > 0 ? "\(policy.spareBurstReplicas)" : nil),
      ("maxReplicas", "\(policy.maxBurstReplicas)"), ("dedicatedReady", "\(seen.dedicatedReady)"),
      ("complete", "true"), ("activated", "\(seen.isActivated)"),
    ]
    return inputs.compactMap { name, value in value.map { (name, $0) } }
  }
}

extension LatencyObjective {
  /// Such as `2s at p99`.
  public var text: String { "\(timeToFirstToken.shortText) at p\(percentile)" }
}

extension ServiceObservation {
  fileprivate var arrivalsText: String {
    "\(stableArrivals.decimalText(places: 2))/s, \(panicArrivals.decimalText(places: 2))/s, cv2 \(arrivalVariation.decimalText(places: 1))"
  }

  fileprivate var serviceText: String? {
    occupied.mean.map { "\($0.decimalText(places: 2))s, cv2 \((occupied.variation ?? 0).decimalText(places: 1))" }
  }
}

extension ScalingEvidence {
  fileprivate var idleText: String { idleFor?.shortText ?? "an unknown time" }

  fileprivate func averageText(_ average: Double?) -> String {
    guard let average else { return "no data" }
    let number = average.decimalText(places: 1)
    switch policy.metric {
    case .concurrency: return "\(number) requests"
    case .requestsPerSecond: return "\(number) requests/s"
    case .tokensPerSecond: return "\(number) tokens/s"
    }
  }

  /// What the objective needs, and why.
  fileprivate var objectiveText: String {
    guard let goal = policy.objective, let service = observation.service, let need = objective else {
      return "Objective"
    }
    if need.bursts > max(need.stableNeed, need.panicNeed) { return "The first token within \(goal.text), \(lateText)" }
    let rate = max(service.stableArrivals, service.panicArrivals).decimalText(places: 2)
    let assumed = ObjectiveEvidence.assumedSeconds.decimalText(places: 2)
    let each = service.occupied.mean.map { "\($0.decimalText(places: 2))s" } ?? "an assumed \(assumed)s"
    let waiting = observation.held > 0 ? ", and \(observation.held) held" : ""
    return "The first token within \(goal.text), at \(rate) requests/s of \(each) each\(waiting)"
  }

  /// What the arrivals of late have to do with it.
  private var lateText: String {
    guard let service = observation.service, let allowed = service.allowedLateShare else {
      return "by the bursts of late"
    }
    let inTime = service.inTimeShare.map { " after \(($0 * 100).decimalText(places: 1))% in time" } ?? ""
    return "by the bursts of late with \((allowed * 100).decimalText(places: 2))% to wait too long\(inTime)"
  }

  /// Such as `3 for 99.98%, 98.5% so far`.
  fileprivate var burstText: String? {
    guard let need = objective else { return nil }
    guard let service = observation.service, let allowed = service.allowedLateShare else { return "\(need.bursts)" }
    let far = service.inTimeShare.map { ", \(($0 * 100).decimalText(places: 1))% so far" } ?? ""
    return "\(need.bursts) for \(((1 - allowed) * 100).decimalText(places: 2))%\(far)"
  }

  fileprivate func expectation(burst: Int) -> String {
    guard let goal = policy.objective, let need = objective?.stable else { return "" }
    let best = min(need.bestShare, 1)
    guard best >= goal.share else {
      let reachable = (best * 100).decimalText(places: 1)
      return "Replicas answer no more than \(reachable)% within \(goal.timeToFirstToken.shortText), however many."
    }
    let expected = expectedFirstToken(burst: burst)
    return "Expected: \(expected?.shortText ?? "more") at p\(goal.percentile)."
  }
}

extension Duration {
  /// The duration as people write it, such as `1m30s` or `0.25s`; below a minute with up to two decimals.
  public var shortText: String {
    let seconds = inSeconds
    if seconds < 60 { return "\(seconds.decimalText(places: 2))s" }
    let whole = Int(seconds.rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    return (hours > 0 ? "\(hours)h" : "") + (minutes > 0 ? "\(minutes)m" : "") + (rest > 0 ? "\(rest)s" : "")
  }
}

extension Double {
  /// Decimal text without exponent, rounded to `places` (0 to 6), trailing zeros left out; `0` for what is not finite.
  public func decimalText(places: Int) -> String {
    var scale: Int64 = 1
    for _ in 0..<max(0, min(6, places)) { scale *= 10 }
    let scaled = (self * Double(scale)).rounded()
    guard scaled.isFinite, abs(scaled) < 9e18 else { return "0" }
    let value = Int64(scaled)
    let whole = "\(value < 0 ? "-" : "")\((value / scale).magnitude)"
    let fraction = (value % scale).magnitude
    guard fraction > 0 else { return value / scale == 0 ? "0" : whole }
    var digits = String(fraction)
    let width = String(scale).count - 1
    digits = String(repeating: "0", count: width - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(whole).\(digits)"
  }
}
