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
  private let client: KubernetesClient
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

  /// Time between looks at services whose windows move.
  static let tick: Duration = .seconds(1)

  public init(
    client: KubernetesClient, gateways: any GatewayTransport, configuration: OperatorConfiguration,
    clock: any ClockSource, timeZones: any TimeZoneSource = NoTimeZones(), log: Log = .discarding,
    metrics: MetricsRegistry = MetricsRegistry()
  ) {
    state = ControllerState(timeZones: timeZones)
    self.configuration = configuration
    self.client = client
    self.clock = clock
    self.log = log
    let queue = WorkQueue<ObjectKey>(clock: clock)
    let enqueue: @Sendable (Set<ObjectKey>) -> Void = { keys in for key in keys.sorted() { queue.add(key) } }
    self.queue = queue
    view = ClusterView(client: client, namespace: configuration.namespace, clock: clock, log: log)
    let slots = SlotDistribution(transport: gateways, clock: clock, log: log)
    self.slots = slots
    streams = LoadStreams(source: gateways, state: state, clock: clock, log: log, urgent: enqueue) {
      slots.heard($0, from: $1)
    }
    events = EventRecorder(
      client: client, clock: clock, component: "pilotlight-controller", instance: configuration.identity, log: log)
    settingsReader = SettingsReader(events: events, log: log, metrics: metrics)
    reconciler = Reconciler(
      view: view, state: state, writer: ClusterWriter(client: client), check: TemplateCheck(client: client),
      lastWords: LastWords(client: client), events: events, configuration: configuration, clock: clock, log: log,
      metrics: OperatorMetrics(metrics), enqueue: enqueue)
    route()
  }

  /// The cluster's objects have been read: what the controller does rests on all of them.
  public var hasSynced: Bool { view.informers.allSatisfy(\.hasSynced) }

  /// What the controller knows now.
  public func snapshot() -> ControllerSnapshot {
    let (synced, now) = (hasSynced, clock.now())
    return state.withLock { $0.snapshot(identity: configuration.identity, hasSynced: synced, now: now) }
  }

  /// Runs until it is cancelled.
  public func run() async throws {
    let leading = ClosureService {
      guard configuration.leaderElection else { return try await lead() }
      let election = LeaderElection(
        client: client,
        configuration: LeaderElectionMachine.Configuration(
          lease: ObjectKey(namespace: configuration.namespace, name: "pilotlight-controller"),
          identity: configuration.identity),
        clock: clock, log: log)
      try await election.run { try await lead() }
    }
    // Informers run beside the election: who takes over knows the cluster already.
    try await ServiceGroup(view.informers.map { $0 as any ControllerRuntime.Service } + [leading]).run()
  }

  private func lead() async throws {
    try await view.waitForSync()
    let since = clock.now().monotonic
    state.withLock { contents in
      // What another leader did meanwhile is in the cluster, not in our memory.
      contents.memories = [:]
      contents.isLeading = true
      contents.leadingSince = since
    }
    defer { state.withLock { $0.isLeading = false } }
    for key in view.services.store.keys { queue.add(key) }
    for lease in view.leases.store.list() { wake(lease) }
    let reconciler = reconciler
    let controller = Controller(name: "inferenceservice", queue: queue, workers: configuration.workers, log: log) {
      await reconciler.reconcile($0)
    }
    log.info("controller runs", ["services": view.services.store.count])
    try await ServiceGroup([
      controller, events,
      ClosureService { try await streams.run { gateways() } },
      ClosureService { try await slots.run { sharing() } },
      ClosureService { try await keepTicking() },
    ]).run()
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
      let service = change.new ?? change.old
      let claimed = change.new.flatMap { try? InferenceService($0) }
      let affected = state.withLock { contents in
        contents.claims.set(
          Set(claimed.map { $0.callerNames + $0.spec.model.hostnames } ?? []), of: change.key,
          created: service?.metadata.creationTimestamp ?? "")
      }
      for key in affected.sorted() { queue.add(key) }
      queue.add(change.key)
    }
    for informer in [view.deployments, view.pods, view.headless, view.budgets] {
      informer.onChange { [queue] change in
        if let key = (change.new ?? change.old).flatMap(ClusterView.service(of:)) { queue.add(key) }
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
