import InferenceAPI
import KubernetesAPI

/// Pods that no node has room for, as conditions tell of them. Nothing here changes because time passes.
struct PendingReplicas {
  private let count: Int
  private let all: Int
  /// The one that has waited longest.
  private let first: PodObservation
  private let refusal: SchedulingRefusal

  /// Nil: none of `pods` waits for a node.
  init?(_ pods: [PodObservation]) {
    let waiting = pods.compactMap { pod in pod.unschedulable.map { (pod: pod, refusal: $0) } }
    guard let first = waiting.min(by: { ($0.refusal.since, $0.pod.name) < ($1.refusal.since, $1.pod.name) }) else {
      return nil
    }
    count = waiting.count
    all = pods.count
    self.first = first.pod
    refusal = first.refusal
  }

  /// Whether every pod waits: none will be ready unless somebody makes room.
  var areAll: Bool { count == all }

  var text: String {
    "\(count) of \(all) \(all == 1 ? "pod" : "pods") cannot be scheduled, \(first.name) since \(refusal.since): "
      + refusal.message
  }
}

extension ServiceSituation {
  /// Why a pool's rollout stands still; nil: it does not, or not for want of a node.
  func blockedRollout(_ pool: Pool) -> String? {
    let live = pools[pool].live
    guard live.contains(where: { !$0.isUpdated }), let pending = PendingReplicas(live.filter(\.isUpdated)) else {
      return nil
    }
    let text = "\(pool.rawValue), with the present template: \(pending.text)"
    guard keepsAll(pools[pool].wanted) else { return text }
    return "\(text); no replica goes before its successor is ready: without room for one more, set "
      + "spec.rollout.maxSurge 0 and maxUnavailable 1"
  }

  /// The rollout of a Deployment with so many replicas takes none away before another is ready. Kubernetes rounds a percentage
  /// of maxUnavailable down, and takes one where both numbers are 0.
  private func keepsAll(_ replicas: Int) -> Bool {
    if intent.maxSurge == 0 || intent.maxSurge == "0%" { return false }
    switch IntOrPercent(json: intent.maxUnavailable) {
    case .count(let count): return count == 0
    case .percent(let percent): return replicas * percent < 100
    case nil: return false
    }
  }
}
