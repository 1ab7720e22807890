extension ScalingDecision {
  /// One sentence for people: what happens and which numbers made it so.
  public var message: String {
    let (policy, seen) = (evidence.policy, evidence.observation)
    let averages =
      "\(evidence.averageText(seen.stableAverage)) over \(policy.stableWindow.shortText), "
      + "\(evidence.averageText(seen.panicAverage)) over \(policy.panicWindow.shortText)"
    let each = "\(policy.target.decimalText(places: 2)) per replica"
    let count = "\(burst) burst \(burst == 1 ? "replica" : "replicas")"
    switch reason {
    case .activated: return "\(seen.held) held, and no replica is there: waking \(count)."
    case .loadAboveTarget: return "\(averages) at \(each), beyond \(seen.dedicatedReplicas) dedicated: \(count)."
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
    case .scaleDownDelayed: return "Less is needed, but not for \(policy.scaleDownDelay.shortText): \(count)."
    case .wakeBackOff: return "The last wake failed; the next attempt waits."
    case .noCapacity: return "Neither dedicated.replicas nor burst.maxReplicas allows a replica."
    case .canary: return "The canary follows its share of the requests."
    case .steady: return "\(averages) at \(each): \(count) as before."
    }
  }

  /// The numbers as short texts, for `status.lastDecision.inputs`: at most 24 of at most 64 characters.
  public var inputs: [String: String] {
    let (policy, seen) = (evidence.policy, evidence.observation)
    var inputs: [String: String] = [
      "metric": policy.metric.rawValue, "target": policy.target.decimalText(places: 2),
      "held": "\(seen.held)", "inFlight": "\(seen.inFlight)",
      "stableNeed": "\(evidence.stableNeed)", "panicNeed": "\(evidence.panicNeed)",
      "dedicatedReplicas": "\(seen.dedicatedReplicas)", "dedicatedReady": "\(seen.dedicatedReady)",
      "burstWanted": "\(seen.burstWanted)", "burstReady": "\(seen.burstReady)",
      "maxReplicas": "\(policy.maxBurstReplicas)", "sleepAfter": policy.sleepAfter.shortText,
      "complete": "\(seen.isComplete)", "activated": "\(seen.isActivated)",
    ]
    if let window = policy.idleWindow {
      inputs["sleepAfter"] = "Auto: \(policy.sleepAfter.shortText)"
      inputs["wakePrice"] = Duration.seconds(window.wakePrice).shortText
      inputs["returnChance"] = window.returnChance.decimalText(places: 2)
    }
    inputs["stableAverage"] = seen.stableAverage?.decimalText(places: 2)
    inputs["panicAverage"] = seen.panicAverage?.decimalText(places: 2)
    inputs["idleFor"] = evidence.idleFor?.shortText
    if policy.dedicatedTarget != policy.target {
      inputs["dedicatedTarget"] = policy.dedicatedTarget.decimalText(places: 2)
    }
    if policy.spareBurstReplicas > 0 { inputs["spareReplicas"] = "\(policy.spareBurstReplicas)" }
    return inputs
  }
}

extension ScalingEvidence {
  fileprivate var idleText: String { idleFor?.shortText ?? "an unknown time" }

  fileprivate func averageText(_ average: Double?) -> String {
    guard let average else { return "no data" }
    let number = average.decimalText(places: 1)
    return policy.metric == .concurrency ? "\(number) requests" : "\(number) requests/s"
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
