/// Which requests are demand. Only those are held, wake a sleeping model and count as load; a probe or a browser's
/// preflight never does.
enum InferenceRequest {
  /// - Parameters:
  ///   - target: As it is sent upstream, prefix stripped.
  ///   - upgrades: The request asks for another protocol (a realtime session by WebSocket is inference).
  static func wakes(method: String, target: String, upgrades: Bool, service: ServiceRoute) -> Bool {
    switch method {
    case "OPTIONS", "TRACE", "HEAD": return false
    case "GET":
      let path = String(target.prefix(while: { $0 != "?" }))
      if upgrades { return true }
      // In the model protocols a GET only asks about the model; over plain HTTP it may be the question itself.
      return service.modelProtocol == .http && !service.healthCheck.asks(path) && !quietPaths.contains(path)
    default: return true
    }
  }

  /// Paths that probes, scrapers and browsers ask for by themselves.
  private static let quietPaths: Set<String> = [
    "/", "/favicon.ico", "/health", "/healthz", "/livez", "/metrics", "/ping", "/ready", "/readyz", "/robots.txt",
    "/v1/models", "/v2/health/live", "/v2/health/ready", "/version",
  ]
}
