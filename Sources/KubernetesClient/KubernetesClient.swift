import KubernetesAPI
import Telemetry

/// Speaks to an API server by the Kubernetes API conventions, over any transport.
///
/// Every call throws ``KubernetesStatus`` when the server refuses, ``TransportError`` when there is no answer, and
/// `CancellationError` when the task is cancelled. A server that asks for patience (429) is obeyed, within bounds.
///
///     let client = KubernetesClient(transport: transport, clock: clock)
///     let pod = try await client.get(.pods, ObjectKey(namespace: "default", name: "web-0"))
public struct KubernetesClient: Sendable {
  let transport: any KubernetesTransport
  let clock: any ClockSource
  let retry: RetryPolicy
  let jitter: @Sendable () -> Double

  /// - Parameter jitter: from 0 to 1, drawn for each wait that a server asks for.
  public init(
    transport: any KubernetesTransport, clock: any ClockSource, retry: RetryPolicy = RetryPolicy(),
    jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }
  ) {
    self.transport = transport
    self.clock = clock
    self.retry = retry
    self.jitter = jitter
  }

  /// The same client with other patience: calls with a deadline of their own should not wait for the server's.
  public func with(retry: RetryPolicy) -> KubernetesClient {
    KubernetesClient(transport: transport, clock: clock, retry: retry, jitter: jitter)
  }

  /// The same client over a transport made of its own: one that refuses, delays or counts.
  public func through(_ wrap: (any KubernetesTransport) -> any KubernetesTransport) -> KubernetesClient {
    KubernetesClient(transport: wrap(transport), clock: clock, retry: retry, jitter: jitter)
  }

  // MARK: - Reading

  /// Reads one object, or one of its subresources.
  public func get(_ type: ResourceType, _ key: ObjectKey, subresource: String? = nil) async throws -> KubernetesObject {
    KubernetesObject(try await json(KubernetesRequest(method: .get, path: path(type, key, subresource))))
  }

  /// Reads one object; nil when there is none.
  public func find(_ type: ResourceType, _ key: ObjectKey) async throws -> KubernetesObject? {
    do {
      return try await get(type, key)
    } catch let status as KubernetesStatus where status.isNotFound {
      return nil
    }
  }

  /// Reads one page of a list.
  /// - Parameter limit: how many objects the page holds at most. 500, as kubectl asks for.
  public func listPage(
    _ selection: ObjectSelection, continueToken: String? = nil, limit: Int = 500
  ) async throws -> ObjectPage {
    let request = pageRequest(selection, continueToken, limit)
    return ObjectPage(json: try await json(request), type: selection.type)
  }

  /// Reads one page of a list as text, for a copy of which few objects are looked at.
  /// - Parameters:
  ///   - label: the name of a label to be kept with each object.
  ///   - limit: how many objects the page holds at most.
  public func listTextPage(
    _ selection: ObjectSelection, label: String? = nil, continueToken: String? = nil, limit: Int = 500
  ) async throws -> ObjectTextPage {
    let request = pageRequest(selection, continueToken, limit)
    let response = try await answer(request)
    do {
      return try ObjectTextPage(parsing: response.body, type: selection.type, label: label)
    } catch {
      throw TransportError(.malformed, "\(request.summary): the answer is no list: \(error)")
    }
  }

  private func pageRequest(_ selection: ObjectSelection, _ continueToken: String?, _ limit: Int) -> KubernetesRequest {
    var query = selection.query
    query.append(.init("limit", String(limit)))
    if let continueToken { query.append(.init("continue", continueToken)) }
    return KubernetesRequest(method: .get, path: selection.path, query: query, timeout: .seconds(60))
  }

  /// Reads a whole list, page by page. Pages whose token expired (410) are read again from the first, twice at most.
  public func list(_ selection: ObjectSelection, limit: Int = 500) async throws -> ObjectPage {
    var restarts = 0
    var whole = ObjectPage(items: [], resourceVersion: "")
    var token: String?
    repeat {
      do {
        let page = try await listPage(selection, continueToken: token, limit: limit)
        whole.items += page.items
        whole.resourceVersion = page.resourceVersion
        token = page.continueToken
      } catch let status as KubernetesStatus where status.isGone && token != nil && restarts < 2 {
        restarts += 1
        whole.items = []
        token = nil
        continue
      }
      if token == nil { return whole }
    } while true
  }

  /// Reads all objects of a type, or those of one namespace.
  public func list(
    _ type: ResourceType, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil
  ) async throws -> ObjectPage {
    try await list(
      ObjectSelection(type, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector))
  }

  // MARK: - Writing

  /// Creates an object in the namespace of its metadata.
  public func create(
    _ type: ResourceType, _ object: KubernetesObject, fieldManager: String? = nil
  ) async throws -> KubernetesObject {
    let request = KubernetesRequest(
      method: .post, path: type.collectionPath(namespace: object.metadata.namespace),
      query: fieldManager.map { [.init("fieldManager", $0)] } ?? [], contentType: "application/json",
      body: object.json.bytes)
    return KubernetesObject(try await json(request))
  }

  /// Replaces an object, or one of its subresources. With `metadata.resourceVersion` set, only that version of it.
  public func replace(
    _ type: ResourceType, _ object: KubernetesObject, subresource: String? = nil, fieldManager: String? = nil
  ) async throws -> KubernetesObject {
    let request = KubernetesRequest(
      method: .put, path: path(type, object.key, subresource),
      query: fieldManager.map { [.init("fieldManager", $0)] } ?? [], contentType: "application/json",
      body: object.json.bytes)
    return KubernetesObject(try await json(request))
  }

  /// Replaces the status of an object and nothing else of it.
  public func updateStatus(
    _ type: ResourceType, _ object: KubernetesObject, fieldManager: String? = nil
  ) async throws -> KubernetesObject {
    try await replace(type, object, subresource: "status", fieldManager: fieldManager)
  }

  /// Changes an object, or one of its subresources.
  /// - Parameter dryRun: the server checks and answers, and keeps nothing.
  public func patch(
    _ type: ResourceType, _ key: ObjectKey, _ patch: Patch, subresource: String? = nil, dryRun: Bool = false
  ) async throws -> KubernetesObject {
    let request = KubernetesRequest(
      method: .patch, path: path(type, key, subresource),
      query: patch.query + (dryRun ? [.init("dryRun", "All")] : []), contentType: patch.contentType, body: patch.body)
    return KubernetesObject(try await json(request))
  }

  /// Server-side apply of an object by its own name.
  public func apply(
    _ type: ResourceType, _ object: KubernetesObject, fieldManager: String, force: Bool = true,
    subresource: String? = nil
  ) async throws -> KubernetesObject {
    try await patch(
      type, object.key, .apply(object.json, fieldManager: fieldManager, force: force), subresource: subresource)
  }

  /// Deletes an object. Returns it when it stays for its finalizers or grace period, nil when it is gone at once.
  public func delete(
    _ type: ResourceType, _ key: ObjectKey, preconditions: DeletionPreconditions? = nil,
    propagation: DeletionPropagation? = .background, gracePeriodSeconds: Int? = nil
  ) async throws -> KubernetesObject? {
    var options: JSONValue = ["kind": "DeleteOptions", "apiVersion": "v1"]
    options["preconditions"] = preconditions?.json
    options["propagationPolicy"] = propagation.map { .string($0.rawValue) }
    options["gracePeriodSeconds"] = gracePeriodSeconds.map { JSONValue($0) }
    let request = KubernetesRequest(
      method: .delete, path: type.path(key), contentType: "application/json", body: options.bytes)
    let answer = try await json(request)
    return answer["kind"]?.stringValue == "Status" ? nil : KubernetesObject(answer)
  }

  // MARK: - Scale

  /// Reads the `/scale` subresource.
  public func scale(_ type: ResourceType, _ key: ObjectKey) async throws -> Scale {
    Scale(try await get(type, key, subresource: "scale"))
  }

  /// Sets the wanted replicas through `/scale`, and nothing else of the object.
  /// - Parameter resourceVersion: only if the object still has it; otherwise a conflict is thrown.
  public func setScale(
    _ type: ResourceType, _ key: ObjectKey, replicas: Int, resourceVersion: String? = nil
  ) async throws -> Scale {
    var change: JSONValue = ["spec": ["replicas": JSONValue(replicas)]]
    if let resourceVersion { change["metadata"] = ["resourceVersion": .string(resourceVersion)] }
    return Scale(try await patch(type, key, .merge(change), subresource: "scale"))
  }

  // MARK: - Sending

  /// Sends any request and parses the JSON object it answers.
  public func json(_ request: KubernetesRequest) async throws -> JSONValue {
    try parse(try await answer(request), request)
  }

  /// What the server answers with a status of success.
  private func answer(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    var attempt = 0
    var waited = Duration.zero
    while true {
      let response = try await transport.send(request)
      if (200..<300).contains(response.status) { return response }
      let status = KubernetesStatus(response: response, request: request)
      let delay = retry.delay(afterAttempt: attempt, waited: waited, status, jitter: jitter())
      guard let delay else { throw status }
      try await clock.sleep(for: delay)
      attempt += 1
      waited += delay
    }
  }

  private func parse(_ response: KubernetesResponse, _ request: KubernetesRequest) throws -> JSONValue {
    if let json = response.json { return json }
    do {
      return try JSONValue(parsing: response.body)
    } catch {
      throw TransportError(.malformed, "\(request.summary): the answer is no JSON: \(error)")
    }
  }

  private func path(_ type: ResourceType, _ key: ObjectKey, _ subresource: String?) -> String {
    type.path(key) + (subresource.map { "/\($0)" } ?? "")
  }
}
