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
    status[lastDecision] = (decision ?? previous[lastDecision]).map { telling(now.failure, in: $0) }
    status["coldStart"] = coldStart(now.coldStarts, previous: previous["coldStart"])
    status["capacity"] = capacity(now.load.reading.advice, previous: previous["capacity"], time: time)
    status["usage"] = now.account.map(usage) ?? previous["usage"]
    status["savings"] = now.account.map(savings) ?? previous["savings"]
    status["display"] = display(
      now, saved: now.account.map(saved) ?? previous[path: ["display", "saved"]], decision: status[lastDecision])
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
    let decision: JSONValue = [
      "time": .string(Timestamp.seconds(wall)), "pool": .string(pool.word), "from": JSONValue(from),
      "to": JSONValue(to), "reason": .string(round.reason(pool).rawValue), "message": .string(round.message(pool, to)),
      "inputs": JSONValue(round.inputs(pool)),
    ]
    return telling(failure, in: decision)
  }

  /// A decision with what ``failure(in:)`` reads. Whichever decision was the last: a scale whose answer got lost is done, and is
  /// recorded by nobody.
  private static func telling(_ failure: WakeFailure?, in decision: JSONValue) -> JSONValue {
    guard let failure else { return decision }
    var decision = decision
    decision[path: ["inputs", "nextAttempt"]] = .string(Timestamp.seconds(failure.nextAttempt))
    decision[path: ["inputs", "failedWakes"]] = .string("\(failure.failures)")
    return decision
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

  /// Advice that says nothing new leaves what was told as it is.
  private static func capacity(_ advice: CapacityAdvice?, previous: JSONValue?, time: String) -> JSONValue? {
    guard let advice, advice.isNews(after: previous?["advisedTarget"]?.intValue) else { return previous }
    return [
      "advisedTarget": JSONValue(advice.target), "bend": .string(advice.bend.decimalText(places: 1)),
      "slowConcurrency": .string(advice.concurrency.decimalText(places: 1)),
      "firstTokenAlone": .string(Duration.milliseconds(Int64(advice.aloneSeconds * 1000)).shortText),
      "samples": JSONValue(advice.samples), "sinceTime": .string(time),
    ]
  }

  private static func usage(_ account: LedgerSummary) -> JSONValue {
    var usage: JSONValue = [
      "sinceTime": .string(Timestamp.seconds(Date(timeIntervalSince1970: Double(account.since) / 1000))),
      "dedicatedReplicaHours": hours(account.dedicated.paid), "burstReplicaHours": hours(account.burst.paid),
      "currency": .string(account.currency),
    ]
    usage["cost"] = account.used.cost.map { .string($0.decimalText(places: 4)) }
    usage["energyKWh"] = account.used.energyKWh.map { .string($0.decimalText(places: 4)) }
    usage["carbonKg"] = account.used.carbonKg.map { .string($0.decimalText(places: 4)) }
    usage["embodiedKg"] = account.used.embodiedKg.map { .string($0.decimalText(places: 4)) }
    return usage
  }

  private static func savings(_ account: LedgerSummary) -> JSONValue {
    var value: JSONValue = [
      "baseline": .string(Baseline.alwaysOnPeak.rawValue),
      "baselineReplicaHours": hours(account.baselineMilliseconds),
    ]
    value["percent"] = account.percent.map { JSONValue($0) }
    value["amount"] = account.saved.cost.map { .string($0.decimalText(places: 4)) }
    value["energyKWh"] = account.saved.energyKWh.map { .string($0.decimalText(places: 4)) }
    value["carbonKg"] = account.saved.carbonKg.map { .string($0.decimalText(places: 4)) }
    return value
  }

  // Five places: 0.04 s of a replica.
  private static func hours(_ milliseconds: Int) -> JSONValue {
    .string((Double(milliseconds) / 3_600_000).decimalText(places: 5))
  }

  private static func saved(_ account: LedgerSummary) -> JSONValue? {
    guard let percent = account.percent else { return nil }
    guard let cost = account.saved.cost else { return .string("\(percent)%") }
    return .string("\(account.currency) \(cost.decimalText(places: abs(cost) >= 10 ? 0 : 2)) (\(percent)%)")
  }

  private static func display(_ now: ServiceSituation, saved: JSONValue?, decision: JSONValue?) -> JSONValue {
    var display: JSONValue = [
      "state": .string(now.ready.reason),
      "dedicated": .string("\(now.pools.dedicated.ready)/\(now.wanted.dedicated)"),
      "burst": .string("\(now.pools.burst.ready)/\(now.wanted.burst)"),
    ]
    display["canary"] = canaryDisplay(now).map { .string($0) }
    display["saved"] = saved
    if let decision, let pool = decision["pool"]?.stringValue {
      let change = "\(decision["from"]?.intValue ?? 0)->\(decision["to"]?.intValue ?? 0)"
      display["decision"] = .string("\(pool) \(change) \(decision["reason"]?.stringValue ?? "")")
    }
    return display
  }
}
