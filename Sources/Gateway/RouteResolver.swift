/// Where a request goes, as far as its head tells.
enum RouteResolution: Equatable, Sendable {
  /// To a service, by host or path. `target` is sent upstream.
  case service(Int, target: String)
  /// To the service that `model` in the JSON body names.
  case modelInBody(target: String)
  /// The gateway lists the models; of one service only when it was asked under that service's name.
  case listModels(service: Int?)
  /// The gateway describes one model.
  case describeModel(String)
  /// The gateway's own health.
  case health
  /// `message` says what was asked for and what there is.
  case notFound(message: String, model: String?)
  case malformed(message: String)
}

/// Finds the service of a request in the order of the design: host, reserved prefix with `model` in the body, path.
struct RouteResolver: Sendable {
  let view: RoutingView

  func resolve(method: String, host: String?, target text: String) -> RouteResolution {
    guard let target = RequestTarget(text, isOptions: method == "OPTIONS") else {
      return .malformed(
        message:
          "the request target '\(text.prefix(200))' is neither a path nor an http URL, or holds a backslash, a broken "
          + "escape, %00, or a dot segment beside %2F or %5C"
      )
    }
    if let host = target.authority ?? host, let found = byHost(host, target) { return refine(found, method: method) }
    if Self.isReserved(target.path) { return reserved(method: method, target: target) }
    return byPath(target, method: method)
  }

  // MARK: - Host

  private func byHost(_ host: String, _ target: RequestTarget) -> RouteResolution? {
    let name = HostName.normalized(host)
    if let index = view.names.byHost[name] { return .service(index, target: target.originForm) }
    guard name.hasSuffix(view.domain), name.utf8.count > view.domain.utf8.count else { return nil }
    let labels = name.dropLast(view.domain.utf8.count).split(separator: ".", omittingEmptySubsequences: false)
    // Two labels and the empty one before the domain.
    guard labels.count == 3, labels[2].isEmpty else { return nil }
    guard let index = view.names.byKey["\(labels[1])/\(labels[0])"] else {
      return .notFound(
        message: "no InferenceService '\(labels[0])' in namespace '\(labels[1])' (from host '\(name)')",
        model: String(labels[0]))
    }
    return .service(index, target: target.originForm)
  }

  // MARK: - Reserved prefixes

  static func isReserved(_ path: String) -> Bool {
    path.hasPrefix("/v1/") || path.hasPrefix("/v2/") || path == "/healthz" || path.hasPrefix("/healthz/")
      || path == "/v1" || path == "/v2"
  }

  private func reserved(method: String, target: RequestTarget) -> RouteResolution {
    let path = target.path
    if path.hasPrefix("/healthz") { return .health }
    let reads = method == "GET" || method == "HEAD"
    if reads, path == "/v1/models" || path == "/v1/models/" { return .listModels(service: nil) }
    if reads, path == "/v2/health/live" || path == "/v2/health/ready" { return .health }
    if let found = modelInPath(target, method: method) { return found }
    if reads || method == "OPTIONS" {
      return .notFound(
        message: "\(method) \(path) names no model; \(Self.otherForms)", model: nil)
    }
    return .modelInBody(target: target.originForm)
  }

  /// KServe's forms `/v1/models/<name>:predict` and `/v2/models/<name>/…`, and OpenAI's `GET /v1/models/<name>`.
  private func modelInPath(_ target: RequestTarget, method: String) -> RouteResolution? {
    let isV1 = target.path.hasPrefix("/v1/models/")
    guard isV1 || target.path.hasPrefix("/v2/models/") else { return nil }
    let tail = target.path.dropFirst("/v1/models/".count)
    if isV1 { return v1Model(tail, target, method: method) }
    // A name may hold a slash: the longest that is known is meant.
    var end = tail.endIndex
    while true {
      if let found = byName(tail[..<end], target, prefix: "/v2/models/", rest: tail[end...]), !found.isNotFound {
        return found
      }
      guard let slash = tail[..<end].lastIndex(of: "/") else { break }
      end = slash
    }
    let name = PercentEncoding.decoded(tail.prefix(while: { $0 != "/" }))
    return .notFound(message: Self.unknownModel(name), model: name)
  }

  /// A name may hold a colon itself, as in `llama3:8b`: the whole is looked up first. KServe's verbs are asked for by POST.
  private func v1Model(_ tail: Substring, _ target: RequestTarget, method: String) -> RouteResolution? {
    let name = PercentEncoding.decoded(tail)
    let reads = method == "GET" || method == "HEAD"
    let isKnown = view.names.target(model: name, services: view.services) != nil
    if !isKnown, let colon = tail.lastIndex(of: ":"),
      method == "POST" || Self.verbs.contains(tail[tail.index(after: colon)...])
    {
      return byName(tail[..<colon], target, prefix: "/v1/models/", rest: tail[colon...])
    }
    return reads ? .describeModel(name) : nil
  }

  /// Of KServe's V1 inference protocol.
  private static let verbs: [Substring] = ["predict", "explain"]

  private func byName(
    _ encoded: Substring, _ target: RequestTarget, prefix: String, rest: Substring
  ) -> RouteResolution? {
    let name = PercentEncoding.decoded(encoded)
    guard let found = view.names.target(model: name, services: view.services) else {
      return .notFound(message: Self.unknownModel(name), model: name)
    }
    let inner = found.rename.map { Substring(PercentEncoding.encodedSegment($0)) } ?? encoded
    return .service(found.service, target: prefix + inner + rest + target.query)
  }

  // MARK: - Path

  private func byPath(_ target: RequestTarget, method: String) -> RouteResolution {
    let parts = target.path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).dropFirst()
    guard parts.count >= 2, let namespace = parts.first, !namespace.isEmpty else {
      return .notFound(message: "nothing is at \(target.path); \(Self.otherForms)", model: nil)
    }
    let afterNamespace = target.path.dropFirst(namespace.count + 2)
    let name = afterNamespace.prefix(while: { $0 != "/" })
    guard let index = view.names.byKey["\(namespace)/\(name)"] else {
      return .notFound(
        message: "no InferenceService '\(name)' in namespace '\(namespace)'; \(Self.otherForms)", model: String(name))
    }
    let inner = afterNamespace.dropFirst(name.count)
    return refine(.service(index, target: (inner.isEmpty ? "/" : inner) + target.query), method: method)
  }

  /// A list of models is the gateway's to give, also under one service's name: asleep or not.
  private func refine(_ resolution: RouteResolution, method: String) -> RouteResolution {
    guard case .service(let index, let target) = resolution, method == "GET" || method == "HEAD",
      view.services[index].modelProtocol == .openAI
    else { return resolution }
    let path = target.prefix(while: { $0 != "?" })
    return path == "/v1/models" || path == "/v1/models/" ? .listModels(service: index) : resolution
  }

  static func unknownModel(_ name: String) -> String {
    "The model '\(name.prefix(200))' does not exist or you do not have access to it; GET /v1/models lists all"
  }

  static let otherForms =
    "a model is named by the Host <name>.<namespace>.<domain>, by 'model' in a JSON body under /v1/ or /v2/, "
    + "or by the path /<namespace>/<name>/..."
}

extension RouteResolution {
  fileprivate var isNotFound: Bool { if case .notFound = self { true } else { false } }
}
