import FoundationEssentials
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import ObjectStore

/// The API server of a simulation: a store, and the watches that are fed from it. It answers at once and never fails; what
/// lies between it and its clients does that.
final class APIServer: @unchecked Sendable {
  private(set) var store: ObjectStore
  /// The CustomResourceDefinition of InferenceService is there.
  var hasDefinition = true
  /// Called after every change.
  var onChange: () -> Void = {}
  private let time: VirtualTime
  private var watches: [Int: WatchConnection] = [:]
  private var nextWatch = 0

  init(_ time: VirtualTime, seed: UInt64) {
    self.time = time
    let services = ResourceDefinition(
      type: InferenceService.resourceType, hasStatus: true, columns: [], schema: InferenceService.schema)
    store = ObjectStore(resources: ResourceDefinition.builtIn + [services], seed: seed)
  }

  // MARK: - Requests over the API

  func answer(_ request: KubernetesRequest) -> KubernetesResponse {
    guard hasDefinition || !Self.isAboutServices(request) else { return Self.refusal(404, "NotFound") }
    return changing(onlyLeases: Self.isAboutLeases(request)) { store in
      guard case .body(let body) = store.handle(Self.apiRequest(request), now: time.wall) else {
        return Self.refusal(400, "BadRequest")
      }
      // Clients read lists as text.
      if request.method != .get, let json = body.json {
        return KubernetesResponse(status: body.status, headers: body.headers, json: json)
      }
      return KubernetesResponse(status: body.status, headers: body.headers, body: body.bytes)
    }
  }

  /// Begins a watch, or refuses it.
  func watch(_ request: KubernetesRequest, _ connection: WatchConnection) {
    guard hasDefinition || !Self.isAboutServices(request) else {
      let refusal = Self.refusal(404, "NotFound")
      return connection.refuse(refusal.status, refusal.body)
    }
    switch store.handle(Self.apiRequest(request), now: time.wall) {
    case .body(let body): connection.refuse(body.status, body.bytes)
    case .watch(let watch):
      let id = nextWatch
      nextWatch += 1
      watches[id] = connection
      connection.begin(watch, at: self) { [self] in watches[id] = nil }
    }
  }

  static func isAboutServices(_ request: KubernetesRequest) -> Bool {
    request.path.hasPrefix("/apis/serving.pilotlight.dev/")
  }

  static func isAboutLeases(_ request: KubernetesRequest) -> Bool {
    request.path.hasPrefix("/apis/coordination.k8s.io/")
  }

  static func refusal(_ code: Int, _ reason: String, retryAfter: Int? = nil) -> KubernetesResponse {
    var status = KubernetesStatus(code: code, reason: reason, message: "simulated: \(reason)")
    status.details = .init(retryAfterSeconds: retryAfter)
    let body = APIBody(status)
    return KubernetesResponse(status: code, headers: body.headers, body: body.bytes)
  }

  private static func apiRequest(_ request: KubernetesRequest) -> APIRequest {
    var headers = [(name: "Accept", value: request.accept)]
    if let type = request.contentType { headers.append((name: "Content-Type", value: type)) }
    return APIRequest(method: request.method.rawValue, target: request.target, headers: headers, body: request.body)
  }

  // MARK: - The rest of the cluster

  /// Writes as a part of the cluster other than the controllers.
  @discardableResult
  func apply(_ type: ResourceType, _ action: ObjectOperation.Action, subresource: String? = nil, as manager: String)
    -> Result<KubernetesObject, KubernetesStatus>
  {
    changing(onlyLeases: type == .leases) {
      $0.apply(ObjectOperation(type, action, subresource: subresource, fieldManager: manager), now: time.wall)
    }
  }

  /// Writes the status of an object, if it differs.
  func setStatus(_ type: ResourceType, _ key: ObjectKey, _ status: JSONValue, as manager: String) {
    guard let present = store.object(type, key), present.status != status else { return }
    apply(type, .mergePatch(key, ["status": status]), subresource: "status", as: manager)
  }

  func collectGarbage() {
    changing { store in
      while store.collectGarbage(now: time.wall) {}
    }
  }

  /// Watches that are behind have to begin anew.
  func compact() { store.compact() }

  /// - Parameter onlyLeases: Leases are renewed all the time, and change nothing but what watches of Leases see.
  private func changing<Result>(onlyLeases: Bool = false, _ body: (inout ObjectStore) -> Result) -> Result {
    let before = store.resourceVersion
    let result = body(&store)
    guard store.resourceVersion != before else { return result }
    for id in watches.keys.sorted() where !onlyLeases || watches[id]?.isOfLeases == true {
      watches[id]?.requestDelivery()
    }
    if !onlyLeases { onChange() }
    return result
  }
}
