import EventLoop

/// How a gateway finds out that a replica can answer, before it sends it any request. A pod whose template has no readiness
/// probe is ready at once, long before its model is loaded.
public enum HealthCheck: Hashable, Sendable {
  /// GET answers 2xx; where it answers 404, the second path is asked instead.
  case get(path: String, whenNotFound: String?)
  /// A connection is accepted.
  case connect

  /// - Parameters:
  ///   - path: As the service names it; nil: its protocol's own, empty: none, a connection is enough.
  ///   - modelName: What the server inside calls the model.
  public init(path: String?, modelProtocol: ModelProtocol, modelName: String) {
    if let path {
      self = path.isEmpty ? .connect : .get(path: path, whenNotFound: nil)
      return
    }
    switch modelProtocol {
    case .openAI: self = .get(path: "/health", whenNotFound: "/v1/models")
    case .openInference: self = .get(path: "/v2/health/ready", whenNotFound: nil)
    case .kserveV1:
      self = .get(path: "/v1/models/" + PercentEncoding.encodedSegment(modelName), whenNotFound: nil)
    case .http: self = .connect
    }
  }

  /// Whether a GET on `path` asks what the check asks.
  func asks(_ path: UnsafeRawBufferPointer) -> Bool {
    guard case .get(let own, _) = self, own.utf8.count == path.count else { return false }
    return own.utf8.elementsEqual(path)
  }
}

/// What this gateway knows of a replica's health.
enum ReplicaHealth: Hashable, Sendable {
  /// The first answer is still to come.
  case unchecked
  /// The latest check failed, and none has passed.
  case failing(problem: String)
  /// A check has passed: from then on the EndpointSlice alone says whether the replica serves.
  case passed
}

extension ReplicaHealth: CustomStringConvertible {
  var description: String {
    switch self {
    case .unchecked: "unchecked"
    case .failing(let problem): "failing (\(problem))"
    case .passed: "passed"
    }
  }
}
