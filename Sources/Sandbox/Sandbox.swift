import EventLoop
import FoundationEssentials
import Glibc
import InferenceAPI
import KubernetesAPI
import ObjectStore
import Telemetry

/// A Kubernetes cluster of one node within this process: an API server, the controllers every cluster has, a kubelet that runs pods
/// as processes, and Pilotlight's own controller and gateways as children.
///
/// Sendable because its state is confined to its loop; the public methods hop there.
public final class Sandbox: @unchecked Sendable {
  private let configuration: SandboxConfiguration
  private let log: Log
  private let loop: EventLoop
  private let state: StateDirectory
  private let reaper: Reaper
  private let cluster: Cluster
  private let kubelet: Kubelet
  private let audit: AuditLog
  private let accounts: ServiceAccountFiles
  private var server: HTTPServer?
  private var endpoints: SandboxEndpoints?
  private var controller: (place: SandboxConfiguration.ControllerPlace, process: SupervisedProcess)?
  private var gateways: [(place: SandboxConfiguration.GatewayPlace, process: SupervisedProcess)] = []

  /// - Throws: ``SandboxError`` when the state folder cannot be made.
  public init(_ configuration: SandboxConfiguration, log: Log) throws {
    self.configuration = configuration
    self.log = log
    state = try StateDirectory(configuration.stateDirectory)
    loop = try EventLoop(name: "sandbox")
    audit = try AuditLog(path: configuration.auditLog ?? state.audit, loop: loop, log: log)
    let marker = "PILOTLIGHT_SANDBOX=\(Self.randomHex(bytes: 12))"
    do { reaper = try Reaper(command: configuration.reaperCommand, marker: marker) } catch {
      throw SandboxError("the process that ends the sandbox's children cannot be started: \(error)")
    }
    let resources = ResourceDefinition.builtIn + [.inferenceServices]
    let plane = ControlPlane(
      store: ObjectStore(resources: resources, seed: .random(in: .min ... .max)), types: resources.map(\.type),
      node: SandboxNode(allocatable: configuration.allocatable, labels: configuration.nodeLabels))
    cluster = Cluster(loop: loop, plane: plane)
    accounts = ServiceAccountFiles(
      cluster: cluster, state: state, lifetime: configuration.tokenLifetime, log: log)
    kubelet = Kubelet(
      cluster: cluster, reaper: reaper, stateFolder: state.path, imageEnvironment: configuration.imageEnvironment,
      workingDirectory: configuration.workingDirectory, probesByPeriod: configuration.probesByPeriod)
  }

  /// Starts everything; returns when the API answers and the gateways listen.
  /// - Throws: ``SandboxError``.
  public func start() async throws -> SandboxEndpoints {
    loop.start()
    do {
      return try await Task(executorPreference: loop) { try await self.startOnLoop() }.value
    } catch {
      await shutDown()
      throw error
    }
  }

  /// Ends every child and every pod, then the API.
  public func shutDown() async {
    await Task(executorPreference: loop) {
      await self.stopOnLoop()
      self.reaper.finish()
    }.value
    loop.stop()
  }

  private static func randomHex(bytes count: Int) -> String {
    (0..<count).map { _ in
      let text = String(UInt8.random(in: 0...255), radix: 16)
      return text.count == 1 ? "0" + text : text
    }.joined()
  }
}

// MARK: - Start

extension Sandbox {
  private func startOnLoop() async throws -> SandboxEndpoints {
    cluster.onChanges = { [kubelet] in kubelet.observe($0) }
    cluster.change { plane, now in plane.boot(version: configuration.version, now: now) }
    heartbeatLater()
    let endpoints = try startServer()
    self.endpoints = endpoints
    try startControllerAndGateways()
    try await waitForGateways()
    try describe()
    return endpoints
  }

  private func startServer() throws -> SandboxEndpoints {
    let authority: SelfSignedAuthority
    let tls: TLSServerContext
    do {
      authority = try SelfSignedAuthority(commonName: "pilotlight-sandbox")
      let identity = try authority.issueServerCertificate(
        commonName: "kube-apiserver", names: ["127.0.0.1", "localhost", "kubernetes.default.svc"])
      tls = try TLSServerContext(certificatePEM: identity.certificatePEM, privateKeyPEM: identity.privateKeyPEM)
    } catch {
      throw SandboxError("no certificate can be made: \(error)")
    }
    var settings = HTTPServerConfiguration(
      address: try SocketAddress(host: "127.0.0.1", port: configuration.apiPort))
    settings.tls = tls
    let api = APIServer(cluster: cluster, kubelet: kubelet, audit: audit)
    let server = HTTPServer(loop: loop, configuration: settings) { await api.serve($0) }
    let address: SocketAddress
    do { address = try server.start() } catch {
      throw SandboxError(
        "port \(configuration.apiPort) on 127.0.0.1 cannot be listened on (\(error)); choose another with --api-port")
    }
    self.server = server
    let url = "https://127.0.0.1:\(address.port)"
    let token = Self.randomHex(bytes: 32)
    cluster.change { plane, _ in plane.store.admit(.admin, token: token) }
    let kubeconfig = Kubeconfig(
      server: url, certificateAuthority: authority.certificatePEM, credentials: .token(token))
    try state.write(kubeconfig.json.prettyText + "\n", to: state.kubeconfig, mode: 0o600)
    try accounts.write(server: url, certificateAuthority: authority.certificatePEM)
    log.info("API server listens", ["server": url, "kubeconfig": state.kubeconfig])
    return SandboxEndpoints(
      server: url, kubeconfig: state.kubeconfig, description: state.description, gateways: [])
  }

  private func startControllerAndGateways() throws {
    let count = configuration.gatewayCommand == nil ? 0 : configuration.gatewayCount
    let free = PortReservation.free(count * 3 + 1)
    guard free.count == count * 3 + 1 else { throw SandboxError("127.0.0.1 has no free ports between 20000 and 30000") }
    for index in 0..<count {
      let port = configuration.httpPort == 0 ? free[index] : configuration.httpPort + index
      guard PortReservation.isFree(port) else {
        throw SandboxError(
          "port \(port) on 127.0.0.1 is taken: stop what listens there, or choose another with --http-port")
      }
      let place = SandboxConfiguration.GatewayPlace(
        kubeconfig: accounts.kubeconfig(BootRoles.gateway), index: index, httpPort: port,
        adminPort: free[count + index],
        fleetPort: configuration.encryptsFleet ? free[count * 2 + 1 + index] : nil)
      endpoints?.gateways.append("http://127.0.0.1:\(port)")
      if let command = configuration.gatewayCommand { startGateway(place, command(place)) }
    }
    if let command = configuration.controllerCommand {
      let place = SandboxConfiguration.ControllerPlace(
        kubeconfig: accounts.kubeconfig(BootRoles.controller), gatewayTokenFile: accounts.gatewayToken,
        adminPort: free[count * 2], gatewayURL: endpoints?.gateways.first)
      let process = supervised("controller", command(place))
      process.onChange = { [weak self] in self?.describeAgain() }
      controller = (place, process)
      process.start()
    }
  }

  private func startGateway(_ place: SandboxConfiguration.GatewayPlace, _ arguments: [String]) {
    let process = supervised("gateway-\(place.index)", arguments)
    gateways.append((place, process))
    process.onChange = { [weak self, weak process] in
      guard let self, let process else { return }
      let isRunning = process.pid != nil
      cluster.change { plane, now in plane.setGateway(place, isRunning: isRunning, now: now) }
      describeAgain()
    }
    process.start()
  }

  private func supervised(_ name: String, _ arguments: [String]) -> SupervisedProcess {
    var environment = configuration.imageEnvironment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    environment += ["POD_NAME=\(name)", "POD_NAMESPACE=\(BootObjects.systemNamespace)", reaper.marker]
    return SupervisedProcess(
      name: name,
      command: ProcessCommand(arguments: arguments, environment: environment, directory: nil),
      logPath: state.log(name), loop: loop, reaper: reaper, log: log)
  }

  /// A gateway that does not come up within the time is the start's failure, with its last words.
  private func waitForGateways() async throws {
    let deadline = loop.now + .seconds(20)
    for (place, process) in gateways {
      let address = try SocketAddress(host: "127.0.0.1", port: place.httpPort)
      while true {
        let pid = process.pid
        if pid != nil,
          let connection = try? await kubelet.probes.connect(
            to: address, key: "gateway", tls: nil, timeout: .seconds(1))
        {
          connection.close()
          // Where the process has ended meanwhile, somebody else has the port.
          if process.pid == pid { break }
        }
        guard loop.now < deadline, process.restarts < 3 else {
          let words = process.lastWords.split(separator: "\n").last.map(String.init) ?? "it said nothing"
          throw SandboxError("\(process.name) does not start: \(words) (log: \(process.logPath))")
        }
        try await loop.sleep(for: .milliseconds(20))
      }
    }
  }

  private func heartbeatLater() {
    _ = loop.schedule(after: .seconds(300)) { [weak self] in
      guard let self else { return }
      cluster.change { plane, now in plane.heartbeat(now: now) }
      heartbeatLater()
    }
  }
}

// MARK: - Description

extension Sandbox {
  /// Writes `sandbox.json`: what a script needs to use the sandbox, and which processes it may kill for a trial.
  private func describe() throws {
    guard let endpoints else { return }
    var json: JSONValue = [
      "pid": JSONValue(Int(getpid())), "server": .string(endpoints.server), "kubeconfig": .string(endpoints.kubeconfig),
      "stateDirectory": .string(state.path), "auditLog": .string(configuration.auditLog ?? state.audit),
      "gateways": .array(
        gateways.map { place, process in
          var gateway = Self.description(of: process)
          gateway["url"] = .string("http://127.0.0.1:\(place.httpPort)")
          gateway["admin"] = .string("http://127.0.0.1:\(place.adminPort)")
          gateway["fleet"] = place.fleetPort.map { .string("https://127.0.0.1:\($0)") }
          return gateway
        }),
    ]
    json["controller"] = controller.map { place, process in
      var controller = Self.description(of: process)
      controller["admin"] = .string("http://127.0.0.1:\(place.adminPort)")
      return controller
    }
    try state.write(json.prettyText + "\n", to: state.description, mode: 0o644)
  }

  /// After a child's end or restart; before the first description there is nothing to bring up to date.
  private func describeAgain() {
    guard access(state.description, F_OK) == 0 else { return }
    do { try describe() } catch { log.warning("sandbox.json is out of date", ["error": "\(error)"]) }
  }

  private static func description(of process: SupervisedProcess) -> JSONValue {
    var json: JSONValue = [
      "name": .string(process.name), "log": .string(process.logPath), "restarts": JSONValue(process.restarts),
    ]
    json["pid"] = process.pid.map { JSONValue($0) }
    return json
  }
}

// MARK: - Stop

extension Sandbox {
  private func stopOnLoop() async {
    unlink(state.description)
    await stop([controller?.process].compactMap(\.self) + gateways.map(\.process))
    kubelet.shutDown()
    await server?.shutDown(graceful: .milliseconds(200))
    audit.flush()
    log.info("sandbox has ended")
  }

  /// Stops all at the same time.
  private func stop(_ processes: [SupervisedProcess]) async {
    var left = processes.count
    guard left > 0 else { return }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      for process in processes {
        process.onChange = {}
        process.stop(grace: .seconds(5)) {
          left -= 1
          if left == 0 { continuation.resume() }
        }
      }
    }
  }
}
