import EventLoop
import FleetProtocol
import Synchronization
import Telemetry

/// What all loops of a gateway share.
final class GatewayCore: Sendable {
  let configuration: GatewayConfiguration
  let metrics: GatewayMetrics
  let log: Log
  let accessLog: any AccessLog
  let requestLog: RequestLogFile?
  let budget: HoldBudget
  let feed = LoadFeed()
  let upstreamTLS = UpstreamTLSContexts()
  let retryBudget = RetryBudget()
  let tenants: TenantNames
  /// Told what waits for a check when that changes between two views. Set before the loops start.
  private let unprovenHandler = Mutex<(@Sendable ([HealthGate.Check]) -> Void)?>(nil)
  /// Says why there is no view yet.
  private let waitingProblem = Mutex<(@Sendable () -> String?)?>(nil)
  private let signal: any WakeSignal
  private let snapshot = Mutex<RoutingSnapshot?>(nil)
  /// Counts the views, so that a loop sees for the price of one load that the one it has is current.
  private let views = Atomic(0)
  /// Every service that is in the view or still has a request.
  private let gates = Mutex<[ServiceKey: ServiceGate]>([:])
  /// The highest epoch of slots that any leader has named.
  private let slotsEpoch = Mutex(0)
  private let draining = Atomic(false)
  private let started = Atomic(0)

  init(
    configuration: GatewayConfiguration, metrics: GatewayMetrics, log: Log, accessLog: any AccessLog,
    requestLog: RequestLogFile?, signal: any WakeSignal
  ) {
    self.configuration = configuration
    self.metrics = metrics
    self.log = log
    self.accessLog = accessLog
    self.requestLog = requestLog
    self.signal = signal
    tenants = TenantNames(header: configuration.tenantHeader)
    budget = HoldBudget(
      maxRequests: configuration.holdBudgetRequests, maxBytes: configuration.holdBudgetBytes)
  }

  /// Changes with every view.
  var viewVersion: Int { views.load(ordering: .acquiring) }

  /// Nil until the first view has come.
  var current: RoutingSnapshot? { snapshot.withLock { $0 } }

  /// Why there is no view yet, for people, as far as whoever gives the views knows.
  var problem: String? { waitingProblem.withLock { $0 }?() }

  func explainWaiting(_ problem: @escaping @Sendable () -> String?) { waitingProblem.withLock { $0 = problem } }

  /// The gateway is shutting down: it answers `Connection: close` and is not ready.
  var isDraining: Bool {
    get { draining.load(ordering: .relaxed) }
    set { draining.store(newValue, ordering: .relaxed) }
  }

  /// True for every n-th request, by the configuration's sampling.
  func takesSample() -> Bool {
    let every = configuration.accessLogSampling
    return every > 0 && started.add(1, ordering: .relaxed).oldValue % every == 0
  }

  // MARK: - The view

  /// Swaps in a new view; calls are taken one after the other.
  func apply(_ view: RoutingView, now: Now) -> ViewChange {
    gates.withLock { known in
      var gone: [String] = []
      var left = Set(known.keys)
      let present = view.services.map { service in
        left.remove(service.key)
        if let gate = known[service.key] {
          gone += gate.update(route: service, share: view.share, now: now)
          return gate
        }
        let gate = ServiceGate(
          route: service, share: view.share, metrics: ServiceMetrics(metrics, service.key),
          signal: signal, feed: feed)
        known[service.key] = gate
        return gate
      }
      for key in left {
        guard let gate = known[key] else { continue }
        gone += gate.retire()
        gate.pump(now)
        if gate.isFinished {
          known[key] = nil
          gate.metrics.forget()
        }
      }
      snapshot.withLock { $0 = RoutingSnapshot(view: view, gates: present) }
      views.add(1, ordering: .releasing)
      for gate in present { gate.pump(now) }
      return ViewChange(gone: gone.sorted(), unproven: present.flatMap(\.unproven))
    }
  }

  /// What waits for its first health check to pass.
  var unproven: [HealthGate.Check] { current?.services.flatMap(\.gate.unproven) ?? [] }

  /// Has replicas checked that have to show again that they serve.
  func onUnproven(_ checks: [HealthGate.Check]) { unprovenHandler.withLock { $0 }?(checks) }

  func handleUnproven(_ handler: @escaping @Sendable ([HealthGate.Check]) -> Void) {
    unprovenHandler.withLock { $0 = handler }
  }

  func checked(_ replica: HealthGate.ReplicaID, _ health: ReplicaHealth, now: Now) {
    gates.withLock { $0[replica.service] }?.checked(replica.podUID, health, now: now)
  }

  /// Asks again for the wakes that are still needed.
  func renewWakes(_ now: Now) {
    for gate in allGates { gate.renewWake(now) }
  }

  // MARK: - Slots by demand

  /// Takes the leader's deals. - Returns: the highest epoch known here. - Throws: ``SlotRefusal``.
  func take(_ message: SlotMessage, now: Now) throws(SlotRefusal) -> Int {
    let (members, isNews) = gates.withLock { known in
      // In the order of the views: a deal among other gateways is never taken.
      let members = current?.view.share.members ?? []
      guard message.gateways == members, members.count > 1 else { return (members, false) }
      var isNews = false
      for deal in message.services {
        let key = ServiceKey(namespace: deal.namespace, name: deal.name)
        if known[key]?.take(deal, now: now) == true { isNews = true }
      }
      return (members, isNews)
    }
    guard message.gateways == members, members.count > 1 else {
      throw SlotRefusal(dealt: message.gateways, known: members)
    }
    if isNews { feed.signal() }
    let latest = message.services.lazy.map(\.epoch).max() ?? 0
    return slotsEpoch.withLock { epoch in
      epoch = max(epoch, latest)
      return epoch
    }
  }

  /// Lets deals lapse that were not renewed.
  func lapseSlots(_ now: Now) {
    var isNews = false
    for gate in allGates where gate.lapseSlots(now) { isNews = true }
    if isNews { feed.signal() }
  }

  // MARK: - Reporting

  /// Counts a request that is over, and logs it if every one is, if it is one of the sample, or if it went wrong on this
  /// side. `now` is in nanoseconds of the loop's clock.
  func finished(_ call: Call, now: Int64) {
    let record = call.record
    if let service = call.service {
      service.gate.metrics.count(call)
      if call.traits.contains(.counts) { service.gate.account(call, now: now) }
    } else if let errorCode = record.errorCode {
      metrics.rejections.increment("", "", errorCode)
    }
    let every = configuration.accessLogSampling
    let isSampled = every > 0 && takesSample()
    let isLogged = isSampled || (every > 0 && record.status >= 500)
    guard isLogged || requestLog != nil else { return }
    var row = RequestLogRow(call, now: now)
    requestLog?.append(row)
    guard isLogged else { return }
    row.weight = isSampled ? every : 1
    accessLog.write(row)
  }

  private var allGates: [ServiceGate] {
    gates.withLock { $0 }.values.sorted { $0.key < $1.key }
  }

  /// The services with load, or with news since what `sent` says; `sent` is brought up to date.
  func loads(since sent: inout [ServiceKey: SentLoad], now: Now) -> [ServiceLoad] {
    allGates.compactMap { gate in
      let (load, revision) = gate.report(now)
      let (account, accountRevision) = gate.account(after: sent[gate.key]?.accountRevision, now: now)
      let news = SentLoad(
        revision: revision, drainEpoch: load.drainEpochSeen, slotsEpoch: load.slotsEpoch,
        accountRevision: accountRevision)
      let isBusy = load.held > 0 || load.inFlight > 0 || !load.inFlightByPod.isEmpty
      let before = sent.updateValue(news, forKey: gate.key)
      guard isBusy || before != news else { return nil }
      // A reader that has heard nothing yet knows that nothing happened.
      let isKnown = before != nil || load.requestsTotal > 0 || load.drainEpochSeen > 0 || load.slotsEpoch != nil
      guard isBusy || isKnown else { return nil }
      var told = load
      if load.requestsTotal > 0 { told.account = account }
      return told
    }
  }

  /// Brings the gauges up to date and renders all metrics.
  func renderMetrics(now: Now) -> String {
    for gate in allGates {
      gate.metrics.show(held: gate.report(now).load.held, inFlight: gate.inFlightByPool)
    }
    metrics.heldBytes.set(Double(budget.heldBytes))
    if let requestLog {
      metrics.logDropped.set(Double(requestLog.dropped))
      metrics.logFailures.set(Double(requestLog.failures))
    }
    return metrics.registry.render()
  }
}

/// What a new view leaves to be done.
struct ViewChange: Sendable {
  /// UIDs of pods that have gone, sorted.
  var gone: [String]
  /// Replicas that get no request before they have passed their health check.
  var unproven: [HealthGate.Check]
}

/// How far one reader of the load stream has heard of a service.
struct SentLoad: Hashable, Sendable {
  var revision: Int
  var drainEpoch: Int
  var slotsEpoch: Int?
  var accountRevision: Int
}
