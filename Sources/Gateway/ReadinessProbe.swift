/// A pod's own readiness probe, for the gateway to run: the kubelet looks only every few seconds, and what it finds takes
/// its way through the API server.
public struct ReadinessProbe: Hashable, Sendable {
  public enum Action: Hashable, Sendable {
    /// GET answers 200 to 399, as for the kubelet.
    case get(path: String, headers: [String: String], isTLS: Bool)
    /// A connection is accepted.
    case connect
  }

  public var action: Action
  /// Of the pod.
  public var port: Int
  /// How long after the pod has an address the first answer may be believed (`initialDelaySeconds`).
  public var delay: Duration

  public init(action: Action, port: Int, delay: Duration = .zero) {
    self.action = action
    self.port = port
    self.delay = delay
  }
}
