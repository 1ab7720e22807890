import FoundationEssentials
import KubernetesAPI

/// A kubeconfig for one cluster with one user, as JSON, which is YAML too.
struct Kubeconfig {
  var server: String
  /// PEM.
  var certificateAuthority: String
  var token: String

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
      "users": [["name": name, "user": ["token": .string(token)]]],
      "contexts": [["name": name, "context": ["cluster": name, "user": name, "namespace": "default"]]],
    ]
  }
}
