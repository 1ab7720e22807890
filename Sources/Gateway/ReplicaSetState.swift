/// The replicas of one service and what this gateway has in flight at each: decides which takes the next request.
///
/// A value without clock. A replica that leaves is remembered until its last request is over, so that drains can be
/// reported by pod UID.
struct ReplicaSetState: Sendable {
  /// A slot of one replica, taken by one request until it is given back.
  struct Lease: Sendable {
    fileprivate var index: Int
    fileprivate var generation: Int
    var replica: Replica
    /// No request of this gateway went to this pod before.
    var isFirst: Bool
    /// It failed before and has not answered since: say so when it does.
    var isOnProbation: Bool
  }

  private struct Entry: Sendable {
    var replica: Replica
    var generation: Int
    /// This gateway's slots.
    var slots: Int
    /// The EndpointSlice has said once that it is ready: from then on it alone says so.
    var wasReady = false
    var inFlight = 0
    /// False: it has gone; it stays here while something is in flight.
    var isPresent = true
    var health = ReplicaHealth.unchecked
    var wasUsed = false
    /// Turn of its last use: equals are taken by turns.
    var lastUse = 0
    var failures = 0
    var ejectedUntil: Duration = .zero

    /// It is said to serve, or may show by itself that it does.
    private var isCandidate: Bool {
      isPresent && !replica.isLeaving && (replica.isReady || (!wasReady && replica.readinessProbe != nil))
    }

    var accepts: Bool { isCandidate && health == .passed }

    /// It has not shown yet that it serves.
    var isUnproven: Bool { isCandidate && health != .passed }

    /// It takes requests before the EndpointSlice has said that it may.
    var isEarly: Bool { !wasReady && !replica.isReady }

    func hasSlot(now: Duration) -> Bool { accepts && inFlight < slots && ejectedUntil <= now }

    mutating func forgive() {
      failures = 0
      ejectedUntil = .zero
    }
  }

  private var entries: [Entry] = []
  private var share = GatewayShare()
  private var generation = 0
  private var turn = 0
  /// Requests in flight at all replicas.
  private(set) var inFlight = 0

  // MARK: - The set

  /// Takes over the replicas of a new view. Returns the UIDs that have gone: their idle connections must go too.
  mutating func update(_ replicas: [Replica], share: GatewayShare) -> [String] {
    self.share = share
    var wanted = Dictionary(replicas.map { ($0.podUID, $0) }, uniquingKeysWith: { first, _ in first })
    var gone: [String] = []
    for index in entries.indices {
      if let replica = wanted.removeValue(forKey: entries[index].replica.podUID) {
        // A pod that turned ready again starts with a clean record.
        let old = entries[index].replica
        let wasServing = old.isReady && !old.isLeaving
        if replica.isReady, !replica.isLeaving, !wasServing { entries[index].forgive() }
        // A slice tells the time of its latest change, which may be another pod's: the first telling counts.
        let since = wasServing ? entries[index].replica.readySince : replica.readySince
        entries[index].replica = replica
        entries[index].replica.readySince = since
        entries[index].isPresent = true
        if replica.isReady { entries[index].wasReady = true }
      } else if entries[index].isPresent {
        entries[index].isPresent = false
        gone.append(entries[index].replica.podUID)
      }
    }
    entries.removeAll { !$0.isPresent && $0.inFlight == 0 }
    for replica in wanted.values.sorted(by: { $0.podUID < $1.podUID }) {
      generation += 1
      entries.append(Entry(replica: replica, generation: generation, slots: 0, wasReady: replica.isReady))
    }
    dealSlots()
    return gone
  }

  /// Notes what a health check found; the first that passes opens the gate, for as long as the pod is there.
  mutating func checked(_ podUID: String, _ health: ReplicaHealth) {
    guard let index = entries.firstIndex(where: { $0.replica.podUID == podUID }), entries[index].health != .passed
    else { return }
    entries[index].health = health
    if health == .passed { dealSlots() }
  }

  /// Replicas that have to pass a check before they get a request, by pod UID; of one that the EndpointSlice says is ready
  /// its own readiness probe is not asked again.
  var unproven: [Replica] {
    entries.filter(\.isUnproven).map { entry in
      var replica = entry.replica
      if !entry.isEarly { replica.readinessProbe = nil }
      return replica
    }.sorted { $0.podUID < $1.podUID }
  }

  /// Some replica is just being asked for the first time.
  var isFirstCheckRunning: Bool { entries.contains { $0.isUnproven && $0.health == .unchecked && $0.replica.isReady } }

  var healthByPod: [String: ReplicaHealth] {
    Dictionary(entries.map { ($0.replica.podUID, $0.health) }, uniquingKeysWith: { first, _ in first })
  }

  private mutating func dealSlots() {
    for index in entries.indices where entries[index].isPresent {
      let replica = entries[index].replica
      entries[index].slots = share.slots(of: replica.maxConcurrency, podUID: replica.podUID)
    }
    grantLastSlot()
  }

  /// With fewer slots than gateways the deal may leave this one none at all, and its callers would wait for ever: then it
  /// takes one, at the price of one request above `maxConcurrency`.
  private mutating func grantLastSlot() {
    guard !entries.contains(where: { $0.accepts && $0.slots > 0 }) else { return }
    let candidates = entries.indices.filter { entries[$0].accepts }
    guard let index = candidates.min(by: { entries[$0].replica.podUID < entries[$1].replica.podUID }) else { return }
    entries[index].slots = 1
  }

  /// Some pod is there, ready or not, that is not on its way out.
  var hasPod: Bool { entries.contains { $0.isPresent && !$0.replica.isLeaving } }

  /// Some replica serves: requests are placed or wait for a slot, and nobody needs to be woken.
  var isAwake: Bool { entries.contains { $0.accepts } }

  /// This gateway's slots over all replicas that take requests.
  var slots: Int { entries.reduce(0) { $0 + ($1.accepts ? $1.slots : 0) } }

  /// When the first ejected replica may be tried again; nil: none is ejected.
  func nextReturn(now: Duration) -> Duration? {
    entries.lazy.filter { $0.accepts && $0.ejectedUntil > now }.map(\.ejectedUntil).min()
  }

  /// Requests in flight by pod UID, only where there are any.
  var inFlightByPod: [String: Int] {
    entries.reduce(into: [:]) { if $1.inFlight > 0 { $0[$1.replica.podUID, default: 0] += $1.inFlight } }
  }

  // MARK: - Slots

  /// Takes a slot: the first pool in `order` that has one, in it the replica with the least in flight.
  mutating func acquire(order: [Pool], now: Duration) -> Lease? {
    for pool in order {
      var best = -1
      for index in entries.indices where entries[index].replica.pool == pool && entries[index].hasSlot(now: now) {
        guard best >= 0 else {
          best = index
          continue
        }
        let (one, other) = (entries[index], entries[best])
        if (one.inFlight, one.lastUse) < (other.inFlight, other.lastUse) { best = index }
      }
      if best >= 0 { return take(best) }
    }
    return nil
  }

  private mutating func take(_ index: Int) -> Lease {
    turn += 1
    inFlight += 1
    entries[index].inFlight += 1
    entries[index].lastUse = turn
    let isFirst = !entries[index].wasUsed
    entries[index].wasUsed = true
    return Lease(
      index: index, generation: entries[index].generation, replica: entries[index].replica, isFirst: isFirst,
      isOnProbation: entries[index].failures > 0)
  }

  /// Gives a slot back. Returns true when that was the last request of a replica that is leaving.
  mutating func release(_ lease: Lease) -> Bool {
    guard let index = find(lease) else { return false }
    inFlight -= 1
    entries[index].inFlight -= 1
    guard entries[index].inFlight == 0 else { return false }
    let isLeaving = entries[index].replica.isLeaving || !entries[index].isPresent
    if !entries[index].isPresent { entries.remove(at: index) }
    return isLeaving
  }

  /// The replica answered: it is well.
  mutating func succeeded(_ lease: Lease) {
    if let index = find(lease), entries[index].failures > 0 { entries[index].forgive() }
  }

  /// The replica could not be reached or broke off before the first byte: others are tried first, for 250 ms and twice as
  /// long after each further failure, up to 8 s. The EndpointSlice alone says whether it is there at all.
  ///
  /// - Returns: whether it must be checked again, because nobody but this gateway has said that it is ready.
  mutating func failed(_ lease: Lease, now: Duration) -> Bool {
    guard let index = find(lease) else { return false }
    entries[index].failures = min(entries[index].failures + 1, 6)
    entries[index].ejectedUntil = now + .milliseconds(125 << entries[index].failures)
    guard entries[index].isEarly else { return false }
    entries[index].health = .failing(problem: "it failed a request before it was said to be ready")
    return true
  }

  private func find(_ lease: Lease) -> Int? {
    if entries.indices.contains(lease.index), entries[lease.index].generation == lease.generation { return lease.index }
    return entries.firstIndex { $0.generation == lease.generation }
  }
}
