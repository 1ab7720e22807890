import HTTPWire

/// Which requests are demand. Only those are held, wake a sleeping model and count as load; a probe or a browser's
/// preflight never does.
enum InferenceRequest {
  /// - Parameters:
  ///   - target: What is sent upstream, prefix stripped.
  ///   - service: Nil: it is named in the body, which only an inference request does.
  ///   - opensSession: It asks for WebSocket; clients offer other upgrades (h2c) with any request.
  static func wakes(
    _ request: HeadView, target: ForwardedRequestHead.Target, service: ServiceRoute?, opensSession: Bool
  ) -> Bool {
    if request.isMethod("POST") { return true }
    if request.isMethod("OPTIONS") || request.isMethod("HEAD") { return false }
    guard request.isMethod("GET"), let service else { return true }
    // A realtime session by WebSocket is inference.
    if opensSession { return true }
    // In the model protocols a GET only asks about the model; over plain HTTP it may be the question itself.
    guard service.modelProtocol == .http else { return false }
    switch target {
    case .received(let offset):
      return asksForMore(UnsafeRawBufferPointer(rebasing: request.target[offset...]), service)
    case .text(let text):
      var text = text
      return text.withUTF8 { asksForMore(UnsafeRawBufferPointer($0), service) }
    }
  }

  /// Whether a GET on this target asks for more than health.
  private static func asksForMore(_ target: UnsafeRawBufferPointer, _ service: ServiceRoute) -> Bool {
    let path = UnsafeRawBufferPointer(rebasing: target.prefix(while: { $0 != UInt8(ascii: "?") }))
    return !service.healthCheck.asks(path) && !quietPaths.contains { equal(path, $0) }
  }

  private static func equal(_ path: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard path.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { expected in
      for index in 0..<expected.count where path[index] != expected[index] { return false }
      return true
    }
  }

  /// Paths that probes, scrapers and browsers ask for by themselves.
  private static let quietPaths: [StaticString] = [
    "/", "/favicon.ico", "/health", "/healthz", "/livez", "/metrics", "/ping", "/ready", "/readyz", "/robots.txt",
    "/v1/models", "/v2/health/live", "/v2/health/ready", "/version",
  ]
}
