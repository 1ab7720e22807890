import EventLoop
import FleetProtocol
import Synchronization
import Telemetry

/// How a held request's wait ended.
enum HoldOutcome: Sendable {
  case placed(ReplicaSetState.Lease)
  case refused(GatewayError)
  /// The caller went away.
  case left
}

/// One service's state, shared by all loops behind one lock, and the requests that wait on it.
///
/// Decisions are ``ServiceState``'s; this lets requests go on, outside of the lock. Whoever takes a request out of the
/// queue resumes it, so each is resumed exactly once.
final class ServiceGate: Sendable {
  typealias Waiter = UnsafeContinuation<HoldOutcome, Never>

  let key: ServiceKey
  let metrics: ServiceMetrics
  private let state: Mutex<ServiceState<Waiter>>
  private let budget: HoldBudget
  private let signal: any WakeSignal
  private let feed: LoadFeed

  init(
    route: ServiceRoute, share: GatewayShare, budget: HoldBudget, metrics: ServiceMetrics, signal: any WakeSignal,
    feed: LoadFeed
  ) {
    self.key = route.key
    self.metrics = metrics
    self.budget = budget
    self.signal = signal
    self.feed = feed
    state = Mutex(ServiceState(route: route, share: share))
  }

  // MARK: - Requests

  /// Counts a request as demand, once.
  func arrived(_ now: Now) {
    let wall = now.wall.timeIntervalSince1970
    state.withLock { $0.arrived(wallUnix: wall) }
  }

  var isAwake: Bool { state.withLock { $0.isAwake } }

  /// Places a request, or says that it must wait or why it cannot.
  func admit(patience: Duration, counts: Bool, now: Now) -> Admission {
    let wall = now.wall.timeIntervalSince1970
    return state.withLock { $0.admit(patience: patience, counts: counts, now: now.monotonic, wallUnix: wall) }
  }

  /// Holds a request until a replica has a slot for it, its patience ends or its caller leaves. On the exchange's loop.
  func hold(_ exchange: HTTPExchange, _ place: HoldPlace) async -> HoldOutcome {
    guard budget.takePlace() else {
      let advice = state.withLock { $0.waitOver(now: place.now.monotonic).retryAfter }
      return .refused(.gatewayFull(retryAfter: advice ?? 1))
    }
    defer { budget.returnPlace() }
    let loop = exchange.loop
    var timer: TimerID?
    let outcome = await withUnsafeContinuation { (waiter: Waiter) in
      guard !exchange.isDisconnected else {
        waiter.resume(returning: .left)
        return
      }
      let ticket = line(up: waiter, place, on: loop)
      timer = loop.schedule(after: place.patience) { [self] in expire(ticket, at: loop.now) }
      exchange.onDisconnect { [self] in leave(ticket, at: loop.now) }
    }
    if let timer { loop.cancel(timer) }
    exchange.onDisconnect(nil)
    return outcome
  }

  private func line(up waiter: Waiter, _ place: HoldPlace, on loop: EventLoop) -> HoldQueue<Waiter>.Ticket {
    let entry = HoldQueue<Waiter>.Entry(
      payload: waiter, arrival: place.arrival, bytes: place.bytes, urgency: place.urgency)
    let now = place.now
    let wall = now.wall.timeIntervalSince1970
    let (ticket, verdicts, held, needsWake, heldSince) = state.withLock { state in
      let ticket = state.hold(entry, first: place.isRetry, now: now.monotonic)
      // A slot may have come free since admission.
      let verdicts = state.release(now: now.monotonic, wallUnix: wall)
      return (ticket, verdicts, state.queue.count, state.needsWake, state.queue.oldestArrival)
    }
    deliver(verdicts)
    if needsWake, held == 1 {
      signal.wake(key, heldSinceUnix: wall - (now.monotonic - (heldSince ?? now.monotonic)).seconds)
    }
    // News for the controller: the first one held, and each doubling of the line.
    if held > 0, held & (held - 1) == 0 { feed.signal() }
    schedulePump(on: loop)
    return ticket
  }

  /// The patience of a held request is over.
  private func expire(_ ticket: HoldQueue<Waiter>.Ticket, at now: Duration) {
    let (entry, error) = state.withLock { ($0.withdraw(ticket, now: now), $0.waitOver(now: now)) }
    entry?.payload.resume(returning: .refused(error))
  }

  private func leave(_ ticket: HoldQueue<Waiter>.Ticket, at now: Duration) {
    state.withLock { $0.withdraw(ticket, now: now) }?.payload.resume(returning: .left)
  }

  /// A request is over: its slot goes to whoever waits.
  func finish(_ lease: ReplicaSetState.Lease, counts: Bool, took: Duration?, now: Now) {
    let wall = now.wall.timeIntervalSince1970
    let (verdicts, emptied) = state.withLock { state in
      let emptied = state.finish(lease, counts: counts, took: took, now: now.monotonic)
      return (state.release(now: now.monotonic, wallUnix: wall), emptied)
    }
    deliver(verdicts)
    // The controller waits for this to take the replica away.
    if emptied { feed.signal() }
  }

  func succeeded(_ lease: ReplicaSetState.Lease) { state.withLock { $0.succeeded(lease) } }

  /// The replica could not take a request; others are tried first.
  func failed(_ lease: ReplicaSetState.Lease, now: Duration) { state.withLock { $0.failed(lease, now: now) } }

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

  private func deliver(_ verdicts: ServiceState<Waiter>.Verdicts) {
    for (entry, lease) in verdicts.placed { entry.payload.resume(returning: .placed(lease)) }
    for (entry, error) in verdicts.refused { entry.payload.resume(returning: .refused(error)) }
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

  // MARK: - Health

  var unproven: [HealthGate.Check] { state.withLock { $0.unproven } }
  var healthByPod: [String: ReplicaHealth] { state.withLock { $0.healthByPod } }

  /// A health check is over: held requests go on if it passed.
  func checked(_ podUID: String, _ health: ReplicaHealth, now: Now) {
    let mustWake = state.withLock { state in
      let neededWake = state.needsWake
      state.checked(podUID, health)
      return state.needsWake && !neededWake
    }
    // What looked like a replica that serves is none yet.
    if mustWake { renewWake(now) }
    pump(now)
  }

  // MARK: - Reporting

  /// Counts whatever changed; equal numbers mean that there is no news.
  func report(_ now: Now) -> (load: ServiceLoad, revision: Int) {
    let wall = now.wall.timeIntervalSince1970
    return state.withLock { ($0.report(now: now.monotonic, wallUnix: wall), $0.load.revision) }
  }
}

/// What a request brings into the queue.
struct HoldPlace: Sendable {
  /// Monotonic time of the request's arrival.
  var arrival: Duration
  var now: Now
  /// How long it waits from now on.
  var patience: Duration
  var urgency: Int
  var bytes: Int
  /// It has been placed before and its replica failed: it goes to the front.
  var isRetry: Bool
}
