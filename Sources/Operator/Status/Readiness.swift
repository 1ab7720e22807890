import Decisions
import KubernetesAPI

/// A condition before it has times: what holds, why, and in words.
struct Verdict: Equatable {
  /// `True`, `False` or `Unknown`.
  var status: String
  var reason: String
  var message: String

  static func yes(_ reason: String, _ message: String) -> Verdict {
    Verdict(status: "True", reason: reason, message: message)
  }
  static func no(_ reason: String, _ message: String) -> Verdict {
    Verdict(status: "False", reason: reason, message: message)
  }
}

extension ServiceSituation {
  /// `Ready`: a request sent now would be answered, after a wake if need be. So it is true while asleep.
  var ready: Verdict {
    if let unsupported = intent.unsupported { return unsupported }
    if intent.policy.isSuspended {
      return .no("Suspended", "spec.suspend is true: requests are refused, and replicas go")
    }
    let isReady = pools.dedicated.ready + pools.burst.ready > 0
    if isReady { return serving }
    // Where the template is only tried, the pools wake with the one before.
    if case .invalid(let words) = template, !(rollout?.isUnderWay ?? false) { return .no("TemplateInvalid", words) }
    if intent.policy.dedicatedReplicas == 0 && intent.policy.maxBurstReplicas == 0 {
      let scheduled = intent.nextChange.map { ", and no schedule holds before \(Timestamp.seconds($0))" } ?? ""
      return .no("NoCapacity", "dedicated.replicas and burst.maxReplicas are both 0\(scheduled): no replica may answer")
    }
    if let failure {
      let next =
        "attempt \(failure.failures) to wake failed; the next one is due at \(Timestamp.seconds(failure.nextAttempt))"
      return .no(failure.reason, "\(failure.message) (\(next))")
    }
    return notReady
  }

  private var serving: Verdict {
    let text = "\(pools.dedicated.ready) dedicated and \(pools.burst.ready) burst replicas are ready"
    let isEmptying = wanted.dedicated + wanted.burst == 0 && !drain.pods.isEmpty
    if isEmptying { return .yes("Draining", "the last replicas finish their requests and go; a request would be held") }
    if wanted.dedicated > 0 && (wanted.burst > 0 || pools.burst.ready > 0) { return .yes("Bursting", text) }
    return .yes("Serving", text)
  }

  private var notReady: Verdict {
    if let conflict { return .no("ObjectConflict", conflict) }
    if let pod = pools.dedicated.live.first(where: { $0.trouble?.isFatal == true }), let trouble = pod.trouble {
      return .no(trouble.reason, dedicatedTrouble ?? trouble.message)
    }
    if let refused = replicaFailure.dedicated ?? replicaFailure.burst {
      return .no(refused.contains("exceeded quota") ? "QuotaExceeded" : "ReplicaFailure", refused)
    }
    let pods = pools.dedicated.pods + pools.burst.pods
    if let pending = PendingReplicas(pods.filter(\.isLive)), pending.areAll {
      return .no("Unschedulable", pending.text)
    }
    if wanted.dedicated + wanted.burst > 0 {
      let held = load.held > 0 ? "; \(load.held) held" : ""
      let count = wanted.dedicated + wanted.burst
      return .yes("Waking", "\(count == 1 ? "1 replica is" : "\(count) replicas are") starting\(held)")
    }
    if pods.contains(where: { !$0.isFinished }) { return .yes("Draining", "the last replicas are stopping") }
    return .yes("Asleep", "no replica runs; the next request wakes one")
  }

  /// Conditions by type, in the order in which they are written.
  var verdicts: [(type: String, verdict: Verdict)] {
    var verdicts = [("Ready", ready), ("TemplateValid", templateVerdict), ("NamesAccepted", namesVerdict)]
    if intent.policy.dedicatedReplicas > 0 || !intent.schedules.isEmpty {
      verdicts.append(("DedicatedReady", poolVerdict(.dedicated)))
    }
    if intent.policy.maxBurstReplicas > 0 { verdicts.append(("BurstReady", poolVerdict(.burst))) }
    verdicts.append(("Progressing", progress))
    return verdicts
  }

  private var templateVerdict: Verdict {
    switch template {
    case .valid: .yes("Accepted", "the API server accepts the pod template")
    case .invalid(let words): .no("Refused", words)
    case .unknown(let words): Verdict(status: "Unknown", reason: "NotChecked", message: words)
    }
  }

  private var namesVerdict: Verdict {
    guard !lostNames.isEmpty else { return .yes("Accepted", "every name is this service's own") }
    let list = lostNames.map { "\"\($0.name)\" belongs to the older \($0.owner)" }.joined(separator: ", ")
    return .no("Taken", "\(list); this service still answers to \(intent.key)")
  }

  private func poolVerdict(_ pool: Pool) -> Verdict {
    let (ready, wanted) = (pools[pool].ready, wanted[pool])
    if let refused = replicaFailure[pool] { return .no("ReplicaFailure", refused) }
    if let trouble = pools[pool].live.lazy.compactMap(\.trouble).first, ready < wanted {
      return .no(trouble.reason, trouble.message)
    }
    if ready < wanted, let pending = PendingReplicas(pools[pool].live) { return .no("Unschedulable", pending.text) }
    if wanted == 0 { return .yes("Asleep", "no replica is wanted") }
    return ready >= wanted
      ? .yes("ReplicasReady", "\(ready) of \(wanted) ready") : .no("ReplicasStarting", "\(ready) of \(wanted) ready")
  }

  private var progress: Verdict {
    if let rollout, rollout.isUnderWay { return canaryVerdict(rollout) }
    let outdated = (pools.dedicated.live + pools.burst.live).count { !$0.isUpdated }
    if outdated == 0 { return .no("RolledOut", "every replica has the present template") }
    let blocked = Pool.allCases.compactMap(blockedRollout)
    if !blocked.isEmpty { return .no("RolloutBlocked", blocked.joined(separator: "; ")) }
    return .yes("RollingOut", "\(outdated) replicas have an older template")
  }
}
