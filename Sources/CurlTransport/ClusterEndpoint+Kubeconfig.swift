import FoundationEssentials
import KubernetesAPI

extension ClusterEndpoint {
  /// Reads what `kubectl config view --raw --minify --flatten -o json` prints: one context, with certificates in it.
  /// - Parameter allowsInsecure: accept `insecure-skip-tls-verify: true`; otherwise it is refused.
  /// - Throws: ``ClusterEndpointError`` that names the entry and what is accepted.
  public static func kubeconfig(json bytes: [UInt8], allowsInsecure: Bool = false) throws -> ClusterEndpoint {
    let reader = KubeconfigReader(document: try parse(bytes), allowsInsecure: allowsInsecure)
    return try reader.endpoint()
  }

  private static func parse(_ bytes: [UInt8]) throws -> JSONValue {
    do {
      return try JSONValue(parsing: bytes)
    } catch {
      throw ClusterEndpointError("kubeconfig: not the JSON of kubectl config view -o json: \(error)")
    }
  }
}

private struct KubeconfigReader {
  let document: JSONValue
  let allowsInsecure: Bool

  private static let acceptedCredentials =
    "accepted are token, tokenFile, exec, and client-certificate-data with client-key-data"

  func endpoint() throws -> ClusterEndpoint {
    let name = document["current-context"]?.stringValue ?? ""
    guard !name.isEmpty else {
      throw ClusterEndpointError("kubeconfig: no current-context; set one with kubectl config use-context")
    }
    let context = try entry("contexts", "context", name, usedBy: "current-context")
    let clusterName = context["cluster"]?.stringValue ?? ""
    let cluster = try entry("clusters", "cluster", clusterName, usedBy: "context \"\(name)\"")
    let userName = context["user"]?.stringValue ?? ""
    let user = userName.isEmpty ? [:] : try entry("users", "user", userName, usedBy: "context \"\(name)\"")
    return ClusterEndpoint(
      server: try server(cluster, clusterName), tls: try tls(cluster, clusterName, user, userName),
      credentials: try credentials(user, userName, cluster), namespace: text(context, "namespace") ?? "default",
      proxy: text(cluster, "proxy-url"))
  }

  private func entry(_ list: String, _ member: String, _ name: String, usedBy user: String) throws -> JSONValue {
    let entries = document[list]?.arrayValue ?? []
    guard let entry = entries.first(where: { $0["name"]?.stringValue == name })?[member] else {
      throw ClusterEndpointError("kubeconfig: \(user) names \(member) \"\(name)\", which is not in \(list)")
    }
    return entry
  }

  private func server(_ cluster: JSONValue, _ name: String) throws -> String {
    var server = text(cluster, "server") ?? ""
    while server.hasSuffix("/") { server.removeLast() }
    guard server.hasPrefix("https://") || server.hasPrefix("http://") else {
      throw ClusterEndpointError(
        "kubeconfig: cluster \"\(name)\": server is \"\(server)\"; an address begins with https:// or http://")
    }
    return server
  }

  private func tls(
    _ cluster: JSONValue, _ clusterName: String, _ user: JSONValue, _ userName: String
  ) throws -> CurlTLS {
    let place = "cluster \"\(clusterName)\""
    try refusePaths(cluster, place, ["certificate-authority"])
    try refusePaths(user, "user \"\(userName)\"", ["client-certificate", "client-key"])
    if text(cluster, "tls-server-name") != nil {
      throw ClusterEndpointError("kubeconfig: \(place): tls-server-name is not supported; use the name in server")
    }
    let isInsecure = cluster["insecure-skip-tls-verify"]?.boolValue ?? false
    guard !isInsecure || allowsInsecure else {
      throw ClusterEndpointError(
        "kubeconfig: \(place): insecure-skip-tls-verify is refused; give certificate-authority-data instead")
    }
    let certificate = try data(user, "client-certificate-data", "user \"\(userName)\"")
    let key = try data(user, "client-key-data", "user \"\(userName)\"")
    guard (certificate == nil) == (key == nil) else {
      throw ClusterEndpointError(
        "kubeconfig: user \"\(userName)\": client-certificate-data and client-key-data go together")
    }
    return CurlTLS(
      authorities: try data(cluster, "certificate-authority-data", place), clientCertificate: certificate,
      clientKey: key, verifiesServer: !isInsecure)
  }

  private func credentials(
    _ user: JSONValue, _ name: String, _ cluster: JSONValue
  ) throws -> (any CredentialSource)? {
    // client-go prefers the file, which can be renewed.
    if let path = text(user, "tokenFile") { return FileToken(path: path) }
    if let token = text(user, "token") { return FixedToken(token) }
    if let exec = user["exec"] {
      return ExecCredentials(try ExecPlugin(kubeconfig: exec, cluster: cluster, user: name))
    }
    if user["auth-provider"] != nil || text(user, "username") != nil {
      throw ClusterEndpointError(
        "kubeconfig: user \"\(name)\": auth-provider and username are not supported; \(Self.acceptedCredentials)")
    }
    return nil
  }

  private func refusePaths(_ entry: JSONValue, _ place: String, _ names: [String]) throws {
    for name in names where text(entry, name) != nil && text(entry, "\(name)-data") == nil {
      throw ClusterEndpointError(
        "kubeconfig: \(place): \(name) is a path; use kubectl config view --flatten, which gives \(name)-data")
    }
  }

  private func data(_ entry: JSONValue, _ name: String, _ place: String) throws -> [UInt8]? {
    guard let text = text(entry, name) else { return nil }
    guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters), !data.isEmpty else {
      throw ClusterEndpointError("kubeconfig: \(place): \(name) is not base64")
    }
    return Array(data)
  }

  private func text(_ entry: JSONValue, _ name: String) -> String? {
    entry[name]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
  }
}
