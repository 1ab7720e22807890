import ControllerRuntime
import Gateway

/// Lets in whom the cluster knows: the controller to the fleet's part of the admin port, and whoever has a role that allows `get`
/// of the path to the state (docs/decisions/0014).
public struct ClusterAdminGuard: AdminGuard {
  /// For whom the controller's token for the gateways is.
  public static let audience = "pilotlight-gateway"
  /// As roles name it in `nonResourceURLs`.
  public static let debugPath = "/debug/state"

  private let reviewer: AccessReviewer
  private let controller: String

  /// - Parameter controller: the controller's user: `system:serviceaccount:NAMESPACE:NAME`.
  public init(reviewer: AccessReviewer, controller: String) {
    self.reviewer = reviewer
    self.controller = controller
  }

  /// The controller's user in an installation that names it as the manifests do.
  public static func defaultController(namespace: String) -> String {
    "system:serviceaccount:\(namespace):pilotlight-controller"
  }

  public func judge(_ use: AdminUse, token: String?, peer: String) async -> AdminVerdict {
    guard let token else { return .unauthenticated("show a token: Authorization: Bearer TOKEN") }
    let question: AccessQuestion =
      switch use {
      case .fleet: .identity(user: controller, audience: Self.audience)
      case .debug: .path(Self.debugPath, verb: "get")
      }
    do {
      switch try await reviewer.judge(token: token, question, peer: peer) {
      case .allowed: return .allowed
      case .unauthenticated: return .unauthenticated(unauthenticated(use))
      case .forbidden(let user): return .forbidden(forbidden(use, user))
      }
    } catch {
      switch error {
      case .busy: return .unknown("too many tokens are being reviewed")
      case .unavailable: return .unknown("the API server cannot be asked about the token")
      }
    }
  }

  private func unauthenticated(_ use: AdminUse) -> String {
    switch use {
    case .fleet: "the token is not valid for the audience \(Self.audience)"
    case .debug: "the token is not valid for the API server"
    }
  }

  private func forbidden(_ use: AdminUse, _ user: String) -> String {
    switch use {
    case .fleet: "this is for \(controller), not for \(user)"
    case .debug: "\(user) needs a ClusterRole that allows get of the nonResourceURL \(Self.debugPath)"
    }
  }
}
