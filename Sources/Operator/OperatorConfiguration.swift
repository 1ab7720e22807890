import FleetProtocol
import InferenceAPI
import KubernetesAPI

/// What an installation of the controller is told.
public struct OperatorConfiguration: Sendable {
  /// Pilotlight's own namespace: its Lease, the activation Leases, the gateways' EndpointSlices and keys.
  public var namespace: String
  /// Services are `<name>.<namespace>.<domain>` at the gateway; nil: what the installation's settings say.
  public var domain: String?
  /// Where callers reach the gateway (`http://127.0.0.1:8080`): `status.url` is below it. Nil: `http://<name>.<namespace>.<domain>`.
  public var gatewayURL: String?
  /// Who this process is, in the leader's Lease and in Events.
  public var identity: String
  /// Several controllers run, and one of them leads.
  public var leaderElection: Bool
  /// No gateway is read over plain HTTP, of whatever version it is.
  public var requiresGatewayTLS: Bool
  /// Services that are worked on at the same time.
  public var workers: Int
  /// Of all jitter: equal seeds in equal worlds do the same.
  public var seed: UInt64

  public init(
    namespace: String = ActivationLease.defaultNamespace, domain: String? = nil,
    gatewayURL: String? = nil,
    identity: String, leaderElection: Bool = true, requiresGatewayTLS: Bool = false, workers: Int = 8,
    seed: UInt64 = .random(in: 0 ... .max)
  ) {
    self.namespace = namespace
    self.domain = domain
    self.gatewayURL = gatewayURL
    self.identity = identity
    self.leaderElection = leaderElection
    self.requiresGatewayTLS = requiresGatewayTLS
    self.workers = workers
    self.seed = seed
  }

  /// `status.url` of a service.
  func url(of key: ObjectKey, _ settings: InstallationSettings) -> String {
    guard let gatewayURL else {
      let domain = domain ?? settings.domain ?? InstallationSettings.defaultDomain
      return "http://\(key.name).\(key.namespace).\(domain)"
    }
    return "\(gatewayURL)/\(key.namespace)/\(key.name)"
  }
}
