import FleetProtocol
import Telemetry

import struct FoundationEssentials.Date

/// What becomes of a request at admission.
enum Admission: Sendable {
  /// It goes to a replica now.
  case placed(ReplicaSetState.Lease)
  /// It must wait: call ``ServiceState/hold(_:first:now:)``. `asleep`: nobody is there to answer, the model must wake.
  case mustWait(asleep: Bool)
  case refused(GatewayError)
}

/// One service at this gateway: its queue, replicas and load, as one value that decides and a shell that acts.
///
/// `Waiter` is whatever the shell needs to let a held request go on.
struct ServiceState<Waiter: Sendable>: Sendable {
  typealias Entry = HoldQueue<Waiter>.Entry

  /// Held requests whose wait is over, with what they got.
  struct Verdicts: Sendable {
    var placed: [(entry: Entry, lease: ReplicaSetState.Lease)] = []
    var refused: [(entry: Entry, error: GatewayError)] = []
    var isEmpty: Bool { placed.isEmpty && refused.isEmpty }
  }

  private(set) var route: ServiceRoute
  private var share: GatewayShare
  private(set) var queue = HoldQueue<Waiter>()
  private(set) var load = LoadAccount()
  private var replicas = ReplicaSetState()
  private var pace = ServicePace()
  private var canary = CanaryShare()
  /// When the service was first needed while asleep; nil: it is awake or nobody waits.
  private(set) var wakingSince: Duration?
  /// The cold start that is under way, until its first byte goes out.
  private var coldStart: ColdStart?
  /// When a timer will look at the queue again.
  private var pumpAt: Duration?
  /// False: it has left the view.
  private(set) var isPresent = true

  init(route: ServiceRoute, share: GatewayShare) {
    self.route = route
    self.share = share
    _ = replicas.update(route.replicas, share: share)
  }

  var isAwake: Bool { replicas.isAwake }
  /// Somebody waits and nobody is there to answer, nor about to be known to be there.
  var needsWake: Bool { !queue.isEmpty && !isAwake && !replicas.isFirstCheckRunning }
  /// Nothing is left to do for a service that has gone.
  var isIdle: Bool { queue.isEmpty && replicas.inFlight == 0 }
  /// How long until an ejected replica may be tried again while requests wait; nil: no timer is needed, or one is set.
  mutating func pumpDelay(now: Duration) -> Duration? {
    guard !queue.isEmpty, let next = replicas.nextReturn(now: now) else { return nil }
    if let pumpAt, pumpAt > now, pumpAt <= next { return nil }
    pumpAt = next
    return next - now
  }

  // MARK: - Arrival

  /// Counts a request as demand. Called once per request, before ``admit(patience:counts:now:wallUnix:)``.
  mutating func arrived(wallUnix: Double) { load.arrived(wall: wallUnix) }

  /// Tries to place a request that has just come or that another replica has failed.
  ///
  /// - Parameters:
  ///   - patience: How long the caller waits at most; zero: not at all.
  ///   - counts: It is demand. One that is not (a health check) is never held and does not show as load.
  ///   - tenant: Who asks, as ``HoldQueue/Entry/tenant``.
  ///   - order: Pools to try; nil: the service's own order.
  ///   - affinity: Stands for what a replica may have in its cache.
  ///   - isRetry: Another replica has failed it: it is not tried on a canary.
  mutating func admit(
    patience: Duration, counts: Bool, tenant: UInt64 = 0, order: [Pool]? = nil, affinity: UInt64? = nil,
    isRetry: Bool = false, now: Duration, wallUnix: Double
  ) -> Admission {
    guard isPresent else { return .refused(.serviceGone(route.key)) }
    if let refusal = refusal(wallUnix: wallUnix) {
      return .refused(.refusedByController(refusal, service: route, wallUnix: wallUnix))
    }
    if route.canaryPercent > 0, counts, !isRetry, let lease = canaryLease(affinity, now: now) {
      load.change(inFlight: 1, now: now)
      return .placed(lease)
    }
    // Who comes later does not overtake those who wait for the same places.
    if !counts || !isPreceded(by: order ?? route.order, now: now),
      let lease = replicas.acquire(order: order ?? route.order, affinity: affinity, now: now)
    {
      if counts { load.change(inFlight: 1, now: now) }
      return .placed(lease)
    }
    guard counts else { return .refused(isAwake ? saturated() : .asleep(route)) }
    guard patience > .zero else { return .refused(waitOver(now: now)) }
    guard queue.count < route.maxHeld else {
      return .refused(.queueFull(route, held: queue.count, retryAfter: retryAfter(now: now)))
    }
    if route.tenantLimit < route.maxHeld, queue.count(ofTenant: tenant) >= route.tenantLimit {
      return .refused(.tenantFull(route, retryAfter: retryAfter(now: now)))
    }
    return .mustWait(asleep: !isAwake)
  }

  /// A slot of the canary where it is its turn. Where it has none the turn is lost, and the pools serve. Those who wait do not
  /// wait for the canary, so they are not overtaken.
  private mutating func canaryLease(_ affinity: UInt64?, now: Duration) -> ReplicaSetState.Lease? {
    guard replicas.hasCanary, canary.takesTurn(percent: route.canaryPercent) else { return nil }
    return replicas.acquire(order: Pool.canaryOnly, affinity: affinity, now: now)
  }

  /// Whether somebody waits who would take a place in one of these pools.
  private mutating func isPreceded(by order: [Pool], now: Duration) -> Bool {
    guard !queue.isEmpty else { return false }
    replicas.refresh(now: now)
    return queue.isWaiting { kind in
      replicas.hasSlot(order: PoolOrder(kind: kind).pools(own: route.order).filter(order.contains), now: now)
    }
  }

  /// Why nobody is held now; nil: there is a replica, or one may be woken.
  private func refusal(wallUnix: Double) -> Refusal? {
    guard let refusal = route.refusal, refusal.always || !isAwake else { return nil }
    return refusal.isInForce(wallUnix: wallUnix) ? refusal : nil
  }

  /// Puts a request in line. The ticket takes it out again.
  mutating func hold(_ entry: Entry, first: Bool, now: Duration) -> HoldQueue<Waiter>.Ticket {
    if !isAwake, wakingSince == nil {
      wakingSince = now
      coldStart = ColdStart(began: now)
      if replicas.hasPod { coldStart?.podAppeared(now) }
    }
    load.change(held: 1, now: now)
    return queue.insert(entry, first: first)
  }

  // MARK: - Leaving

  /// A held request's caller left, or its deadline passed; nil: it is not held any more.
  mutating func withdraw(_ ticket: HoldQueue<Waiter>.Ticket, now: Duration) -> Entry? {
    guard let entry = queue.remove(ticket) else { return nil }
    load.change(held: -1, now: now)
    if queue.isEmpty { wakingSince = nil }
    return entry
  }

  /// The error for a request whose patience is over.
  func waitOver(now: Duration) -> GatewayError {
    isAwake ? saturated() : .stillWaking(route, retryAfter: retryAfter(now: now))
  }

  private func saturated() -> GatewayError {
    .saturated(route, retryAfter: pace.untilPlace(held: queue.count, slots: replicas.slots))
  }

  private func retryAfter(now: Duration) -> Int {
    isAwake
      ? pace.untilPlace(held: queue.count, slots: replicas.slots)
      : pace.untilAwake(elapsed: wakingSince.map { now - $0 } ?? .zero, hint: route.coldStartHint)
  }

  /// The first byte of a request that woke the service goes out: the phases of that cold start, once.
  mutating func sentAfterWake(now: Duration) -> [ColdStart.Phase: Double]? {
    guard let phases = coldStart?.phases(firstByte: now) else { return nil }
    coldStart = nil
    return phases
  }

  // MARK: - Slots

  /// A request is over: its slot goes to whoever waits. Returns whether that emptied a replica that is leaving.
  mutating func finish(
    _ lease: ReplicaSetState.Lease, _ end: AttemptEnd = .abandoned, counts: Bool, took: Duration?,
    measure: AttemptMeasure? = nil, now: Duration
  ) -> Bool {
    if counts {
      if let measure { load.measured(measure, concurrency: lease.concurrency) }
      load.change(inFlight: -1, now: now)
      if route.canaryPercent > 0 { canary.count(lease.replica.pool, end) }
    }
    if let took { pace.served(in: took) }
    return replicas.release(lease, now: now)
  }

  mutating func succeeded(_ lease: ReplicaSetState.Lease) { replicas.succeeded(lease) }

  /// Notes that a replica could not take a request. - Returns: whether it must be checked again.
  mutating func failed(_ lease: ReplicaSetState.Lease, now: Duration) -> Bool { replicas.failed(lease, now: now) }

  /// Gives free slots to those who wait, in order, as many as there are: never a herd.
  mutating func release(now: Duration, wallUnix: Double) -> Verdicts {
    var verdicts = Verdicts()
    guard !queue.isEmpty else { return verdicts }
    if !isPresent {
      refuseAll(.serviceGone(route.key), &verdicts, now: now)
      return verdicts
    }
    if let refusal = refusal(wallUnix: wallUnix) {
      refuseAll(.refusedByController(refusal, service: route, wallUnix: wallUnix), &verdicts, now: now)
      return verdicts
    }
    while let (entry, lease) = nextPlaced(now: now) {
      load.change(held: -1, inFlight: 1, now: now)
      verdicts.placed.append((entry, lease))
    }
    if isAwake, let since = wakingSince {
      pace.woke(in: now - since)
      wakingSince = nil
      coldStart?.becameHealthy(now)
    }
    return verdicts
  }

  /// Who is next of those that there is a slot for, with that slot.
  private mutating func nextPlaced(now: Duration) -> (Entry, ReplicaSetState.Lease)? {
    guard !queue.isEmpty else { return nil }
    replicas.refresh(now: now)
    let entry = queue.popFirst { kind in
      replicas.hasSlot(order: PoolOrder(kind: kind).pools(own: route.order), now: now)
    }
    guard let entry,
      let lease = replicas.acquire(order: PoolOrder(kind: entry.kind).pools(own: route.order), now: now)
    else {
      replicas.noteSlotless(now: now)
      return nil
    }
    return (entry, lease)
  }

  private mutating func refuseAll(_ error: GatewayError, _ verdicts: inout Verdicts, now: Duration) {
    verdicts.refused = queue.removeAll().map { ($0, error) }
    load.change(held: -verdicts.refused.count, now: now)
    wakingSince = nil
  }

  // MARK: - The view

  /// Takes over a new view of the service. Returns the UIDs of pods that have gone. Call ``release(now:wallUnix:)`` next.
  mutating func update(route: ServiceRoute, share: GatewayShare, now: Duration) -> [String] {
    if isPresent, route == self.route, share == self.share { return [] }
    isPresent = true
    self.route = route
    self.share = share
    let gone = replicas.update(route.replicas, share: share)
    if !queue.isEmpty, !isAwake, wakingSince == nil {
      wakingSince = now
      coldStart = ColdStart(began: now)
    }
    if replicas.hasPod { coldStart?.podAppeared(now) }
    return gone
  }

  /// The service is in the view no more.
  mutating func retire() -> [String] {
    isPresent = false
    return replicas.update([], share: GatewayShare())
  }

  // MARK: - Slots by demand

  /// Takes the leader's deal. True: it waits to be told. Call ``release(now:wallUnix:)`` next.
  mutating func take(_ deal: ServiceSlots, now: Duration) -> Bool { replicas.take(deal, now: now) }

  /// Lets the leader's deal lapse, as far as it is time. True: it has. Call ``release(now:wallUnix:)`` next.
  mutating func lapseSlots(now: Duration) -> Bool { replicas.lapse(now: now) }

  // MARK: - Health

  /// Replicas that are said to serve and have not passed their health check.
  var unproven: [HealthGate.Check] {
    replicas.unproven.map {
      HealthGate.Check(
        id: HealthGate.ReplicaID(service: route.key, podUID: $0.podUID), address: $0.address, tls: $0.tls,
        readinessProbe: $0.readinessProbe, healthCheck: route.healthCheck)
    }
  }

  var healthByPod: [String: ReplicaHealth] { replicas.healthByPod }
  var inFlightByPool: [Pool: Int] { replicas.inFlightByPool }
  func busyMilliseconds(now: Duration) -> [String: Int] { replicas.busyMilliseconds(now: now) }

  /// Notes what a health check found. Call ``release(now:wallUnix:)`` next.
  mutating func checked(_ podUID: String, _ health: ReplicaHealth, at wall: Date? = nil) {
    replicas.checked(podUID, health, at: wall)
  }

  // MARK: - Reporting

  /// What the load stream says of it.
  mutating func report(now: Duration, wallUnix: Double) -> ServiceLoad {
    ServiceLoad(
      namespace: route.key.namespace, name: route.key.name, held: load.held, inFlight: load.inFlight,
      inFlightByPod: replicas.inFlightByPod, requestsTotal: load.requestsTotal,
      concurrencySeconds: load.concurrencySeconds(now: now),
      heldSinceUnix: queue.oldestArrival.map { wallUnix - (now - $0).seconds },
      lastRequestUnix: load.lastRequestUnix, drainEpochSeen: route.drainEpoch, capacity: replicas.capacity,
      slots: replicas.slots, slotsEpoch: replicas.slotsEpoch, canaryAnswers: canary.answers?.canary,
      stableAnswers: canary.answers?.stable, promptTokensTotal: load.promptTokensTotal,
      outputTokensTotal: load.outputTokensTotal, service: load.service)
  }
}
