import Decisions

/// `status.drain`: pods that gateways send nothing new to, before they go.
struct DrainPlan: Equatable {
  /// Counts the changes of `pods`; gateways tell which one they act on.
  var epoch = 0
  /// UIDs, sorted.
  var pods: [String] = []
}

/// One pool as it stands.
struct PoolObservation: Equatable {
  /// Its Deployment is there.
  var exists = false
  /// `spec.replicas`.
  var wanted = 0
  var pods: [PodObservation] = []
  /// Its Deployment has the template that the owner wants.
  var isCurrent = true
  /// Of its Deployment when this was observed: who goes is chosen from that state, and from no later one.
  var resourceVersion = ""

  var live: [PodObservation] { pods.filter(\.isLive) }
  var ready: Int { pods.count { $0.isReady } }
}

/// A change of one pool's `/scale`.
struct PoolScale: Equatable {
  var pool: Pool
  var from: Int
  var to: Int
  /// Who should go, by the order of drains; told to the ReplicaSet controller as the cheapest to delete.
  var victims: [String] = []
}

/// What to do about replicas in this round.
struct ScalePlan: Equatable {
  var scales: [PoolScale] = []
  var drain: DrainPlan
  /// Pools that wait for their victims to be empty.
  var draining: Set<Pool> = []
}

/// What a plan needs to know of drains.
struct DrainObservation: Equatable {
  var plan: DrainPlan
  /// Time since `plan` was made.
  var age: Duration
  /// How long a drain may take.
  var timeout: Duration
  /// The oldest epoch that any gateway acts on; nil: there is no gateway.
  var epochSeen: Int?
  /// Keep pods named that were named: it is not known yet whether they are still to go.
  var mustKeep = false
}

/// Plans the way from what pools have to what they should have: up at once, down by way of a drain.
///
/// The drain is durable (it is in the status before it acts), and ends when every gateway has seen it and has no request
/// at the victims, or after its timeout. Demand that returns takes the names back.
func planScale(_ pools: PerPool<PoolObservation>, wanted: PerPool<Int>, drain: DrainObservation) -> ScalePlan {
  let named = Set(drain.plan.pods)
  var plan = ScalePlan(drain: drain.plan)
  var victims: Set<String> = []
  var waiting: [(scale: PoolScale, isEmpty: Bool)] = []

  for pool in Pool.allCases {
    let present = pools[pool]
    let target = wanted[pool]
    let live = present.live
    guard present.exists else { continue }
    if target > present.wanted {
      plan.scales.append(PoolScale(pool: pool, from: present.wanted, to: target))
    } else if target == present.wanted {
      // Scaled, and the ReplicaSet has not acted yet: they must stay out of use.
      if live.count > target || drain.mustKeep { victims.formUnion(live.map(\.uid).filter(named.contains)) }
    } else {
      let leaving = chooseVictims(live, count: live.count - target, named: named)
      let scale = PoolScale(pool: pool, from: present.wanted, to: target, victims: leaving.map(\.uid))
      if leaving.allSatisfy({ !$0.isReady && $0.inFlight == 0 }) {
        plan.scales.append(scale)
        victims.formUnion(scale.victims.filter(named.contains))
      } else {
        victims.formUnion(scale.victims)
        waiting.append((scale, leaving.allSatisfy { $0.inFlight == 0 }))
      }
    }
  }

  let names = victims.sorted()
  guard names == drain.plan.pods else {
    plan.drain = DrainPlan(epoch: drain.plan.epoch + 1, pods: names)
    plan.draining = Set(waiting.map(\.scale.pool))
    return plan
  }
  let isSeen = drain.epochSeen.map { $0 >= drain.plan.epoch } ?? true
  for (scale, isEmpty) in waiting {
    if isSeen && isEmpty || drain.age >= drain.timeout {
      plan.scales.append(scale)
    } else {
      plan.draining.insert(scale.pool)
    }
  }
  return plan
}

/// Those already named stay named: to change one's mind about who goes would lengthen the drain.
private func chooseVictims(_ live: [PodObservation], count: Int, named: Set<String>) -> [PodObservation] {
  guard count > 0 else { return [] }
  func order(_ pods: [PodObservation], _ count: Int) -> [String] {
    DrainOrder.victims(
      pods.map { DrainCandidate(id: $0.uid, isReady: $0.isReady, inFlight: $0.inFlight, createdAt: $0.createdAt) },
      count: count)
  }
  let first = order(live.filter { named.contains($0.uid) }, count)
  let rest = order(live.filter { !named.contains($0.uid) }, count - first.count)
  let byID = Dictionary(live.map { ($0.uid, $0) }, uniquingKeysWith: { first, _ in first })
  return (first + rest).compactMap { byID[$0] }
}
