import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// Answers one request as a Kubernetes API server would.
  public mutating func handle(_ request: APIRequest, now: Date) -> APIResponse {
    do {
      if let body = try staticAnswer(request, now: now) { return .body(body) }
      guard let path = resourcePath(request.segments) else { return .body(.pageNotFound) }
      return try answer(request, path, now: now)
    } catch { return .body(APIBody(error)) }
  }

  private mutating func answer(
    _ request: APIRequest, _ path: ResourcePath, now: Date
  ) throws(KubernetesStatus) -> APIResponse {
    let form = try MediaNegotiation.representation(accept: request.header("Accept"))
    let encoder = ObjectEncoder(
      definition: path.definition, representation: form, includedObject: request.parameter("includeObject"))
    if let subresource = path.subresource {
      return .body(try answerSubresource(request, path, subresource, encoder: encoder, now: now))
    }
    switch (request.method, path.name) {
    case ("GET", nil): return try readCollection(request, path, encoder: encoder, now: now)
    case ("GET", .some):
      if request.isFlagSet("watch") { return try readCollection(request, path, encoder: encoder, now: now) }
      return .body(APIBody(json: encoder.object(try get(request, path), now: now)))
    case ("POST", nil): return .body(try post(request, path, encoder: encoder, now: now))
    case ("PUT", .some): return .body(try put(request, path, encoder: encoder, now: now))
    case ("PATCH", .some): return .body(try patch(request, path, encoder: encoder, now: now))
    case ("DELETE", .some): return .body(try deleteOne(request, path, encoder: encoder, now: now))
    case ("DELETE", nil): return .body(try deleteCollection(request, path, encoder: encoder, now: now))
    default: throw .methodNotAllowed()
    }
  }

  private mutating func answerSubresource(
    _ request: APIRequest, _ path: ResourcePath, _ subresource: String, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    switch (subresource, request.method) {
    case ("status", "GET") where path.definition.hasStatus:
      return APIBody(json: encoder.object(try get(request, path), now: now))
    case ("status", "PUT") where path.definition.hasStatus:
      return try put(request, path, encoder: encoder, now: now)
    case ("status", "PATCH") where path.definition.hasStatus:
      return try patch(request, path, encoder: encoder, now: now)
    case ("finalize", "PUT") where path.type == .namespaces:
      return try put(request, path, encoder: encoder, now: now)
    case ("token", "POST") where path.type == .serviceAccounts:
      return try answerTokenRequest(request, path, now: now)
    case ("scale", let method):
      guard let mapping = path.definition.scale else { break }
      let scaleEncoder = ObjectEncoder(
        definition: ScaleSubresource.definition, representation: encoder.representation)
      switch method {
      case "GET":
        let scale = try ScaleSubresource.scale(of: try get(request, path), mapping)
        return APIBody(json: scaleEncoder.object(KubernetesObject(scale), now: now))
      case "PUT", "PATCH":
        return try writeScale(request, path, mapping, encoder: scaleEncoder, now: now)
      default: throw .methodNotAllowed()
      }
    case ("status", _) where path.definition.hasStatus: throw .methodNotAllowed()
    default: break
    }
    throw KubernetesStatus(
      code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: .init())
  }

  private func get(_ request: APIRequest, _ path: ResourcePath) throws(KubernetesStatus) -> KubernetesObject {
    _ = try requestedVersion(request)
    guard let object = object(path.type, path.key) else { throw .notFound(path.type, path.key.name) }
    return object
  }
}

extension APIRequest {
  /// `1`, `true` and a bare name are yes.
  func isFlagSet(_ name: String) -> Bool {
    guard let value = parameter(name) else { return false }
    return value == "true" || value == "1" || value.isEmpty
  }
}

extension APIBody {
  init(json: JSONValue, status: Int = 200, warnings: [String] = []) {
    self.init(
      status: status,
      headers: warnings.map { (name: "Warning", value: "299 - \(JSONValue.string($0).text)") },
      json: json)
  }

  /// A failure as a Status object.
  public init(_ status: KubernetesStatus) {
    self.init(json: status.json, status: status.code)
    if let seconds = status.details?.retryAfterSeconds { headers.append(("Retry-After", String(seconds))) }
  }

  init(text: String, status: Int = 200) {
    self.init(status: status, contentType: "text/plain; charset=utf-8", bytes: Array(text.utf8))
  }

  /// What Go's mux answers where nothing is registered.
  static let pageNotFound = APIBody(text: "404 page not found\n", status: 404)
}
