import CurlTransport
import FoundationEssentials
import KubernetesAPI
import Testing

@Suite struct KubeconfigTests {
  /// A good kubeconfig with one part of it replaced.
  private func kubeconfig(
    cluster: JSONValue = ["server": "https://10.0.0.1:6443/"], user: JSONValue = ["token": "secret"],
    context: JSONValue = ["cluster": "c", "user": "u"]
  ) -> [UInt8] {
    let document: JSONValue = [
      "current-context": "x", "contexts": [["name": "x", "context": context]],
      "clusters": [["name": "c", "cluster": cluster]], "users": [["name": "u", "user": user]],
    ]
    return document.bytes
  }

  /// A kubeconfig with a plugin that is good but for `changes`.
  private func exec(_ changes: [String: JSONValue?]) -> [UInt8] {
    var exec: JSONValue = [
      "command": "login", "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
    ]
    for (name, value) in changes { exec[name] = value }
    return kubeconfig(user: ["exec": exec])
  }

  @Test("server, certificates, token and namespace are taken from the current context")
  func good() async throws {
    let endpoint = try ClusterEndpoint.kubeconfig(
      json: kubeconfig(
        cluster: ["server": "https://h:1/prefix/", "certificate-authority-data": "Q0E=", "proxy-url": "http://p:3128"],
        user: ["client-certificate-data": "Y2VydA==", "client-key-data": "a2V5", "token": "secret"],
        context: ["cluster": "c", "user": "u", "namespace": "team"]))
    #expect(endpoint.server == "https://h:1/prefix")
    let tls = CurlTLS(
      authorities: Array("CA".utf8), clientCertificate: Array("cert".utf8), clientKey: Array("key".utf8))
    #expect(endpoint.tls == tls)
    #expect(try await endpoint.credentials?.credential() == Credential(token: "secret"))
    #expect(endpoint.namespace == "team" && endpoint.proxy == "http://p:3128")
  }

  @Test("what cannot be used is refused in one line that names it and what is accepted")
  func bad() {
    let table: [([UInt8], String)] = [
      (Array("apiVersion: v1".utf8), "not the JSON of kubectl config view"),
      (Array("{}".utf8), "no current-context"),
      (kubeconfig(context: ["cluster": "other", "user": "u"]), #"cluster "other", which is not in clusters"#),
      (kubeconfig(context: ["cluster": "c", "user": "other"]), #"user "other", which is not in users"#),
      (kubeconfig(cluster: ["server": "10.0.0.1"]), "begins with https:// or http://"),
      (
        kubeconfig(cluster: ["server": "https://h", "insecure-skip-tls-verify": true]),
        "insecure-skip-tls-verify is refused"
      ),
      (kubeconfig(cluster: ["server": "https://h", "certificate-authority": "/ca"]), "--flatten"),
      (kubeconfig(cluster: ["server": "https://h", "certificate-authority-data": "!"]), "is not base64"),
      (kubeconfig(cluster: ["server": "https://h", "tls-server-name": "x"]), "tls-server-name is not supported"),
      (exec(["command": ""]), "give a name on PATH or an absolute path"),
      (exec(["command": "bin/login"]), "give a name on PATH or an absolute path"),
      (
        exec(["apiVersion": "client.authentication.k8s.io/v1alpha1"]),
        "v1 and client.authentication.k8s.io/v1beta1 are known"
      ),
      (exec(["interactiveMode": "Always"]), "there is no terminal here"),
      (exec(["interactiveMode": nil]), "interactiveMode is \"\""),
      (exec(["env": [["value": "x"]]]), "exec.env has an entry without a name"),
      (kubeconfig(user: ["username": "x", "password": "y"]), "accepted are token, tokenFile"),
      (kubeconfig(user: ["client-certificate-data": "Y2VydA=="]), "go together"),
    ]
    for (bytes, words) in table {
      let error = #expect(throws: ClusterEndpointError.self) { try ClusterEndpoint.kubeconfig(json: bytes) }
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "") does not say: \(words)")
      #expect(error?.message.contains("\n") == false)
    }
  }

  @Test("an insecure cluster is taken when that is said explicitly")
  func insecure() throws {
    let endpoint = try ClusterEndpoint.kubeconfig(
      json: kubeconfig(cluster: ["server": "https://h", "insecure-skip-tls-verify": true]), allowsInsecure: true)
    #expect(!endpoint.tls.verifiesServer)
  }
}

@Suite struct InClusterTests {
  @Test("a pod's service account is found, and its token read again when it is replaced")
  func found() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "pilotlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    func put(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: directory.appending(path: name)) }
    let path = directory.path(percentEncoded: false)
    let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"]

    #expect(throws: ClusterEndpointError.self) { try ClusterEndpoint.inCluster(environment: { _ in nil }) }
    let error = #expect(throws: ClusterEndpointError.self) {
      try ClusterEndpoint.inCluster(environment: { environment[$0] }, directory: path)
    }
    #expect(error?.message.contains("\(path)/token") == true)

    try put("token", "one\n")
    try put("ca.crt", "PEM")
    try put("namespace", "pilotlight-system")
    let endpoint = try ClusterEndpoint.inCluster(environment: { environment[$0] }, directory: path)
    #expect(endpoint.server == "https://[fd00::1]:6443")
    #expect(endpoint.namespace == "pilotlight-system")
    #expect(endpoint.tls.authorities == Array("PEM".utf8))
    #expect(try await endpoint.credentials?.credential().token == "one")
    try put("token", "second")
    #expect(try await endpoint.credentials?.credential().token == "second")
    try FileManager.default.removeItem(at: directory.appending(path: "token"))
    #expect(try await endpoint.credentials?.credential().token == "second")
  }
}
