import Glibc
import KubernetesClient

extension ClusterEndpoint {
  /// Where kubelet mounts a pod's service account.
  public static let serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

  /// The API server of the cluster that this process is a pod of: by `KUBERNETES_SERVICE_HOST` and the mounted service account.
  /// - Throws: ``ClusterEndpointError`` when this is no pod, or one without a service account.
  public static func inCluster(
    environment: (String) -> String? = { getenv($0).map { String(cString: $0) } },
    directory: String = ClusterEndpoint.serviceAccountDirectory
  ) throws -> ClusterEndpoint {
    guard let host = environment("KUBERNETES_SERVICE_HOST"), !host.isEmpty else {
      throw ClusterEndpointError("not in a cluster: KUBERNETES_SERVICE_HOST is not set; give a kubeconfig instead")
    }
    let port = environment("KUBERNETES_SERVICE_PORT").flatMap { $0.isEmpty ? nil : $0 } ?? "443"
    let token = FileToken(path: "\(directory)/token")
    let authorities: [UInt8]
    do {
      _ = try token.token()
      authorities = try LocalFile.read("\(directory)/ca.crt")
    } catch {
      throw ClusterEndpointError("\(error); does the pod set automountServiceAccountToken: false?")
    }
    let namespace = (try? LocalFile.read("\(directory)/namespace")).map { String(decoding: $0, as: UTF8.self) }
    return ClusterEndpoint(
      server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)", tls: CurlTLS(authorities: authorities),
      credentials: token,
      namespace: namespace?.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "default")
  }
}
