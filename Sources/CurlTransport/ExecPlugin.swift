import FoundationEssentials
import KubernetesAPI
import KubernetesClient

/// A program that a kubeconfig names for credentials (`users[].user.exec`), and what it is told and answers: the
/// `client.authentication.k8s.io` API, `v1` and `v1beta1`. Nothing is run here.
struct ExecPlugin: Hashable, Sendable {
  /// A name on PATH, or an absolute path. No shell sees it.
  var command: String
  var arguments: [String] = []
  /// Added to this process's own.
  var environment: [String: String] = [:]
  var apiVersion: String
  /// What whoever wrote the kubeconfig says about installing it.
  var installHint: String?
  /// What `provideClusterInfo` asks for.
  var cluster: JSONValue?

  static let group = "client.authentication.k8s.io"
  static let apiVersions = ["\(group)/v1", "\(group)/v1beta1"]

  /// The value of `KUBERNETES_EXEC_INFO`. A controller has no terminal, so it never asks for one.
  var information: String {
    var spec: JSONValue = ["interactive": false]
    spec["cluster"] = cluster
    let object: JSONValue = ["apiVersion": .string(apiVersion), "kind": "ExecCredential", "spec": spec]
    return String(decoding: object.bytes, as: UTF8.self)
  }

  /// Reads what the program wrote. Texts of errors never hold any of it: it is secret.
  /// - Returns: what it gave, and until when that holds; nil: for as long as the server takes it.
  func read(_ output: [UInt8]) throws(TransportError) -> (credential: Credential, expiration: Date?) {
    guard let answer = try? JSONValue(parsing: output), answer["kind"]?.stringValue == "ExecCredential" else {
      throw failure("did not write the JSON of an ExecCredential")
    }
    let version = answer["apiVersion"]?.stringValue ?? "none"
    guard version == apiVersion else {
      throw failure("answered with apiVersion \(version.prefix(80)), and the kubeconfig says \(apiVersion)")
    }
    let status = answer["status"] ?? [:]
    func text(_ name: String) -> String? { status[name]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
    let credential = Credential(
      token: text("token"), clientCertificate: text("clientCertificateData").map { Array($0.utf8) },
      clientKey: text("clientKeyData").map { Array($0.utf8) })
    guard (credential.clientCertificate == nil) == (credential.clientKey == nil) else {
      throw failure("answered with one of status.clientCertificateData and status.clientKeyData: they go together")
    }
    guard credential.token != nil || credential.clientCertificate != nil else {
      throw failure("answered without status.token and without status.clientCertificateData")
    }
    guard let expiration = text("expirationTimestamp") else { return (credential, nil) }
    guard let date = Timestamp.parse(expiration) else {
      throw failure("answered with a status.expirationTimestamp that is no RFC 3339 time")
    }
    return (credential, date)
  }

  /// - Parameter words: what the program did.
  func failure(_ words: String) -> TransportError {
    TransportError(.invalidRequest, "credentials: the exec plugin \"\(command)\" \(words)")
  }
}

extension ExecPlugin {
  /// Reads `exec` of a kubeconfig's user.
  /// - Parameter cluster: the kubeconfig's entry of the cluster it is for.
  /// - Throws: ``ClusterEndpointError`` that names what is wrong and what is accepted.
  init(kubeconfig entry: JSONValue, cluster: JSONValue, user: String) throws(ClusterEndpointError) {
    let place = "kubeconfig: user \"\(user)\": exec"
    command = entry["command"]?.stringValue ?? ""
    guard !command.isEmpty, !command.contains("/") || command.hasPrefix("/") else {
      throw ClusterEndpointError("\(place).command is \"\(command)\"; give a name on PATH or an absolute path")
    }
    apiVersion = entry["apiVersion"]?.stringValue ?? ""
    guard Self.apiVersions.contains(apiVersion) else {
      throw ClusterEndpointError(
        "\(place).apiVersion is \"\(apiVersion)\"; \(Self.apiVersions.joined(separator: " and ")) are known")
    }
    let mode = entry["interactiveMode"]?.stringValue ?? (apiVersion.hasSuffix("v1beta1") ? "IfAvailable" : "")
    guard mode == "Never" || mode == "IfAvailable" else {
      throw ClusterEndpointError(
        "\(place).interactiveMode is \"\(mode)\"; there is no terminal here: give Never or IfAvailable")
    }
    arguments = (entry["args"]?.arrayValue ?? []).compactMap(\.stringValue)
    for variable in entry["env"]?.arrayValue ?? [] {
      guard let name = variable["name"]?.stringValue, !name.isEmpty, !name.contains("=") else {
        throw ClusterEndpointError("\(place).env has an entry without a name")
      }
      environment[name] = variable["value"]?.stringValue ?? ""
    }
    installHint = entry["installHint"]?.stringValue
    if entry["provideClusterInfo"]?.boolValue == true { self.cluster = Self.information(about: cluster) }
  }

  /// `spec.cluster` of an ExecCredential: the kubeconfig's cluster, with the extension meant for plugins.
  private static func information(about cluster: JSONValue) -> JSONValue {
    var information: JSONValue = [:]
    let names = [
      "server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url",
      "disable-compression",
    ]
    for name in names { information[name] = cluster[name] }
    let extensions = cluster["extensions"]?.arrayValue ?? []
    information["config"] =
      extensions.first { $0["name"]?.stringValue == "\(group)/exec" }?["extension"]
    return information
  }
}
