import Decisions
import EventLoop
import FleetProtocol
import Synchronization
import Telemetry

/// How a held request's wait ended.
enum HoldOutcome: Sendable {
  /// It has a slot, to be given back to the gate.
  case placed(ReplicaSetState.Lease, ServiceGate)
  case refused(GatewayError)
}

/// One service's state, shared by all loops behind one lock, and the requests that wait on it.
///
/// Decisions are ``ServiceState``'s; this lets requests go on, outside of the lock. Whoever takes a request out of the
/// queue ends its wait, so each wait ends exactly once.
final class ServiceGate: Sendable {
  typealias Ticket = HoldQueue<HeldCall>.Ticket

  let key: ServiceKey
  let metrics: ServiceMetrics
  private let state: Mutex<ServiceState<HeldCall>>
  private let tally = Mutex(ServiceTally())
  private let signal: any WakeSignal
  private let feed: LoadFeed

  init(
    route: ServiceRoute, share: GatewayShare, metrics: ServiceMetrics, signal: any WakeSignal, feed: LoadFeed
  ) {
    self.key = route.key
    self.metrics = metrics
    self.signal = signal
    self.feed = feed
    state = Mutex(ServiceState(route: route, share: share))
  }

  // MARK: - Requests

  /// Counts a request as demand, once.
  func arrived(wallUnix: Double) { state.withLock { $0.arrived(wallUnix: wallUnix) } }

  var isAwake: Bool { state.withLock { $0.isAwake } }

  /// Places a request, or says that it must wait or why it cannot. `now` is in nanoseconds.
  func admit(
    patience: Duration, counts: Bool, tenant: UInt64, order: [Pool]?, affinity: UInt64?, isRetry: Bool, now: Int64,
    wallUnix: Double
  ) -> Admission {
    state.withLock {
      $0.admit(
        patience: patience, counts: counts, tenant: tenant, order: order, affinity: affinity, isRetry: isRetry,
        now: .nanoseconds(now), wallUnix: wallUnix)
    }
  }

  /// The error for a request that the gateway as a whole has no room for.
  func fullAdvice(now: Int64) -> GatewayError {
    .gatewayFull(retryAfter: state.withLock { $0.waitOver(now: .nanoseconds(now)).retryAfter } ?? 1)
  }

  /// Puts a request in line, until a replica has a slot for it or it is withdrawn. On the request's loop.
  func hold(_ entry: HoldQueue<HeldCall>.Entry, isRetry: Bool, on loop: EventLoop) -> Ticket {
    let now = loop.now
    let wall = loop.turnWallUnix
    let (ticket, verdicts, held, needsWake, heldSince) = state.withLock { state in
      let ticket = state.hold(entry, first: isRetry, now: now)
      // A slot may have come free since admission.
      let verdicts = state.release(now: now, wallUnix: wall)
      return (ticket, verdicts, state.queue.count, state.needsWake, state.queue.oldestArrival)
    }
    deliver(verdicts)
    if needsWake, held == 1 {
      signal.wake(key, heldSinceUnix: wall - (now - (heldSince ?? now)).seconds)
    }
    // News for the controller: the first one held, and each doubling of the line.
    if held > 0, held & (held - 1) == 0 { feed.signal() }
    schedulePump(on: loop)
    return ticket
  }

  /// The patience of a held request is over: the error for it; nil when its wait has ended otherwise.
  func expire(_ ticket: Ticket, at now: Int64) -> GatewayError? {
    let now = Duration.nanoseconds(now)
    return state.withLock { $0.withdraw(ticket, now: now) == nil ? nil : $0.waitOver(now: now) }
  }

  /// Takes a request out of the line; false when its wait has ended otherwise.
  func withdraw(_ ticket: Ticket, at now: Int64) -> Bool {
    state.withLock { $0.withdraw(ticket, now: .nanoseconds(now)) != nil }
  }

  /// A request is over: its slot goes to whoever waits. `now` is in nanoseconds.
  func finish(
    _ lease: ReplicaSetState.Lease, _ end: AttemptEnd, counts: Bool, took: Duration?,
    measure: AttemptMeasure? = nil, now: Int64, wallUnix: Double
  ) {
    let now = Duration.nanoseconds(now)
    let (verdicts, emptied) = state.withLock { state in
      let emptied = state.finish(lease, end, counts: counts, took: took, measure: measure, now: now)
      return (state.release(now: now, wallUnix: wallUnix), emptied)
    }
    deliver(verdicts)
    // The controller waits for this to take the replica away.
    if emptied { feed.signal() }
  }

  func succeeded(_ lease: ReplicaSetState.Lease) { state.withLock { $0.succeeded(lease) } }

  /// The first byte of a request that found the service asleep goes out. `now` is in nanoseconds.
  func sentAfterWake(now: Int64) {
    if let phases = state.withLock({ $0.sentAfterWake(now: .nanoseconds(now)) }) { metrics.woke(phases) }
  }

  /// The replica could not take a request; others are tried first. `now` is in nanoseconds.
  ///
  /// - Returns: whether it must be checked again.
  func failed(_ lease: ReplicaSetState.Lease, now: Int64) -> Bool {
    state.withLock { $0.failed(lease, now: .nanoseconds(now)) }
  }

  /// Sees to it that held requests go on when a replica that failed may be tried again.
  private func schedulePump(on loop: EventLoop) {
    let now = loop.now
    guard let delay = state.withLock({ $0.pumpDelay(now: now) }) else { return }
    _ = loop.schedule(after: delay) { [self] in
      pump(Now(monotonic: loop.now, wall: loop.wallClock))
      schedulePump(on: loop)
    }
  }

  /// Releases what can be released.
  func pump(_ now: Now) {
    let wall = now.wall.timeIntervalSince1970
    deliver(state.withLock { $0.release(now: now.monotonic, wallUnix: wall) })
  }

  private func deliver(_ verdicts: ServiceState<HeldCall>.Verdicts) {
    for (entry, lease) in verdicts.placed { entry.payload.end(.placed(lease, self)) }
    for (entry, error) in verdicts.refused { entry.payload.end(.refused(error)) }
  }

  // MARK: - The view

  /// Takes over a new view; call ``pump(_:)`` when all are taken over. Returns the UIDs of pods that have gone.
  func update(route: ServiceRoute, share: GatewayShare, now: Now) -> [String] {
    let (gone, isNews, fellAsleep) = state.withLock { state in
      let (epoch, neededWake) = (state.route.drainEpoch, state.needsWake)
      let gone = state.update(route: route, share: share, now: now.monotonic)
      return (gone, epoch != route.drainEpoch, state.needsWake && !neededWake)
    }
    // Its last replica went while requests waited for a slot.
    if fellAsleep { renewWake(now) }
    if isNews || fellAsleep { feed.signal() }
    return gone
  }

  /// The service has left the view.
  func retire() -> [String] { state.withLock { $0.retire() } }

  /// It has left the view and nothing is in flight.
  var isFinished: Bool { state.withLock { !$0.isPresent && $0.isIdle } }

  /// Asks again for a wake that is still needed.
  func renewWake(_ now: Now) {
    let oldest = state.withLock { $0.needsWake ? $0.queue.oldestArrival : nil }
    guard let oldest else { return }
    signal.wake(key, heldSinceUnix: now.wall.timeIntervalSince1970 - (now.monotonic - oldest).seconds)
  }

  // MARK: - Slots by demand

  /// Takes the leader's deal; held requests go on if it gives this gateway more. True: the leader waits to be told.
  func take(_ deal: ServiceSlots, now: Now) -> Bool {
    let isNews = state.withLock { $0.take(deal, now: now.monotonic) }
    if isNews { pump(now) }
    return isNews
  }

  /// Lets the leader's deal lapse, as far as it is time. True: it has.
  func lapseSlots(_ now: Now) -> Bool {
    let hasLapsed = state.withLock { $0.lapseSlots(now: now.monotonic) }
    if hasLapsed { pump(now) }
    return hasLapsed
  }

  // MARK: - Health

  var unproven: [HealthGate.Check] { state.withLock { $0.unproven } }
  var healthByPod: [String: ReplicaHealth] { state.withLock { $0.healthByPod } }

  /// A health check is over: held requests go on if it passed.
  func checked(_ podUID: String, _ health: ReplicaHealth, now: Now) {
    let mustWake = state.withLock { state in
      let neededWake = state.needsWake
      state.checked(podUID, health, at: now.wall)
      return state.needsWake && !neededWake
    }
    // What looked like a replica that serves is none yet.
    if mustWake { renewWake(now) }
    pump(now)
  }

  // MARK: - Reporting

  /// Counts a request that is over. `now` is in nanoseconds.
  func account(_ call: Call, now: Int64) {
    let entry = ServiceTally.Entry(call, now: now)
    tally.withLock { $0.add(entry) }
  }

  /// What has been counted, as far as it changed after the revision, and the present revision.
  func account(after revision: Int?, now: Now) -> (account: ServiceAccount, revision: Int) {
    let busy = state.withLock { $0.busyMilliseconds(now: now.monotonic) }
    return tally.withLock { $0.account(after: revision, busy: busy, now: now) }
  }

  /// Requests at replicas now, whether they count as demand or not.
  var inFlightByPool: [Pool: Int] { state.withLock { $0.inFlightByPool } }

  /// Counts whatever changed; equal numbers mean that there is no news.
  func report(_ now: Now) -> (load: ServiceLoad, revision: Int) {
    let wall = now.wall.timeIntervalSince1970
    return state.withLock { ($0.report(now: now.monotonic, wallUnix: wall), $0.load.revision) }
  }
}
