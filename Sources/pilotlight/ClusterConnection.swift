import CurlTransport
import Glibc
import KubernetesAPI
import KubernetesClient
import Telemetry

/// How a command reaches its cluster: `--kubeconfig`, else `KUBECONFIG`, else the pod's own service account.
struct ClusterConnection {
  /// Without a bound: for the election.
  let client: KubernetesClient
  /// Bounds everything else.
  let limiter: RateLimiter
  /// Namespace of the credentials.
  let namespace: String

  /// - Parameter metrics: where requests are counted; nil: nowhere.
  init(
    kubeconfig: String?, limit: RequestRateLimit, driver: CurlDriver, clock: any ClockSource,
    metrics: MetricsRegistry? = nil
  ) throws {
    limiter = RateLimiter(limit, clock: clock)
    let endpoint = try Self.endpoint(kubeconfig: kubeconfig)
    namespace = endpoint.namespace
    let transport = CurlTransport(driver: driver, endpoint: endpoint, userAgent: "pilotlight/\(Version.current)")
    client = KubernetesClient(
      transport: metrics.map { MeteredTransport(transport, metrics: $0) } ?? transport, clock: clock)
  }

  private static func endpoint(kubeconfig: String?) throws -> ClusterEndpoint {
    let path = kubeconfig ?? getenv("KUBECONFIG").map { String(cString: $0) }
    if let path, !path.isEmpty { return try endpoint(file: path) }
    if getenv("KUBERNETES_SERVICE_HOST") != nil { return try ClusterEndpoint.inCluster() }
    throw ClusterEndpointError(
      "no cluster: give --kubeconfig FILE, set KUBECONFIG, or run in a pod with a service account")
  }

  private static func endpoint(file path: String) throws -> ClusterEndpoint {
    try ClusterEndpoint.kubeconfig(json: try kubeconfigJSON(path))
  }

  /// A kubeconfig is YAML, and kubectl is the tool that reads it; one that is JSON already needs no kubectl.
  private static func kubeconfigJSON(_ path: String) throws -> [UInt8] {
    let bytes: [UInt8]
    do { bytes = try LocalFile.read(path) } catch { throw ClusterEndpointError("kubeconfig: \(error)") }
    if let first = bytes.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") {
      do { _ = try JSONValue(parsing: bytes) } catch {
        throw ClusterEndpointError("kubeconfig '\(path)' is not JSON: \(error)")
      }
      return bytes
    }
    let command = ["kubectl", "config", "view", "--kubeconfig", path, "--raw", "--minify", "--flatten", "-o", "json"]
    let output: ProcessOutput
    do { output = try ProcessOutput(of: command) } catch {
      throw ClusterEndpointError(
        "kubeconfig '\(path)' is read through kubectl: \(error); install kubectl or put it on PATH")
    }
    guard output.status == 0 else {
      let said = output.standardError.split(separator: "\n").first.map(String.init) ?? "exit status \(output.status)"
      throw ClusterEndpointError("kubeconfig '\(path)': kubectl says: \(said)")
    }
    return output.standardOutput
  }
}

extension ArgumentScanner {
  /// Takes `--kube-api-qps` and `--kube-api-burst`, named as Kubernetes' own components name them.
  mutating func apiRateLimit() throws(Problem) -> RequestRateLimit {
    RequestRateLimit(
      perSecond: Double(try integer("--kube-api-qps", default: 200, in: 1...10_000)),
      burst: try integer("--kube-api-burst", default: 300, in: 1...100_000))
  }
}
