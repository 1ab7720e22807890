import EventLoop
import KubernetesAPI
import ObjectStore
import Telemetry

/// Files by which Pilotlight's own processes are service accounts: a kubeconfig for each, and the tokens it names, which are
/// renewed after four fifths of their life, as kubelet renews projected ones.
///
/// Confined to the cluster's loop.
final class ServiceAccountFiles {
  private let cluster: Cluster
  private let state: StateDirectory
  /// Of a token, in whole seconds.
  private let lifetime: Int
  private let log: Log

  init(cluster: Cluster, state: StateDirectory, lifetime: Duration, log: Log) {
    self.cluster = cluster
    self.state = state
    self.lifetime = max(1, Int(lifetime.components.seconds))
    self.log = log
  }

  /// The kubeconfig of an account.
  func kubeconfig(_ account: ObjectKey) -> String { "\(folder(account))/kubeconfig" }

  /// The controller's token for the gateways' admin ports.
  var gatewayToken: String { "\(folder(BootRoles.controller))/gateway-token" }

  /// Writes all of them, and goes on renewing the tokens.
  /// - Throws: ``SandboxError`` when a file cannot be written.
  func write(server: String, certificateAuthority: String) throws {
    for account in [BootRoles.controller, BootRoles.gateway] {
      try state.make(folder(account))
      let kubeconfig = Kubeconfig(
        server: server, certificateAuthority: certificateAuthority, credentials: .tokenFile(token(account)),
        namespace: account.namespace)
      try state.write(kubeconfig.json.prettyText + "\n", to: self.kubeconfig(account), mode: 0o600)
    }
    try writeTokens()
    renewLater()
  }

  private func folder(_ account: ObjectKey) -> String { "\(state.path)/serviceaccounts/\(account.name)" }

  private func token(_ account: ObjectKey) -> String { "\(folder(account))/token" }

  private func writeTokens() throws {
    try writeToken(of: BootRoles.controller, to: token(BootRoles.controller))
    try writeToken(of: BootRoles.gateway, to: token(BootRoles.gateway))
    try writeToken(of: BootRoles.controller, for: [BootRoles.gatewayAudience], to: gatewayToken)
  }

  private func writeToken(of account: ObjectKey, for audiences: [String] = [], to file: String) throws {
    let lifetime = lifetime
    let issued = cluster.change { plane, now in
      Result { () throws(KubernetesStatus) in
        try plane.store.issueToken(for: account, audiences: audiences, seconds: lifetime, now: now.wall)
      }
    }
    try state.write(try issued.get().token, to: file, mode: 0o600)
  }

  private func renewLater() {
    _ = cluster.loop.schedule(after: .seconds(lifetime) * 4 / 5) { [weak self] in
      guard let self else { return }
      do { try writeTokens() } catch { log.error("tokens are not renewed", ["error": "\(error)"]) }
      renewLater()
    }
  }
}
