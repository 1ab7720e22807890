import KubernetesAPI

/// How requests reach an API server: over libcurl, or straight into a store in the same process.
public protocol KubernetesTransport: Sendable {
  /// Sends a request and waits for the whole answer, whatever its status.
  /// - Throws: ``TransportError`` when there is no answer, `CancellationError` when the task is cancelled.
  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse

  /// Sends a request and returns as soon as the head of the answer is there; the body follows piece by piece.
  /// - Throws: ``TransportError`` when there is no answer, `CancellationError` when the task is cancelled.
  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream
}

/// An HTTP request to an API server, without its address and credentials: those are the transport's.
public struct KubernetesRequest: Hashable, Sendable {
  /// Bounds in monotonic time, for what only a leader may write.
  public struct SendWindow: Hashable, Sendable {
    /// From then on the request is not begun any more.
    public var sendBefore: Duration
    /// From then on its answer is not waited for, and what was not sent of it by then never is.
    public var answerBefore: Duration

    public init(sendBefore: Duration, answerBefore: Duration) {
      self.sendBefore = sendBefore
      self.answerBefore = answerBefore
    }
  }

  public enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  /// A name and a value of the query, not encoded.
  public struct QueryItem: Hashable, Sendable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public var method: Method
  /// Absolute path, not encoded: `/apis/apps/v1/deployments`.
  public var path: String
  public var query: [QueryItem]
  public var contentType: String?
  public var accept: String
  public var body: [UInt8]
  /// For the whole exchange; nil: none, for watches.
  public var timeout: Duration?
  /// How long the server may send nothing before the connection counts as half-open; nil: for ever.
  public var idleTimeout: Duration?
  /// When it may be on its way at all; nil: at any time.
  public var window: SendWindow?

  public init(
    method: Method, path: String, query: [QueryItem] = [], contentType: String? = nil,
    accept: String = "application/json", body: [UInt8] = [], timeout: Duration? = .seconds(30),
    idleTimeout: Duration? = nil
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.contentType = contentType
    self.accept = accept
    self.body = body
    self.timeout = timeout
    self.idleTimeout = idleTimeout
  }

  /// Path and query, percent-encoded, as they stand in the request line.
  public var target: String {
    let path = PercentEncoding.path(path)
    guard !query.isEmpty else { return path }
    let items = query.map { "\(PercentEncoding.component($0.name))=\(PercentEncoding.component($0.value))" }
    return "\(path)?\(items.joined(separator: "&"))"
  }

  /// For messages: `PATCH /apis/…`.
  public var summary: String { "\(method.rawValue) \(path)" }
}

/// The whole answer of an API server.
public struct KubernetesResponse: Sendable {
  public var status: Int
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  /// What a transport in the same process has instead of a body: nothing is written and parsed again.
  public var json: JSONValue?

  public init(
    status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [], json: JSONValue? = nil
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.json = json
  }

  /// The first value of a header, whatever the case of its name.
  public func header(_ name: String) -> String? {
    let wanted = name.lowercased()
    return headers.first { $0.name.lowercased() == wanted }?.value
  }
}

/// An answer whose body is still coming.
public struct KubernetesStream: Sendable {
  public var status: Int
  public var headers: [(name: String, value: String)]
  /// Pieces of the body, of any size. Ends with ``TransportError`` when the connection breaks, the server falls silent for
  /// the request's idle timeout, or the reader is so slow that the transport's buffer overflows. Dropping it ends the
  /// exchange.
  public var body: AsyncThrowingStream<[UInt8], any Error>
  /// One event of a watch, for who also imports a module with a `WatchEvent` of its own: this module's name is that of a type in it,
  /// and says no more where it came from.
  public typealias Event = WatchEvent
  /// What a transport in the same process has instead of a body of status 200. Ends as a body does.
  public var events: AsyncThrowingStream<Event, any Error>?

  public init(
    status: Int, headers: [(name: String, value: String)] = [], body: AsyncThrowingStream<[UInt8], any Error>,
    events: AsyncThrowingStream<Event, any Error>? = nil
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.events = events
  }
}
