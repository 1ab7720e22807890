/// What of a gateway's configuration may change while it runs.
public struct GatewayBounds: Hashable, Sendable {
  /// Requests held at once, over all services.
  public var holdRequests: Int
  /// Request bytes kept in memory at once, over all services.
  public var holdBytes: Int
  /// From the first byte of a request to the end of its head.
  public var headTimeout: Duration
  /// Silence within a request's body.
  public var bodyTimeout: Duration
  /// A connection without a request.
  public var idleTimeout: Duration

  public init(_ configuration: GatewayConfiguration) {
    holdRequests = configuration.holdBudgetRequests
    holdBytes = configuration.holdBudgetBytes
    headTimeout = configuration.headTimeout
    bodyTimeout = configuration.bodyTimeout
    idleTimeout = configuration.idleTimeout
  }
}
