import FoundationEssentials
import KubernetesAPI

/// A kubeconfig for one cluster with one user, as JSON, which is YAML too.
struct Kubeconfig {
  var server: String
  /// PEM.
  var certificateAuthority: String
  var credentials: Credentials
  var namespace = "default"

  enum Credentials {
    case token(String)
    /// A file whose token somebody renews.
    case tokenFile(String)
  }

  var json: JSONValue {
    let name: JSONValue = "pilotlight-sandbox"
    return [
      "apiVersion": "v1", "kind": "Config", "current-context": name, "preferences": [:],
      "clusters": [
        [
          "name": name,
          "cluster": [
            "server": .string(server),
            "certificate-authority-data": .string(Data(certificateAuthority.utf8).base64EncodedString()),
          ],
        ]
      ],
      "users": [["name": name, "user": user]],
      "contexts": [["name": name, "context": ["cluster": name, "user": name, "namespace": .string(namespace)]]],
    ]
  }

  private var user: JSONValue {
    switch credentials {
    case .token(let token): ["token": .string(token)]
    case .tokenFile(let path): ["tokenFile": .string(path)]
    }
  }
}
