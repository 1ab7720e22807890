import Decisions
import FoundationEssentials
import InferenceAPI
import KubernetesAPI

/// `status` of an InferenceService as it is written.
enum StatusDocument {
  static let lastDecision = "lastDecision"

  /// The whole status; `previous` lends what has not changed: transition times, the last decision, percentiles of wakes.
  static func make(_ now: ServiceSituation, previous: JSONValue, decision: JSONValue?) -> JSONValue {
    let time = Timestamp.seconds(now.wall)
    var status: JSONValue = [
      "observedGeneration": JSONValue(now.intent.generation), "url": .string(now.url),
      "names": JSONValue(now.intent.names),
      "selector": .string(
        "\(Labels.service)=\(now.intent.key.name),\(Labels.pool)=\(Pool.dedicated.rawValue)"),
      "conditions": conditions(now, previous: previous, time: time),
      "dedicated": pool(now, .dedicated), "burst": pool(now, .burst),
      "load": [
        "inFlight": JSONValue(now.load.inFlight), "held": JSONValue(now.load.held),
        "requestsPerMinute": JSONValue(Int(now.load.requestsPerMinute.rounded())), "observedTime": .string(time),
      ],
      "drain": ["epoch": JSONValue(now.drain.epoch)],
    ]
    if !now.drain.pods.isEmpty { status[path: ["drain", "pods"]] = JSONValue(now.drain.pods) }
    status["rollout"] = now.rollout.map(rollout)
    if now.pools.canary.exists || now.rollout?.isUnderWay ?? false { status["canary"] = pool(now, .canary) }
    status[lastDecision] = decision ?? previous[lastDecision]
    status["coldStart"] = coldStart(now.coldStarts, previous: previous["coldStart"])
    let savings = now.usage.savings(now.intent.economics)
    status["usage"] = usage(now, savings, previous: previous["usage"])
    status["savings"] = self.savings(savings)
    status["display"] = display(now, savings, decision: status[lastDecision])
    return status
  }

  /// The status of an object that breaks the schema's rules: stored under an older schema, or by a server without it.
  static func invalid(_ service: KubernetesObject, _ message: String, wall: Date) -> JSONValue {
    var object = service
    object.setCondition(
      Condition(
        type: "Ready", status: "False", reason: "InvalidSpec", message: String(message.prefix(4000)),
        transitionTime: Timestamp.seconds(wall), observedGeneration: service.metadata.generation))
    var status = object.status
    status["observedGeneration"] = JSONValue(service.metadata.generation)
    status[path: ["display", "state"]] = "InvalidSpec"
    return status
  }

  /// `lastDecision` for a change of one pool.
  static func decision(
    _ round: Round, pool: Pool, from: Int, to: Int, failure: WakeFailure?, wall: Date
  ) -> JSONValue {
    var inputs = round.inputs(pool)
    if let failure {
      inputs["nextAttempt"] = Timestamp.seconds(failure.nextAttempt)
      inputs["failedWakes"] = "\(failure.failures)"
    }
    return [
      "time": .string(Timestamp.seconds(wall)), "pool": .string(pool.word), "from": JSONValue(from),
      "to": JSONValue(to), "reason": .string(round.reason(pool).rawValue), "message": .string(round.message(pool, to)),
      "inputs": JSONValue(inputs),
    ]
  }

  /// A failed wake that an earlier controller wrote down for this generation; nil: none.
  static func failure(in service: KubernetesObject) -> WakeFailure? {
    guard let inputs = service.status[lastDecision]?["inputs"], let ready = service.condition("Ready"), !ready.isTrue,
      service.status["observedGeneration"]?.intValue == service.metadata.generation,
      let next = inputs["nextAttempt"]?.stringValue.flatMap(Timestamp.parse),
      let failures = inputs["failedWakes"]?.stringValue.flatMap({ Int($0) })
    else { return nil }
    // The message ends with the attempt, which is told anew.
    let message = ready.message.split(separator: " (attempt ", maxSplits: 1).first.map { String($0) } ?? ready.message
    return WakeFailure(reason: ready.reason, message: message, nextAttempt: next, failures: failures)
  }

  /// Usage that an earlier controller counted, to go on from.
  static func usage(in status: JSONValue, dedicated: Int, at now: Duration, wall: Date, created: String) -> UsageMeter {
    func number(_ block: String, _ name: String) -> Double {
      status[block]?[name]?.stringValue.flatMap(Double.init) ?? 0
    }
    let since = (status["usage"]?["sinceTime"]?.stringValue ?? created)
    let start = Timestamp.parse(since) ?? wall
    var peak = 0
    // The peak is in the baseline: its hours are the peak times the time until they were written.
    if let observed = status["load"]?["observedTime"]?.stringValue.flatMap(Timestamp.parse), observed > start {
      peak = Int((number("savings", "baselineReplicaHours") * 3600 / observed.timeIntervalSince(start)).rounded())
    }
    let burstSeconds = number("usage", "burstReplicaHours") * 3600
    let dedicatedSeconds = number("usage", "dedicatedReplicaHours") * 3600
    if burstSeconds + dedicatedSeconds == 0 { peak = 0 }
    let floor = min(peak, dedicated)
    return UsageMeter(
      at: now, elapsedSeconds: max(0, wall.timeIntervalSince(start)), dedicatedSeconds: dedicatedSeconds,
      burstSeconds: burstSeconds, peakDedicated: floor, peakBurst: peak - floor)
  }

  private static func conditions(_ now: ServiceSituation, previous: JSONValue, time: String) -> JSONValue {
    var holder = KubernetesObject(["status": previous])
    let verdicts = now.verdicts
    for (type, verdict) in verdicts {
      holder.setCondition(
        Condition(
          type: type, status: verdict.status, reason: verdict.reason, message: String(verdict.message.prefix(4000)),
          transitionTime: time, observedGeneration: now.intent.generation))
    }
    return .array(verdicts.compactMap { holder.condition($0.type)?.json })
  }

  private static func pool(_ now: ServiceSituation, _ pool: Pool) -> JSONValue {
    let pods = now.pools[pool].pods.filter { !$0.isFinished }
    let draining = pods.count { $0.isTerminating || now.drain.pods.contains($0.uid) }
    return [
      "desiredReplicas": JSONValue(now.wanted[pool]), "replicas": JSONValue(pods.count - draining),
      "readyReplicas": JSONValue(now.pools[pool].ready), "updatedReplicas": JSONValue(pods.count { $0.isUpdated }),
      "drainingReplicas": JSONValue(draining),
      "unschedulableReplicas": JSONValue(pods.count { $0.isLive && $0.unschedulable != nil }),
    ]
  }

  private static func coldStart(_ samples: ColdStartSamples, previous: JSONValue?) -> JSONValue? {
    guard samples.count > 0 else { return previous }
    guard let half = samples.percentile(50), let most = samples.percentile(95) else { return previous }
    return ["samples": JSONValue(samples.count), "p50": .string(half.shortText), "p95": .string(most.shortText)]
  }

  private static func usage(_ now: ServiceSituation, _ savings: Savings, previous: JSONValue?) -> JSONValue {
    let since = Timestamp.seconds(now.wall.addingTimeInterval(-now.usage.elapsedSeconds))
    var usage: JSONValue = [
      "sinceTime": previous?["sinceTime"] ?? .string(since),
      "dedicatedReplicaHours": hours(now.usage.dedicatedHours), "burstReplicaHours": hours(now.usage.burstHours),
      "currency": .string(now.intent.economics.currency),
    ]
    usage["cost"] = savings.used.cost.map { .string($0.decimalText(places: 4)) }
    usage["energyKWh"] = savings.used.energyKWh.map { .string($0.decimalText(places: 4)) }
    usage["carbonKg"] = savings.used.carbonKg.map { .string($0.decimalText(places: 4)) }
    return usage
  }

  private static func savings(_ savings: Savings) -> JSONValue {
    var value: JSONValue = [
      "baseline": .string(Savings.baseline), "baselineReplicaHours": hours(savings.baselineReplicaHours),
    ]
    value["percent"] = savings.percent.map { JSONValue($0) }
    value["amount"] = savings.saved.cost.map { .string($0.decimalText(places: 4)) }
    value["energyKWh"] = savings.saved.energyKWh.map { .string($0.decimalText(places: 4)) }
    value["carbonKg"] = savings.saved.carbonKg.map { .string($0.decimalText(places: 4)) }
    return value
  }

  // Five places: 0.04 s of a replica.
  private static func hours(_ value: Double) -> JSONValue { .string(value.decimalText(places: 5)) }

  private static func display(_ now: ServiceSituation, _ savings: Savings, decision: JSONValue?) -> JSONValue {
    var display: JSONValue = [
      "state": .string(now.ready.reason),
      "dedicated": .string("\(now.pools.dedicated.ready)/\(now.wanted.dedicated)"),
      "burst": .string("\(now.pools.burst.ready)/\(now.wanted.burst)"),
    ]
    display["canary"] = canaryDisplay(now).map { .string($0) }
    if let percent = savings.percent {
      let amount = savings.saved.cost.map { cost in
        "\(now.intent.economics.currency) \(cost.decimalText(places: abs(cost) >= 10 ? 0 : 2)) "
      }
      display["saved"] = .string(amount.map { "\($0)(\(percent)%)" } ?? "\(percent)%")
    }
    if let decision, let pool = decision["pool"]?.stringValue {
      let change = "\(decision["from"]?.intValue ?? 0)->\(decision["to"]?.intValue ?? 0)"
      display["decision"] = .string("\(pool) \(change) \(decision["reason"]?.stringValue ?? "")")
    }
    return display
  }
}
