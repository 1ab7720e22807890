import ControllerRuntime
import Decisions
import FleetProtocol
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import Telemetry

/// The controller: watches InferenceServices and what it made of them, reads the gateways' load, scales and tells.
public struct Operator: ControllerRuntime.Service {
  private let configuration: OperatorConfiguration
  /// Nil: this controller is the only one, and leads always.
  private let election: LeaderElection?
  private let clock: any ClockSource
  private let log: Log
  private let view: ClusterView
  private let state: ControllerState
  private let queue: WorkQueue<ObjectKey>
  private let streams: LoadStreams
  private let slots: SlotDistribution
  private let events: EventRecorder
  private let reconciler: Reconciler
  private let settingsReader: SettingsReader
  private let ledger: LedgerStore
  private let idleWindows: IdleWindowStore

  /// Time between looks at services whose windows move.
  static let tick: Duration = .seconds(1)
  /// The same while the type of services is not installed.
  static let absencePause: Duration = .seconds(2)

  /// - Parameter limiter: of all requests but the election's, which must not wait behind them.
  public init(
    client: KubernetesClient, limiter: RateLimiter? = nil, gateways: any GatewayTransport,
    configuration: OperatorConfiguration, clock: any ClockSource, timeZones: any TimeZoneSource = NoTimeZones(),
    log: Log = .discarding, metrics: MetricsRegistry = MetricsRegistry()
  ) {
    state = ControllerState(timeZones: timeZones)
    self.configuration = configuration
    var seeds = SeededGenerator(seed: configuration.seed)
    let election =
      configuration.leaderElection ? Self.election(client, configuration, clock, log, seed: seeds.next()) : nil
    self.election = election
    self.clock = clock
    self.log = log
    let queue = WorkQueue<ObjectKey>(clock: clock, seed: seeds.next())
    let enqueue: @Sendable (Set<ObjectKey>) -> Void = { keys in for key in keys.sorted() { queue.add(key) } }
    self.queue = queue
    let reading = limiter.map(client.limited) ?? client
    // The fence is behind the limiter: a write that had to wait may not be allowed any more.
    let fenced = election.map(client.fenced) ?? client
    let writing = limiter.map(fenced.limited) ?? fenced
    let view = ClusterView(
      client: reading, namespace: configuration.namespace, clock: clock, log: log, seed: seeds.next())
    self.view = view
    let target: @Sendable (String) -> GatewayTarget = {
      view.gateway(at: $0, in: configuration.namespace, requiresTLS: configuration.requiresGatewayTLS)
    }
    let slots = SlotDistribution(transport: gateways, clock: clock, log: log, target: target, seed: seeds.next())
    self.slots = slots
    streams = LoadStreams(
      source: gateways, state: state, clock: clock, log: log, target: target, urgent: enqueue
    ) {
      slots.heard($0, from: $1)
    }
    events = EventRecorder(
      client: writing, clock: clock, component: "pilotlight-controller", instance: configuration.identity, log: log)
    settingsReader = SettingsReader(events: events, log: log, metrics: metrics)
    let ledgerMetrics = LedgerMetrics(metrics)
    let services = view.services
    ledger = LedgerStore(
      reading: reading, writing: writing, home: configuration.namespace, state: state, clock: clock, log: log,
      metrics: ledgerMetrics, services: { services.store.keys })
    idleWindows = IdleWindowStore(
      reading: reading, writing: writing, home: configuration.namespace, state: state, clock: clock, log: log)
    reconciler = Reconciler(
      view: view, state: state, writer: ClusterWriter(client: writing), check: TemplateCheck(client: writing),
      lastWords: LastWords(client: reading), events: events, configuration: configuration, clock: clock, log: log,
      metrics: OperatorMetrics(metrics), ledgerMetrics: ledgerMetrics, enqueue: enqueue)
    route()
  }

  private static func election(
    _ client: KubernetesClient, _ configuration: OperatorConfiguration, _ clock: any ClockSource, _ log: Log,
    seed: UInt64
  ) -> LeaderElection {
    LeaderElection(
      client: client,
      configuration: LeaderElectionMachine.Configuration(
        lease: ObjectKey(namespace: configuration.namespace, name: "pilotlight-controller"),
        identity: configuration.identity),
      clock: clock, log: log, seed: seed)
  }

  /// Why the controller is not ready, for people; nil when it is: what it does rests on all of the cluster's objects.
  public var problem: String? { view.informers.lazy.compactMap(\.problem).first }

  /// What the controller knows now.
  public func snapshot() -> ControllerSnapshot {
    let (synced, now) = (problem == nil, clock.now())
    return state.withLock { $0.snapshot(identity: configuration.identity, hasSynced: synced, now: now) }
  }

  /// The latest decisions about a service with all their inputs, a line of JSON each, oldest first; empty: none were made.
  /// - Parameter service: `NAMESPACE/NAME`.
  public func decisions(of service: String) throws -> [UInt8] {
    let parts = service.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return [] }
    let records = state.withLock { $0.decisions[ObjectKey(namespace: parts[0], name: parts[1])] }
    return try records.flatMap { try $0.encodedLine() }
  }

  /// Services that something is remembered of: those that are there, once deletions have been worked off.
  package var rememberedServices: Int {
    state.withLock { contents in
      max(contents.known.count, Set(contents.memories.keys).union(contents.active).count)
    }
  }

  /// Runs until it is cancelled.
  public func run() async throws {
    let leading = ClosureService {
      guard let election else { return try await lead() }
      try await election.run { try await lead() }
    }
    // Informers run beside the election: who takes over knows the cluster already.
    try await ServiceGroup(view.informers.map { $0 as any ControllerRuntime.Service } + [leading]).run()
  }

  private func lead() async throws {
    defer {
      state.withLock { contents in
        contents.memories = [:]
        contents.active = []
      }
    }
    try await view.waitForSync()
    let since = clock.now().monotonic
    state.withLock { contents in
      // What another leader did meanwhile is in the cluster, not in our memory.
      contents.memories = [:]
      contents.ledger = Ledger()
      contents.idleWindows = IdleWindowLearner()
      contents.isLeading = true
      contents.leadingSince = since
    }
    defer { state.withLock { $0.isLeading = false } }
    for key in view.services.store.keys { queue.add(key) }
    for lease in view.leases.store.list() { wake(lease) }
    let reconciler = reconciler
    let services = view.services
    let controller = Controller(name: "inferenceservice", queue: queue, workers: configuration.workers, log: log) {
      // Without the type our copy is of services that nobody can change or delete any more: nothing is done in their name.
      services.isAbsent ? .again(after: Self.absencePause) : await reconciler.reconcile($0)
    }
    log.info("controller runs", ["services": view.services.store.count])
    do {
      try await serve([
        controller, ClosureService { try await ledger.run() }, ClosureService { try await idleWindows.run() },
      ])
    } catch {
      await handOver()
      throw error
    }
    await handOver()
  }

  /// Stores what is not stored yet, while the Lease is still held.
  private func handOver() async {
    let (ledger, idleWindows) = (ledger, idleWindows)
    await HandOver.run(clock) {
      async let learned: Void = idleWindows.handOver()
      await ledger.handOver()
      await learned
    }
  }

  private func serve(_ services: [any ControllerRuntime.Service]) async throws {
    try await ServiceGroup(
      services + [
        events,
        ClosureService { try await streams.run { gateways() } },
        ClosureService { try await slots.run { sharing() } },
        ClosureService { try await keepTicking() },
      ]
    ).run()
  }

  private func keepTicking() async throws {
    while true {
      try await clock.sleep(for: Self.tick)
      let due = state.withLock { $0.active.union($0.board.busyServices) }
      for key in due.sorted() { queue.add(key) }
    }
  }

  /// From what changes to who needs a round.
  private func route() {
    view.services.onChange { [state, queue] change in
      let service = change.new
      let claimed = service.flatMap { try? InferenceService($0) }
      let affected = state.withLock { contents in
        // Who does not lead forgets, too: nobody else will do it here.
        if change.isEnd { contents.known.remove(change.key) }
        return contents.claims.set(
          Set(claimed.map { $0.callerNames + $0.spec.model.hostnames } ?? []), of: change.key,
          created: service?.metadata.creationTimestamp ?? "")
      }
      for key in affected.sorted() { queue.add(key) }
      queue.add(change.key)
    }
    for informer in [view.deployments, view.pods, view.headless, view.budgets] {
      informer.onChange { [queue] change in
        if let key = ClusterView.service(of: change) { queue.add(key) }
      }
    }
    view.settings.onChange { [state, queue, view, settingsReader] change in
      guard let settings = settingsReader.read(change), state.set(settings) else { return }
      for key in view.services.store.keys { queue.add(key) }
    }
    view.leases.onChange { change in
      if let lease = change.new { wake(lease) }
    }
    view.gateways.onChange { _ in
      streams.setGateways(gateways())
      slots.setGateways(sharing())
    }
  }

  private func wake(_ lease: KubernetesObject) {
    if let key = ClusterView.service(ofLease: lease) { queue.add(key) }
  }

  private func gateways() -> [String: Bool] { GatewayDirectory.gateways(in: view.gateways.store.list()) }

  private func sharing() -> [String: String] { GatewayDirectory.sharing(in: view.gateways.store.list()) }
}
