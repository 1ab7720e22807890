import ControllerRuntime
import CurlTransport
import EventLoop
import FleetProtocol
import GatewayCluster
import Glibc
import KubernetesClient
import Operator
import Telemetry

/// `pilotlight controller`: reconciles InferenceServices and scales their pools.
enum ControllerCommand {
  static let help = """
    usage: pilotlight controller [options]

      --kubeconfig FILE     the cluster; default: KUBECONFIG, else the pod's service account
      --namespace NAME      Pilotlight's own namespace (\(ActivationLease.defaultNamespace))
      --domain DOMAIN       services are NAME.NAMESPACE.DOMAIN at the gateway; default: by the ConfigMap pilotlight,
                            else pilotlight.local
      --gateway-url URL     where callers reach the gateway; status.url is below it
      --gateway-token-file FILE  a token for the gateways, of the audience \(ClusterAdminGuard.audience); read
                            again as it is renewed
      --gateway-tls WHEN    offered: gateways whose EndpointSlice has a port `fleet` are read over TLS, others over plain HTTP;
                            required: others are not read (offered)
      --admin-listen ADDR   health, metrics and /debug/state (127.0.0.1:9091)
      --admin-auth WHO      who may read /debug/state: cluster (whom its roles let in), nobody, anyone; default: anyone on
                            a loopback address, else cluster
      --zoneinfo FOLDER     compiled time zones, for schedules (\(TimeZoneFolder.standard))
      --leader-election     several controllers run and one leads
      --kube-api-qps N      requests to the API server a second, but the election's (200)
      --kube-api-burst N    the same at once after a rest (300)
      --identity NAME       who this process is; default: POD_NAME, else the host's name
      --log-level LEVEL     debug, info, warning or error (info)
      --log-format FORMAT   json or text; default: text on a terminal
    """

  static func run(_ arguments: [String]) async -> Int32 {
    await CommandFrame.run("controller", arguments, help: help) { scanner in try await run(Options(&scanner)) }
  }

  private struct Options {
    var kubeconfig: String?
    var limit: RequestRateLimit
    var configuration: OperatorConfiguration
    var timeZones: TimeZoneFolder
    var gatewayToken: FileToken?
    var admin: SocketAddress
    var adminAuthentication: AdminAuthentication
    var log: Log

    init(_ scanner: inout ArgumentScanner) throws {
      kubeconfig = try scanner.text("--kubeconfig")
      configuration = OperatorConfiguration(
        namespace: try scanner.text("--namespace") ?? ActivationLease.defaultNamespace,
        domain: try scanner.text("--domain"), gatewayURL: try scanner.text("--gateway-url"),
        identity: try scanner.text("--identity") ?? ProcessIdentity.current,
        leaderElection: scanner.flag("--leader-election"), requiresGatewayTLS: try Self.requiresTLS(&scanner))
      timeZones = TimeZoneFolder(path: try scanner.text("--zoneinfo") ?? TimeZoneFolder.standard)
      limit = try scanner.apiRateLimit()
      gatewayToken = try scanner.text("--gateway-token-file").map { FileToken(path: $0) }
      admin = try SocketAddress(parsing: try scanner.text("--admin-listen") ?? "127.0.0.1:9091")
      adminAuthentication = try AdminAuthentication(&scanner, listeners: [admin], hasCluster: true)
      log = try scanner.log()
      try scanner.finish()
    }

    private static func requiresTLS(_ scanner: inout ArgumentScanner) throws(ArgumentScanner.Problem) -> Bool {
      switch try scanner.text("--gateway-tls") {
      case nil, "offered": return false
      case "required": return true
      case .some(let text): throw ArgumentScanner.Problem("--gateway-tls: '\(text)' is not offered or required")
      }
    }
  }

  private static func run(_ options: Options) async throws -> Int32 {
    let clock = SystemClock()
    let driver = try CurlDriver()
    let metrics = MetricsRegistry()
    let connection = try ClusterConnection(
      kubeconfig: options.kubeconfig, limit: options.limit, driver: driver, clock: clock, metrics: metrics)
    let controller = Operator(
      client: connection.client, limiter: connection.limiter,
      gateways: CurlGatewayTransport(driver: driver, token: options.gatewayToken, metrics: metrics),
      configuration: options.configuration, clock: clock, timeZones: options.timeZones, log: options.log,
      metrics: metrics)
    let adminGuard = options.adminAuthentication.adminGuard(
      client: connection.client.limited(by: connection.limiter),
      controller: ClusterAdminGuard.defaultController(namespace: options.configuration.namespace), clock: clock,
      log: options.log)
    let admin = try AdminServer(controller: controller, metrics: metrics, adminGuard: adminGuard)
    let address = try admin.start(on: options.admin)
    options.log.info("controller starts", ["version": Version.current, "admin": "\(address)"])
    let running = Task { try await controller.run() }
    Task {
      let number = await TerminationSignals.wait()
      options.log.info("controller stops", ["signal": Int(number)])
      running.cancel()
    }
    do { try await running.value } catch is CancellationError {}
    admin.stop()
    return 0
  }
}
