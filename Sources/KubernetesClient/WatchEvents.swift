import KubernetesAPI

extension KubernetesClient {
  /// Watches a selection from a resource version on.
  ///
  /// The request is sent when iteration begins, and ended when the iterator goes.
  /// - Parameters:
  ///   - resourceVersion: of a list; events after it are sent.
  ///   - bookmarks: ask for ``WatchEvent/bookmark(resourceVersion:)``, so that a later watch can start closer to now.
  ///   - timeout: after which the server ends the watch. Spread it at random between clients, or they all come back at once.
  ///   - idleTimeout: how long the server may be silent before the connection counts as half-open.
  public func watch(
    _ selection: ObjectSelection, resourceVersion: String, bookmarks: Bool = true, timeout: Duration? = nil,
    idleTimeout: Duration? = nil
  ) -> WatchEvents {
    var query = selection.query
    if bookmarks { query.append(.init("allowWatchBookmarks", "true")) }
    if !resourceVersion.isEmpty { query.append(.init("resourceVersion", resourceVersion)) }
    if let timeout { query.append(.init("timeoutSeconds", String(max(1, timeout.components.seconds)))) }
    query.append(.init("watch", "true"))
    let request = KubernetesRequest(
      method: .get, path: selection.path, query: query, timeout: nil, idleTimeout: idleTimeout)
    return WatchEvents(transport: transport, request: request)
  }

  /// Watches all objects of a type, or those of one namespace.
  public func watch(
    _ type: ResourceType, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
    resourceVersion: String, bookmarks: Bool = true, timeout: Duration? = nil
  ) -> WatchEvents {
    watch(
      ObjectSelection(type, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector),
      resourceVersion: resourceVersion, bookmarks: bookmarks, timeout: timeout)
  }
}

/// The events of a watch, pulled: nothing is read further than the transport's bounded buffer.
///
/// Ends without an error when the server ends the watch. Throws ``KubernetesStatus`` when the server refuses it, and
/// ``TransportError`` when the connection breaks.
public struct WatchEvents: AsyncSequence, Sendable {
  public typealias Element = WatchEvent

  let transport: any KubernetesTransport
  let request: KubernetesRequest
  /// The largest event that is accepted. etcd holds 1.5 MB per object; a JSON event adds little to it.
  static let maximumEventBytes = 16 << 20

  public func makeAsyncIterator() -> Iterator { Iterator(transport: transport, request: request) }

  public struct Iterator: AsyncIteratorProtocol {
    let transport: any KubernetesTransport
    let request: KubernetesRequest
    private var body: AsyncThrowingStream<[UInt8], any Error>.AsyncIterator?
    private var events: AsyncThrowingStream<WatchEvent, any Error>.AsyncIterator?
    private var lines = LineSplitter(limit: WatchEvents.maximumEventBytes)
    private var isOver = false

    init(transport: any KubernetesTransport, request: KubernetesRequest) {
      self.transport = transport
      self.request = request
    }

    public mutating func next() async throws -> WatchEvent? {
      if isOver { return nil }
      do {
        let event = try await read()
        if case .error = event { end() }
        if event == nil { end() }
        return event
      } catch {
        end()
        throw error
      }
    }

    private mutating func read() async throws -> WatchEvent? {
      if body == nil { try await open() }
      if events != nil { return try await events?.next(isolation: #isolation) }
      while true {
        if let line = try lines.next() { return try WatchEvent(line: line) }
        guard let bytes = try await body?.next(isolation: #isolation) else { return nil }
        lines.append(bytes)
      }
    }

    private mutating func open() async throws {
      let stream = try await transport.stream(request)
      guard stream.status == 200 else { throw try await refusal(stream) }
      body = stream.body.makeAsyncIterator()
      events = stream.events?.makeAsyncIterator()
    }

    private func refusal(_ stream: KubernetesStream) async throws -> KubernetesStatus {
      var body: [UInt8] = []
      for try await bytes in stream.body {
        body += bytes
        if body.count > 1 << 20 { break }
      }
      let response = KubernetesResponse(status: stream.status, headers: stream.headers, body: body)
      return KubernetesStatus(response: response, request: request)
    }

    private mutating func end() {
      isOver = true
      body = nil
      events = nil
    }
  }
}
