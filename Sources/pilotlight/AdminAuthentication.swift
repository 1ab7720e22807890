import ControllerRuntime
import EventLoop
import Gateway
import GatewayCluster
import KubernetesClient
import Telemetry

/// `--admin-auth`: who may use the admin port for more than health and metrics.
enum AdminAuthentication: String {
  /// Whom the cluster's roles let in.
  case cluster
  case nobody
  case anyone

  /// Open where only this machine gets to, else as safe as it can be without being told.
  /// - Parameters:
  ///   - listeners: all that it holds for.
  ///   - hasCluster: there is one to ask.
  init(
    _ scanner: inout ArgumentScanner, listeners: [SocketAddress], hasCluster: Bool
  ) throws(ArgumentScanner.Problem) {
    guard let text = try scanner.text("--admin-auth") else {
      self = listeners.allSatisfy(\.isLoopback) ? .anyone : hasCluster ? .cluster : .nobody
      return
    }
    guard let value = AdminAuthentication(rawValue: text) else {
      throw ArgumentScanner.Problem("--admin-auth: '\(text)' is not cluster, nobody or anyone")
    }
    guard value != .cluster || hasCluster else {
      throw ArgumentScanner.Problem("--admin-auth cluster needs a cluster: services come from a file")
    }
    self = value
  }

  /// - Parameters:
  ///   - client: of the cluster, if there is one.
  ///   - controller: the controller's user.
  func adminGuard(
    client: KubernetesClient?, controller: String, clock: any ClockSource, log: Log
  ) -> any AdminGuard {
    switch (self, client) {
    case (.anyone, _): return OpenAdmin()
    case (.cluster, let client?):
      let reviewer = AccessReviewer(client: client, clock: clock, log: log) { SHA256.digest(of: $0) }
      return ClusterAdminGuard(reviewer: reviewer, controller: controller)
    case (.nobody, _), (.cluster, nil): return ClosedAdmin()
    }
  }
}
