import FoundationEssentials
import Glibc
import Sandbox
import Telemetry

/// `pilotlight sandbox`: a Kubernetes API, its controllers and a process kubelet on this machine.
enum SandboxCommand {
  static let help = """
    usage: pilotlight sandbox [options]

    A cluster of one node for trials and tests: kubectl works against it, pods are processes of this machine. It is no cluster:
    no images, no isolation, no network of its own, and all is gone when it ends.

      --state-dir DIR          kubeconfig, logs and sandbox.json (a new folder under TMPDIR)
      --api-port PORT          the Kubernetes API on 127.0.0.1; 0: any free one (0)
      --http-port PORT         the gateway on 127.0.0.1; 0: any free one (8080)
      --gateways N             gateway processes, on this port and the next ones (1)
      --cpu N, --memory SIZE   what the node offers to pods (64, 256Gi)
      --gpus N                 pretended nvidia.com/gpu of the node (8)
      --pods N                 how many pods it takes (250)
      --audit-log FILE         a line of JSON for each request to the API, never rotated (audit.jsonl in the state directory)
      --token-lifetime DURATION  of the controller's and the gateways' tokens, which are renewed in time (1h)
      --node-label NAME=VALUE  a label of the node; may be repeated
      --probe-by-period        ask pods that are not ready once a periodSeconds, as a real kubelet; default: every 20 to 50 ms
      --fleet-tls              controller and gateways speak TLS with each other, as they do in a cluster
      --without-controller     do not start the controller
      --without-gateway        do not start a gateway
      --gateway-option OPTION  passed on to each gateway; may be repeated
      --controller-option OPTION  passed on to the controller; may be repeated
      --log-level LEVEL        debug, info, warning or error (info)
      --log-format FORMAT      json or text; default: text on a terminal
    """

  static func run(_ arguments: [String]) async -> Int32 {
    await CommandFrame.run("sandbox", arguments, help: help) { scanner in
      let configuration = try configuration(&scanner)
      let log = try scanner.log()
      try scanner.finish()
      return try await run(configuration, log: log)
    }
  }

  private static func run(_ configuration: SandboxConfiguration, log: Log) async throws -> Int32 {
    let sandbox = try Sandbox(configuration, log: log)
    let signal = Task { await TerminationSignals.wait() }
    let endpoints = try await sandbox.start()
    Console.print("export KUBECONFIG=\(endpoints.kubeconfig)")
    for url in endpoints.gateways { Console.print("gateway: \(url)") }
    let number = await signal.value
    log.info("stopping", ["signal": Int(number)])
    await sandbox.shutDown()
    return 0
  }

  private static func configuration(
    _ scanner: inout ArgumentScanner
  ) throws(ArgumentScanner.Problem) -> SandboxConfiguration {
    let environment = ProcessInfo.processInfo.environment
    let temporary = environment["TMPDIR"] ?? "/tmp"
    var result = SandboxConfiguration(
      stateDirectory: try scanner.text("--state-dir") ?? "\(temporary)/pilotlight-sandbox.\(getpid())")
    result.apiPort = try scanner.integer("--api-port", default: result.apiPort, in: 0...65_535)
    result.httpPort = try scanner.integer("--http-port", default: result.httpPort, in: 0...65_535)
    result.gatewayCount = try scanner.integer("--gateways", default: result.gatewayCount, in: 1...16)
    if let cpu = try scanner.text("--cpu") { result.allocatable["cpu"] = cpu }
    if let memory = try scanner.text("--memory") { result.allocatable["memory"] = memory }
    result.allocatable["nvidia.com/gpu"] = String(try scanner.integer("--gpus", default: 8, in: 0...100_000))
    result.allocatable["pods"] = String(try scanner.integer("--pods", default: 250, in: 1...2000))
    result.auditLog = try scanner.text("--audit-log")
    result.tokenLifetime = try scanner.duration("--token-lifetime", default: result.tokenLifetime)
    for label in try scanner.texts("--node-label") {
      guard let equals = label.firstIndex(of: "="), equals != label.startIndex else {
        throw ArgumentScanner.Problem("--node-label: '\(label)' is not NAME=VALUE")
      }
      result.nodeLabels[String(label[..<equals])] = String(label[label.index(after: equals)...])
    }
    result.probesByPeriod = scanner.flag("--probe-by-period")
    result.encryptsFleet = scanner.flag("--fleet-tls")
    let executable = executablePath
    let folder = executable.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    result.imageEnvironment = environment.filter {
      ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER"].contains($0.key)
    }
    // `pilotlight model-stub` in a pod's command means this very binary.
    result.imageEnvironment["PATH"] = "\(folder):\(environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")"
    result.reaperCommand = [executable, "sandbox-reaper"]
    try addChildren(&result, executable: executable, &scanner)
    return result
  }

  private static func addChildren(
    _ configuration: inout SandboxConfiguration, executable: String, _ scanner: inout ArgumentScanner
  ) throws(ArgumentScanner.Problem) {
    let gatewayOptions = try scanner.texts("--gateway-option")
    let controllerOptions = try scanner.texts("--controller-option")
    if !scanner.flag("--without-controller") {
      configuration.controllerCommand = { place in
        [
          executable, "controller", "--kubeconfig", place.kubeconfig, "--admin-listen", "127.0.0.1:\(place.adminPort)",
          "--admin-auth", "cluster", "--gateway-token-file", place.gatewayTokenFile, "--identity", "controller",
          "--log-format", "json",
        ] + (place.gatewayURL.map { ["--gateway-url", $0] } ?? []) + controllerOptions
      }
    }
    if !scanner.flag("--without-gateway") {
      configuration.gatewayCommand = { place in
        [
          executable, "gateway", "--kubeconfig", place.kubeconfig, "--listen", "127.0.0.1:\(place.httpPort)",
          "--admin-listen", "127.0.0.1:\(place.adminPort)", "--admin-auth", "cluster",
          "--identity", "gateway-\(place.index)", "--log-format", "json", "--shutdown-delay", "0s", "--shutdown-drain",
          "2s",
        ] + (place.fleetPort.map { ["--fleet-listen", "127.0.0.1:\($0)"] } ?? []) + gatewayOptions
      }
    }
  }

  /// Of this binary, however it was called.
  private static var executablePath: String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { readlink("/proc/self/exe", $0, text.count) } ?? -1
      }
    }
    return count > 0 ? String(decoding: buffer[0..<count], as: UTF8.self) : CommandLine.arguments[0]
  }
}
