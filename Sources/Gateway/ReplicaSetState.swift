import FleetProtocol

import struct FoundationEssentials.Date

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
    /// Requests at the replica with this one, over all gateways: others are taken to have as many more as this one has.
    var concurrency = 1
  }

  private struct Entry: Sendable {
    var replica: Replica
    var generation: Int
    /// This gateway's slots.
    var slots = 0
    /// What must be in flight at most before others may have what a new deal takes from this gateway.
    var bound = Int.max
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
    /// Time with a request in flight, but for the present one, which began at ``busySince``.
    var busy: Duration = .zero
    var busySince: Duration = .zero

    func busyMilliseconds(now: Duration) -> Int {
      (inFlight > 0 ? busy + max(.zero, now - busySince) : busy).wholeMilliseconds
    }

    /// It is said to serve, or may show by itself that it does.
    private var isCandidate: Bool {
      isPresent && !replica.isLeaving && (replica.isReady || (!wasReady && replica.readinessProbe != nil))
    }

    var accepts: Bool { isCandidate && health == .passed }

    /// Of the pools; a canary makes no service awake.
    var isStable: Bool { replica.pool != .canary }

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
  /// How the leader has the slots dealt; nil: evenly.
  private var table: SlotTable?
  /// When ``dealSlots(now:)`` must look at the table again; with no table, never.
  private var lapsesAt = Self.never
  /// At no replica is more in flight than the table's newest deal gives this gateway.
  private var isWithinTable = true
  /// Since when a request has found no replica that has a slot for this gateway, nor will have one when others are over.
  private var slotlessSince: Duration?
  private var generation = 0
  private var turn = 0
  /// Busy time of replicas that have gone, oldest first: whoever counts it may come later.
  private var departed: [(podUID: String, busyMilliseconds: Int)] = []
  private static let mostDeparted = 64
  private var rings: [Pool: (identities: [String], ring: AffinityRing)] = [:]
  /// Requests in flight at all replicas.
  private(set) var inFlight = 0

  // MARK: - The set

  /// Takes over the replicas of a new view. Returns the UIDs that have gone: their idle connections must go too.
  mutating func update(_ replicas: [Replica], share: GatewayShare) -> [String] {
    // Deals among other gateways mean nothing now.
    if share != self.share { forgetTable() }
    self.share = share
    var wanted = Dictionary(replicas.map { ($0.podUID, $0) }, uniquingKeysWith: { first, _ in first })
    var gone: [String] = []
    for index in entries.indices {
      if let replica = wanted.removeValue(forKey: entries[index].replica.podUID) {
        // A pod that turned ready again starts with a clean record.
        let old = entries[index].replica
        let wasServing = old.isReady && !old.isLeaving
        let wasEarly = entries[index].isEarly && entries[index].health == .passed
        if replica.isReady, !replica.isLeaving, !wasServing { entries[index].forgive() }
        // A slice tells the time of its latest change, which may be another pod's: the first telling counts.
        let since = wasServing || wasEarly ? entries[index].replica.readySince : replica.readySince
        entries[index].replica = replica
        entries[index].replica.readySince = since
        entries[index].isPresent = true
        if replica.isReady { entries[index].wasReady = true }
      } else if entries[index].isPresent {
        entries[index].isPresent = false
        gone.append(entries[index].replica.podUID)
      }
    }
    for entry in entries where !entry.isPresent && entry.inFlight == 0 { depart(entry) }
    entries.removeAll { !$0.isPresent && $0.inFlight == 0 }
    for replica in wanted.values.sorted(by: { $0.podUID < $1.podUID }) {
      generation += 1
      entries.append(Entry(replica: replica, generation: generation, wasReady: replica.isReady))
    }
    dealSlots()
    return gone
  }

  /// Notes what a health check found; the first that passes opens the gate, for as long as the pod is there.
  /// - Parameter wall: when. Before the EndpointSlice says so, that is when the pod is ready; nil: it is not to be noted.
  mutating func checked(_ podUID: String, _ health: ReplicaHealth, at wall: Date? = nil) {
    guard let index = entries.firstIndex(where: { $0.replica.podUID == podUID }), entries[index].health != .passed
    else { return }
    entries[index].health = health
    guard health == .passed else { return }
    if entries[index].isEarly, let wall { entries[index].replica.readySince = wall }
    dealSlots()
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
  var isFirstCheckRunning: Bool {
    entries.contains { $0.isStable && $0.isUnproven && $0.health == .unchecked && $0.replica.isReady }
  }

  var healthByPod: [String: ReplicaHealth] {
    Dictionary(entries.map { ($0.replica.podUID, $0.health) }, uniquingKeysWith: { first, _ in first })
  }

  /// Some pod is there, ready or not, that is not on its way out.
  var hasPod: Bool { entries.contains { $0.isStable && $0.isPresent && !$0.replica.isLeaving } }

  /// Some replica serves: requests are placed or wait for a slot, and nobody needs to be woken.
  var isAwake: Bool { entries.contains { $0.isStable && $0.accepts } }

  /// Some replica of the canary serves.
  var hasCanary: Bool { entries.contains { !$0.isStable && $0.accepts } }

  /// When more can be taken though no request ends: the first ejected replica may be tried again, or the last resort of a
  /// gateway without slots is open. Nil: then only when something else happens.
  func nextReturn(now: Duration) -> Duration? {
    let returns = entries.lazy.filter { $0.accepts && $0.ejectedUntil > now }.map(\.ejectedUntil).min()
    guard let slotlessSince else { return returns }
    return min(returns ?? Self.never, max(now, slotlessSince + Self.slotlessPatience))
  }

  /// Requests in flight by pod UID, only where there are any.
  var inFlightByPod: [String: Int] {
    entries.reduce(into: [:]) { if $1.inFlight > 0 { $0[$1.replica.podUID, default: 0] += $1.inFlight } }
  }

  /// Time with a request in flight by pod UID, only where there was any; with the replicas that went lately.
  func busyMilliseconds(now: Duration) -> [String: Int] {
    let present = entries.map { ($0.replica.podUID, $0.busyMilliseconds(now: now)) }
    return Dictionary((departed + present).filter { $0.1 > 0 }, uniquingKeysWith: +)
  }

  private mutating func depart(_ entry: Entry) {
    guard entry.busy > .zero else { return }
    if departed.count == Self.mostDeparted { departed.removeFirst() }
    departed.append((entry.replica.podUID, entry.busy.wholeMilliseconds))
  }

  var inFlightByPool: [Pool: Int] { entries.reduce(into: [:]) { $0[$1.replica.pool, default: 0] += $1.inFlight } }

  // MARK: - Slots

  /// How long a request waits at a gateway without any slot before it takes one that is not there. A leader that hears of
  /// it deals otherwise within milliseconds.
  static let slotlessPatience: Duration = .seconds(2)
  private static let never: Duration = .seconds(Int64.max)

  /// This gateway's slots over all replicas that take requests.
  var slots: Int { entries.reduce(0) { $0 + ($1.accepts ? $1.slots : 0) } }

  /// Slots that those who wait may get.
  private var stableSlots: Int { entries.reduce(0) { $0 + ($1.isStable && $1.accepts ? $1.slots : 0) } }

  /// All gateways' slots over all replicas that take requests.
  var capacity: Int { entries.reduce(0) { $0 + ($1.accepts ? $1.replica.maxConcurrency : 0) } }

  /// Epoch of the leader's deal if this gateway keeps to it; nil: it does not yet, or slots are shared evenly.
  var slotsEpoch: Int? { isWithinTable ? table?.epoch : nil }

  /// Takes what the leader says. True: that is news, which it waits to be told.
  mutating func take(_ deal: ServiceSlots, now: Duration) -> Bool {
    _ = lapse(now: now)
    let before = table?.epoch
    if var known = table {
      guard known.take(deal, now: now) else { return false }
      table = known
    } else {
      table = SlotTable(deal, now: now)
    }
    lapsesAt = table?.lapsesAt ?? Self.never
    dealSlots()
    return before != deal.epoch
  }

  /// Lets the leader's word lapse, as far as it is time. True: it has, and there may be more slots than before.
  mutating func lapse(now: Duration) -> Bool {
    guard now >= lapsesAt else { return false }
    if table?.lapse(now: now) == true {
      lapsesAt = table?.lapsesAt ?? Self.never
    } else {
      forgetTable()
    }
    dealSlots()
    return true
  }

  private mutating func forgetTable() {
    table = nil
    lapsesAt = Self.never
  }

  private mutating func dealSlots() {
    slotlessSince = nil
    for index in entries.indices where entries[index].isPresent {
      let (limit, uid) = (entries[index].replica.maxConcurrency, entries[index].replica.podUID)
      let even = share.slots(of: limit, podUID: uid)
      entries[index].slots = table?.slots(of: limit, podUID: uid, index: share.index) ?? even
      entries[index].bound = table?.bound(of: limit, podUID: uid, index: share.index) ?? Int.max
    }
    _ = checkTable()
  }

  /// Looks whether this gateway keeps to the newest deal.
  private mutating func checkTable() -> Bool {
    isWithinTable = entries.allSatisfy { !$0.isPresent || $0.inFlight <= $0.bound }
    return isWithinTable
  }

  /// A request found no slot: with fewer slots than gateways there may be none for this one, and no leader to change that.
  mutating func noteSlotless(now: Duration) {
    if table == nil, slotlessSince == nil, isAwake, stableSlots == 0 { slotlessSince = now }
  }

  /// Callers would wait for ever: takes a slot after a while, at the price of one request above `maxConcurrency`.
  private mutating func resort(since: Duration, now: Duration) {
    let waited = now - since
    guard waited >= Self.slotlessPatience else { return }
    slotlessSince = nil
    // Whoever asked so long ago has left meanwhile.
    guard waited < Self.slotlessPatience * 2, stableSlots == 0 else { return }
    let candidates = entries.indices.filter { entries[$0].isStable && entries[$0].accepts }
    guard let index = candidates.min(by: { entries[$0].replica.podUID < entries[$1].replica.podUID }) else { return }
    entries[index].slots = 1
  }

  // MARK: - Leases

  /// Whether one of the pools has a slot; as of the last ``refresh(now:)``.
  func hasSlot(order: [Pool], now: Duration) -> Bool {
    entries.contains { order.contains($0.replica.pool) && $0.hasSlot(now: now) }
  }

  /// Brings the slots up to date with the time.
  mutating func refresh(now: Duration) {
    if now >= lapsesAt { _ = lapse(now: now) }
    if let slotlessSince { resort(since: slotlessSince, now: now) }
  }

  /// Takes a slot: the first pool in `order` that has one, in it the replica with the least in flight, or the one that the
  /// affinity's ring names.
  mutating func acquire(order: [Pool], affinity: UInt64? = nil, now: Duration) -> Lease? {
    refresh(now: now)
    for pool in order {
      if let affinity {
        if let index = preferred(in: pool, affinity, now: now) { return take(index, now: now) }
        continue
      }
      var best = -1
      for index in entries.indices where entries[index].replica.pool == pool && entries[index].hasSlot(now: now) {
        guard best >= 0 else {
          best = index
          continue
        }
        let (one, other) = (entries[index], entries[best])
        if (one.inFlight, one.lastUse) < (other.inFlight, other.lastUse) { best = index }
      }
      if best >= 0 { return take(best, now: now) }
    }
    noteSlotless(now: now)
    return nil
  }

  /// The replica whose cache is likely to have what the key stands for, within the bound on its load; if all that have a
  /// slot are above it, the one with the least.
  private mutating func preferred(in pool: Pool, _ key: UInt64, now: Duration) -> Int? {
    let members = entries.indices.filter { entries[$0].replica.pool == pool && entries[$0].accepts }
    guard !members.isEmpty else { return nil }
    let identities = members.map { entries[$0].replica.podUID }
    if rings[pool]?.identities != identities { rings[pool] = (identities, AffinityRing(identities)) }
    let inFlight = members.reduce(0) { $0 + entries[$1].inFlight }
    let bound = AffinityRing.bound(inFlight: inFlight, replicas: members.count)
    let found = rings[pool]?.ring.replica(for: key) { member in
      let entry = entries[members[member]]
      return entry.hasSlot(now: now) && entry.inFlight < bound
    }
    if let found { return members[found] }
    return members.filter { entries[$0].hasSlot(now: now) }.min { entries[$0].inFlight < entries[$1].inFlight }
  }

  private mutating func take(_ index: Int, now: Duration) -> Lease {
    if entries[index].inFlight == 0 { entries[index].busySince = now }
    turn += 1
    inFlight += 1
    entries[index].inFlight += 1
    entries[index].lastUse = turn
    let isFirst = !entries[index].wasUsed
    entries[index].wasUsed = true
    return Lease(
      index: index, generation: entries[index].generation, replica: entries[index].replica, isFirst: isFirst,
      isOnProbation: entries[index].failures > 0,
      concurrency: 1 + (entries[index].inFlight - 1) * max(1, share.count))
  }

  /// Gives a slot back. Returns true when the controller waits for that: it was the last request of a replica that is
  /// leaving, or the last one above what a new deal gives this gateway.
  mutating func release(_ lease: Lease, now: Duration = .zero) -> Bool {
    guard let index = find(lease) else { return false }
    if entries[index].inFlight == 1 { entries[index].busy += max(.zero, now - entries[index].busySince) }
    inFlight -= 1
    entries[index].inFlight -= 1
    let hasComeWithin = !isWithinTable && checkTable()
    guard entries[index].inFlight == 0 else { return hasComeWithin }
    let isLeaving = entries[index].replica.isLeaving || !entries[index].isPresent
    if !entries[index].isPresent { depart(entries.remove(at: index)) }
    return isLeaving || hasComeWithin
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

extension Duration {
  /// Rounded down.
  var wholeMilliseconds: Int {
    let (seconds, attoseconds) = components
    return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
  }
}
