import EventLoop
import Synchronization
import Telemetry

/// A gateway: event loops that serve callers, and one for health, metrics and the load stream.
///
///     let server = try GatewayServer(configuration: configuration, log: log, wake: writer)
///     let addresses = try server.start()
///     server.update(view)
///
/// Not ready before the first view. All methods may be called from any thread.
public final class GatewayServer: Sendable {
  /// One loop with what is confined to it.
  private struct Worker: Sendable {
    let loop: EventLoop
    let traffic: TrafficServer
  }

  private struct State {
    var workers: [Worker] = []
    var admin: HTTPServer?
    var fleet: HTTPServer?
    var prober: HealthProber?
    var certificates: TLSCertificates
  }

  private let core: GatewayCore
  private let admin: any AdminGuard
  private let adminLoop: EventLoop
  private let state: Mutex<State>
  /// Views reach the loops in the order in which they were applied.
  private let viewOrder = Mutex(())
  /// What is measured.
  public let metrics: GatewayMetrics

  /// - Parameters:
  ///   - log: takes the access log, too.
  ///   - accessLog: takes the rows of sampled requests.
  ///   - requestLog: takes the rows of all requests.
  ///   - wake: asked to wake services that requests are held for.
  ///   - admin: decides who may use the admin port for more than health and metrics.
  public init(
    configuration: GatewayConfiguration, metrics: GatewayMetrics = GatewayMetrics(), log: Log,
    accessLog: any AccessLog = NoAccessLog(), requestLog: RequestLogFile? = nil, wake: any WakeSignal = NoWakeSignal(),
    admin: any AdminGuard = OpenAdmin()
  ) throws {
    self.metrics = metrics
    self.admin = admin
    state = Mutex(State(certificates: TLSCertificates(pairs: configuration.certificates)))
    core = GatewayCore(
      configuration: configuration, metrics: metrics, log: log, accessLog: accessLog, requestLog: requestLog,
      signal: wake)
    adminLoop = try EventLoop(name: "gateway-admin")
  }

  /// Lets readiness say why there is no first view yet.
  public func explainWaiting(_ problem: @escaping @Sendable () -> String?) { core.explainWaiting(problem) }

  /// Where a gateway listens, with real ports.
  public struct Addresses: Sendable {
    public var traffic: SocketAddress
    public var admin: SocketAddress
    /// Nil: the controller is answered on the admin port only.
    public var fleet: SocketAddress?
  }

  /// Binds all listeners and begins to serve.
  public func start() throws -> Addresses {
    let configuration = core.configuration
    let tls = try certificates()
    adminLoop.start()
    let fleet = FleetHandler(core: core, admin: admin)
    let fleetAddress = try configuration.fleet.map { try listen(for: fleet, on: $0) }
    let admin = HTTPServer(
      loop: adminLoop, configuration: HTTPServerConfiguration(address: try SocketAddress(parsing: configuration.admin)),
      handler: AdminHandler(core: core, fleet: fleet, admin: admin).handle)
    let adminAddress = try admin.start()
    state.withLock { $0.admin = admin }
    var address = try SocketAddress(parsing: configuration.listen)
    for number in 0..<max(1, configuration.loops) {
      let loop = try EventLoop(name: "gateway-\(number)")
      let traffic = TrafficServer(core: core, loop: loop, tls: tls)
      loop.start()
      // The first one takes a port, the others share it.
      address = try traffic.start(at: address)
      state.withLock { $0.workers.append(Worker(loop: loop, traffic: traffic)) }
    }
    viewOrder.withLock { _ in
      // The connections of its checks are left to the requests of the same loop.
      let prober = state.withLock { state in
        state.prober = state.workers.first.map { HealthProber(core: core, traffic: $0.traffic) }
        return state.prober
      }
      prober?.expect(core.unproven)
      core.handleUnproven { [weak prober] checks in prober?.expect(checks) }
    }
    adminLoop.execute { [self] in
      renewWakes()
      flushRequestLog()
      followCertificates()
    }
    return Addresses(traffic: address, admin: adminAddress, fleet: fleetAddress)
  }

  private func listen(for fleet: FleetHandler, on listener: FleetListener) throws -> SocketAddress {
    var configuration = HTTPServerConfiguration(address: try SocketAddress(parsing: listener.address))
    configuration.tls = listener.tls
    // Controllers have a stream each and a message at a time; strangers shall not take the loop's time with handshakes.
    configuration.maxConnections = 256
    configuration.maxConnectionsPerClient = 32
    let server = HTTPServer(loop: adminLoop, configuration: configuration, handler: fleet.handle)
    let address = try server.start()
    state.withLock { $0.fleet = server }
    return address
  }

  /// Swaps in a view; held requests whose wait it ends go on at once, to a new replica when it has passed its health
  /// check.
  public func update(_ view: RoutingView) {
    viewOrder.withLock { _ in
      let change = core.apply(view, now: adminLoop.moment)
      let (workers, prober) = state.withLock { ($0.workers, $0.prober) }
      if !change.gone.isEmpty {
        for worker in workers { worker.traffic.evict(change.gone) }
        prober?.forget(change.gone)
      }
      prober?.expect(change.unproven)
    }
  }

  /// Keeps to other bounds from now on; what is held or open already stays.
  public func update(_ bounds: GatewayBounds) {
    core.budget.setLimits(maxRequests: bounds.holdRequests, maxBytes: bounds.holdBytes)
    for worker in state.withLock({ $0.workers }) { worker.traffic.update(bounds) }
  }

  /// Ends service without cutting a stream: not ready at once, serves on for `delay` with `Connection: close`, then accepts
  /// no more and lets requests run for `drain` at most.
  public func shutDown(delay: Duration, drain: Duration) async {
    core.isDraining = true
    let (workers, admin, fleet, prober) = state.withLock { ($0.workers, $0.admin, $0.fleet, $0.prober) }
    for worker in workers { worker.traffic.announceClose() }
    try? await adminLoop.sleep(for: delay)
    await withTaskGroup(of: Void.self) { group in
      for worker in workers { group.addTask { await worker.traffic.shutDown(graceful: drain) } }
    }
    // The controller reads the last counts until nothing is left to count.
    await fleet?.shutDown(graceful: .zero)
    await admin?.shutDown(graceful: .zero)
    await prober?.stop()
    core.requestLog?.flush()
    for worker in workers { worker.loop.stop() }
    adminLoop.stop()
  }

  /// The certificates to begin with; nil: callers speak plain text. - Throws: ``HTTPError`` when they cannot be used.
  private func certificates() throws -> TLSServerContext? {
    guard !core.configuration.certificates.isEmpty else { return nil }
    switch state.withLock({ $0.certificates.look() }) {
    case .context(let context): return context
    case .unusable(let problem): throw HTTPError(.invalidConfiguration, problem)
    case .none: return nil
    }
  }

  /// New certificates are used for new connections; those that cannot be used change nothing.
  private func followCertificates() {
    guard !core.configuration.certificates.isEmpty else { return }
    _ = adminLoop.schedule(after: core.configuration.certificateInterval) { [self] in
      let (change, workers) = state.withLock { ($0.certificates.look(), $0.workers) }
      switch change {
      case .none: break
      case .context(let context):
        for worker in workers { worker.traffic.replaceTLS(context) }
        core.log.info("certificates reloaded")
      case .unusable(let problem):
        core.log.error("new certificates are not used, the last ones stay", ["problem": problem])
      }
      followCertificates()
    }
  }

  /// Rows reach their file within a second.
  private func flushRequestLog() {
    guard let requestLog = core.requestLog else { return }
    _ = adminLoop.schedule(after: .seconds(1)) { [self] in
      requestLog.flush()
      flushRequestLog()
    }
  }

  private func renewWakes() {
    _ = adminLoop.schedule(after: core.configuration.wakeRenewal) { [self] in
      core.renewWakes(adminLoop.moment)
      renewWakes()
    }
  }
}
