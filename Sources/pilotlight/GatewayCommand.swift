import ControllerRuntime
import CurlTransport
import EventLoop
import FleetProtocol
import Gateway
import GatewayCluster
import Glibc
import InferenceAPI
import KubernetesClient
import Telemetry

/// `pilotlight gateway`: holds, places and proxies the requests of every model.
enum GatewayCommand {
  static let help = """
    usage: pilotlight gateway [options]

      --kubeconfig FILE          the cluster; default: KUBECONFIG, else the pod's service account
      --static FILE              services and endpoints from a JSON file instead of a cluster; SIGHUP reads it again
      --listen ADDR              where callers connect (0.0.0.0:8080)
      --admin-listen ADDR        health, metrics and the load stream (127.0.0.1:9090)
      --fleet-listen ADDR        the load stream and the slots over TLS, with a key of this process that it publishes in a
                                 Lease; the admin port then has them for an older controller only
      --admin-auth WHO           who may read the load stream and /debug/state and deal slots there: cluster (whom its roles
                                 let in), nobody, anyone; default: anyone on a loopback address, else cluster, or nobody
                                 with --static
      --controller-identity USER the controller's user
                                 (system:serviceaccount:NAMESPACE:pilotlight-controller)
      --namespace NAME           Pilotlight's own namespace (\(ActivationLease.defaultNamespace))
      --domain DOMAIN            services are NAME.NAMESPACE.DOMAIN; default: by the ConfigMap pilotlight, else
                                 pilotlight.local. What that ConfigMap says of holds and timeouts holds for flags not given
      --kube-api-qps N           requests to the API server a second (200)
      --kube-api-burst N         the same at once after a rest (300)
      --identity NAME            who this process is; default: POD_NAME, else the host's name
      --tls-cert FILE            certificate for callers, with those between it and a root; repeat it for more names (SNI)
      --tls-key FILE             its key; one for each --tls-cert, in the same order
      --tls-dir DIR              a mounted Secret with tls.crt and tls.key; may be repeated, too
      --upstream-ca FILE         authorities of replicas that speak TLS; default: the system's
      --upstream-tls-insecure    encrypt to such replicas, but take any certificate
      --loops N                  event loops that serve callers, a thread each (1)
      --max-connections N        connections of callers per loop (50000)
      --max-connections-per-client N  the same from one address; 0: any, as behind a load balancer (0)
      --max-header-bytes N       longest head of a request or answer, in bytes (65536)
      --max-headers N            most header fields of a request or answer (128)
      --max-body-bytes N         longest request body, in bytes; 0: any (0)
      --head-timeout DURATION    from a request's first byte to the end of its head (10s)
      --body-timeout DURATION    silence within a request's body (60s)
      --idle-timeout DURATION    a connection without a request (75s)
      --write-timeout DURATION   a peer that takes nothing of what is sent to it (60s)
      --routing-body-limit N     longest body in which `model` is looked for, in bytes (8388608)
      --tenant-header NAME       header that names the tenant; default: the credentials in Authorization
      --hold-requests N          requests held at once, over all services (20000, or what a quarter of the container's memory
                                 limit has room for at 16 KiB each, if that is less)
      --hold-bytes N             request bytes kept at once, over all services (a quarter of the container's memory limit;
                                 268435456 without one)
      --access-log-sampling N    every n-th request gets a log line; 0: none but server errors (100)
      --request-log FILE         every request as a row of JSON, for accounting and replay; SIGHUP opens it anew
      --shutdown-delay DURATION  on SIGTERM: not ready, but serving, for this long (10s)
      --shutdown-drain DURATION  then how long streams may run on (10m)
      --log-level LEVEL          debug, info, warning or error (info)
      --log-format FORMAT        json or text; default: text on a terminal
    """

  static func run(_ arguments: [String]) async -> Int32 {
    await CommandFrame.run("gateway", arguments, help: help) { scanner in try await run(Options(&scanner)) }
  }

  private struct Options {
    var configuration: GatewayConfiguration
    var kubeconfig: String?
    var limit: RequestRateLimit
    var staticFile: String?
    var adminAuthentication: AdminAuthentication
    var controllerIdentity: String
    var namespace: String
    /// Nil: by the settings of the installation.
    var domain: String?
    /// What the command line bounds itself: settings do not change it.
    var ownBounds: Set<String>
    var requestLog: RequestLogFile?
    /// For the replicas of a cluster that speak TLS.
    var upstreamTLS: UpstreamTLS
    /// By which the controller knows this gateway; nil: it speaks plain HTTP with it.
    var key: GatewayKey?
    var shutdownDelay: Duration
    var shutdownDrain: Duration
    var log: Log

    init(_ scanner: inout ArgumentScanner) throws {
      configuration = GatewayConfiguration(identity: try scanner.text("--identity") ?? ProcessIdentity.current)
      ownBounds = Set(Self.settableBounds.filter { scanner.isGiven($0) })
      kubeconfig = try scanner.text("--kubeconfig")
      limit = try scanner.apiRateLimit()
      staticFile = try scanner.text("--static")
      if kubeconfig != nil, staticFile != nil {
        throw ArgumentScanner.Problem("--kubeconfig and --static exclude each other: services come from one place")
      }
      configuration.listen = try scanner.text("--listen") ?? configuration.listen
      configuration.admin = try scanner.text("--admin-listen") ?? "127.0.0.1:9090"
      (configuration.fleet, key) = try Self.fleet(&scanner, identity: configuration.identity)
      if configuration.fleet != nil, staticFile != nil {
        throw ArgumentScanner.Problem("--fleet-listen and --static exclude each other: there is no controller")
      }
      adminAuthentication = try AdminAuthentication(
        &scanner,
        listeners: ([configuration.admin] + [configuration.fleet?.address].compactMap(\.self)).map(
          SocketAddress.init(parsing:)),
        hasCluster: staticFile == nil)
      configuration.certificates = try Self.certificates(&scanner)
      upstreamTLS = UpstreamTLS(
        caFile: try scanner.text("--upstream-ca"), verifies: !scanner.flag("--upstream-tls-insecure"))
      configuration.loops = try scanner.integer("--loops", default: configuration.loops, in: 1...256)
      configuration.maxConnections = try scanner.integer(
        "--max-connections", default: configuration.maxConnections, in: 1...1_000_000)
      let perClient = try scanner.integer("--max-connections-per-client", default: 0, in: 0...1_000_000)
      configuration.maxConnectionsPerClient = perClient > 0 ? perClient : nil
      configuration.limits.headBytes = try scanner.integer(
        "--max-header-bytes", default: configuration.limits.headBytes, in: 1024...1 << 20)
      configuration.limits.headerCount = try scanner.integer(
        "--max-headers", default: configuration.limits.headerCount, in: 8...10_000)
      configuration.maxBodyBytes = try scanner.integer("--max-body-bytes", default: 0, in: 0...1 << 50)
      configuration.headTimeout = try scanner.duration("--head-timeout", default: configuration.headTimeout)
      configuration.bodyTimeout = try scanner.duration("--body-timeout", default: configuration.bodyTimeout)
      configuration.idleTimeout = try scanner.duration("--idle-timeout", default: configuration.idleTimeout)
      configuration.writeTimeout = try scanner.duration("--write-timeout", default: configuration.writeTimeout)
      configuration.routingBodyLimit = try scanner.integer(
        "--routing-body-limit", default: configuration.routingBodyLimit, in: 1024...1 << 30)
      configuration.tenantHeader = try scanner.text("--tenant-header")
      if let limit = MemoryLimit.current() { configuration.fitHold(intoMemory: limit) }
      configuration.holdBudgetRequests = try scanner.integer(
        "--hold-requests", default: configuration.holdBudgetRequests, in: 0...10_000_000)
      configuration.holdBudgetBytes = try scanner.integer(
        "--hold-bytes", default: configuration.holdBudgetBytes, in: 0...1 << 40)
      configuration.accessLogSampling = try scanner.integer(
        "--access-log-sampling", default: configuration.accessLogSampling, in: 0...1_000_000)
      namespace = try scanner.text("--namespace") ?? ActivationLease.defaultNamespace
      controllerIdentity =
        try scanner.text("--controller-identity") ?? ClusterAdminGuard.defaultController(namespace: namespace)
      domain = try scanner.text("--domain")
      shutdownDelay = try scanner.duration("--shutdown-delay", default: .seconds(10))
      shutdownDrain = try scanner.duration("--shutdown-drain", default: .seconds(600))
      log = try scanner.log()
      if let path = try scanner.text("--request-log") {
        do throws(RequestLogFile.Problem) { requestLog = try RequestLogFile(path: path, log: log) } catch {
          throw ArgumentScanner.Problem("--request-log: \(error)")
        }
      }
      try scanner.finish()
    }

    private static let settableBounds = [
      "--hold-requests", "--hold-bytes", "--head-timeout", "--body-timeout", "--idle-timeout",
    ]

    /// The bounds under some settings: what the command line says itself holds.
    func bounds(_ settings: InstallationSettings) -> GatewayBounds {
      var bounds = GatewayBounds(configuration)
      func set<Value>(_ bound: inout Value, _ flag: String, _ value: Value?) {
        if let value, !ownBounds.contains(flag) { bound = value }
      }
      set(&bounds.holdRequests, "--hold-requests", settings.heldRequests)
      set(&bounds.holdBytes, "--hold-bytes", settings.heldBytes)
      set(&bounds.headTimeout, "--head-timeout", settings.headTimeout)
      set(&bounds.bodyTimeout, "--body-timeout", settings.bodyTimeout)
      set(&bounds.idleTimeout, "--idle-timeout", settings.idleTimeout)
      return bounds
    }

    private static func fleet(
      _ scanner: inout ArgumentScanner, identity: String
    ) throws -> (FleetListener?, GatewayKey?) {
      guard let address = try scanner.text("--fleet-listen") else { return (nil, nil) }
      let server = try PinnedServer(name: identity)
      return (FleetListener(address: address, tls: server.tls), GatewayKey(digest: server.publicKeyDigest))
    }

    private static func certificates(_ scanner: inout ArgumentScanner) throws -> [TLSCertificatePair] {
      let certificates = try scanner.texts("--tls-cert")
      let keys = try scanner.texts("--tls-key")
      guard certificates.count == keys.count else { throw unpaired(certificates.count, keys.count) }
      return zip(certificates, keys).map { TLSCertificatePair(certificateFile: $0, keyFile: $1) }
        + (try scanner.texts("--tls-dir").map { TLSCertificatePair(folder: $0) })
    }
  }

  private static func unpaired(_ certificates: Int, _ keys: Int) -> ArgumentScanner.Problem {
    ArgumentScanner.Problem("--tls-cert and --tls-key belong together: \(certificates) and \(keys) are given")
  }

  /// - Parameter client: of the cluster; nil: services come from a file.
  private static func gateway(
    _ options: Options, client: KubernetesClient? = nil, wake: any WakeSignal = NoWakeSignal()
  ) throws -> GatewayServer {
    // A line per request is information: who asks for warnings only does not want it.
    let accessLog = options.log.level <= .info ? options.log.sink as? any AccessLog : nil
    return try GatewayServer(
      configuration: options.configuration, log: options.log, accessLog: accessLog ?? NoAccessLog(),
      requestLog: options.requestLog, wake: wake,
      admin: options.adminAuthentication.adminGuard(
        client: client, controller: options.controllerIdentity, clock: SystemClock(), log: options.log))
  }

  private static func run(_ options: Options) async throws -> Int32 {
    let following: Task<Void, any Error>?
    let gateway: GatewayServer
    if let file = options.staticFile {
      let configuration = try StaticConfiguration(
        parsing: LocalFile.read(file), defaultDomain: options.domain ?? InstallationSettings.defaultDomain)
      let server = try self.gateway(options)
      gateway = server
      HangupSignals.handle {
        options.requestLog?.reopen()
        reload(file, into: server, options)
      }
      announce(try gateway.start(), options)
      gateway.update(configuration.view)
      following = nil
    } else {
      (gateway, following) = try startInCluster(options)
      HangupSignals.handle { options.requestLog?.reopen() }
    }
    let signal = Task { await TerminationSignals.wait() }
    // Informers go on for ever; should they fail, the gateway must not serve an ever older view unnoticed.
    if let following {
      Task {
        do { try await following.value } catch is CancellationError {} catch {
          options.log.error("the cluster is no longer watched", ["error": "\(error)"])
          exit(1)
        }
      }
    }
    let number = await signal.value
    options.log.info("gateway drains", ["signal": Int(number)])
    await gateway.shutDown(delay: options.shutdownDelay, drain: options.shutdownDrain)
    following?.cancel()
    options.log.info("gateway stops")
    return 0
  }

  /// Reads the file of services again; one that is wrong changes nothing.
  private static func reload(_ file: String, into gateway: GatewayServer, _ options: Options) {
    do {
      let configuration = try StaticConfiguration(
        parsing: LocalFile.read(file), defaultDomain: options.domain ?? InstallationSettings.defaultDomain)
      gateway.update(configuration.view)
      options.log.info("services reloaded", ["file": file, "services": configuration.services.count])
    } catch {
      options.log.error("the file of services is not used, the last one stays", ["file": file, "problem": "\(error)"])
    }
  }

  private static func startInCluster(_ options: Options) throws -> (GatewayServer, Task<Void, any Error>) {
    let clock = SystemClock()
    let driver = try CurlDriver()
    let connection = try ClusterConnection(
      kubeconfig: options.kubeconfig, limit: options.limit, driver: driver, clock: clock)
    let client = connection.client.limited(by: connection.limiter)
    let identity = options.configuration.identity
    let writer = ActivationWriter(
      client: client, clock: clock, log: options.log, namespace: options.namespace, identity: identity)
    let gateway = try self.gateway(options, client: client, wake: writer)
    let view = ClusterView(
      client: client, clock: clock, log: options.log, identity: identity, domain: options.domain,
      upstreamTLS: options.upstreamTLS, namespace: options.namespace,
      apply: { gateway.update(options.bounds($0)) }, publish: { gateway.update($0) })
    gateway.explainWaiting { view.problem }
    let addresses = try gateway.start()
    announce(addresses, options)
    if addresses.fleet == nil, !addresses.admin.isLoopback {
      options.log.warning("the controller's token passes in clear text: there is no --fleet-listen")
    }
    let publisher = options.key.map {
      GatewayKeyPublisher(
        client: client, clock: clock, log: options.log, namespace: options.namespace, identity: identity,
        podUID: ProcessIdentity.podUID, key: $0) as any ControllerRuntime.Service
    }
    return (gateway, Task { try await ServiceGroup([view, writer] + [publisher].compactMap(\.self)).run() })
  }

  private static func announce(_ addresses: GatewayServer.Addresses, _ options: Options) {
    options.log.info(
      "gateway starts",
      [
        "version": Version.current, "listen": "\(addresses.traffic)", "admin": "\(addresses.admin)",
        "fleet": addresses.fleet.map { "\($0)" } ?? "none", "hold_requests": options.configuration.holdBudgetRequests,
        "hold_bytes": options.configuration.holdBudgetBytes,
      ])
  }
}
