import KubernetesAPI

/// One HTTP request to the API server, as far as its meaning goes.
public struct APIRequest: Sendable {
  public var method: String
  /// Percent-decoded path segments, without empty ones: `/api/v1/pods` is `["api", "v1", "pods"]`.
  public var segments: [String]
  /// Decoded, in the order sent; a name may come more than once.
  public var query: [(name: String, value: String)]
  /// In the order sent; names in any case.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  public var user: APIUser

  /// - Parameter target: path and query as on the request line: `/api/v1/pods?limit=500`.
  public init(
    method: String, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    user: APIUser = .admin
  ) {
    let mark = target.firstIndex(of: "?")
    let path = mark.map { target[..<$0] } ?? target[...]
    self.method = method
    segments = path.split(separator: "/").map { PercentCoding.decoded($0, plusIsSpace: false) }
    query = mark.map { PercentCoding.query(target[target.index(after: $0)...]) } ?? []
    self.headers = headers
    self.body = body
    self.user = user
  }

  /// The first value of a query parameter.
  public func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// The first value of a header field.
  public func header(_ name: String) -> String? {
    let wanted = name.lowercased()
    return headers.first { $0.name.lowercased() == wanted }?.value
  }
}

/// Who asks. ``ObjectStore/handle(_:now:)`` lets everybody do everything: its shell asks ``ObjectStore/decide(_:)`` before.
public struct APIUser: Hashable, Sendable {
  public var name: String
  public var groups: [String]
  /// Of a service account; "" for those who are no object.
  public var uid: String
  public init(name: String, groups: [String] = [], uid: String = "") {
    self.name = name
    self.groups = groups
    self.uid = uid
  }
  /// The user of a sandbox's kubeconfig.
  public static let admin = APIUser(name: "pilotlight-admin", groups: ["system:masters", "system:authenticated"])
}

/// The answer: a whole body, or a watch that the shell keeps feeding.
public enum APIResponse: Sendable {
  case body(APIBody)
  /// Answer 200 `application/json`, write ``WatchRequest/openingLines(now:)``, then lines until it has ended, the client goes or
  /// ``WatchRequest/timeoutSeconds`` are over.
  case watch(WatchRequest)
}

/// A complete answer.
public struct APIBody: Sendable {
  public var status: Int
  public var contentType: String
  /// Besides Content-Type and Content-Length.
  public var headers: [(name: String, value: String)]
  private let content: Content

  private enum Content: Sendable {
    case json(JSONValue)
    case bytes([UInt8])
  }

  /// The body. JSON is written each time it is asked for.
  public var bytes: [UInt8] {
    switch content {
    case .json(let json): json.bytes
    case .bytes(let bytes): bytes
    }
  }

  /// The body as a value, for who is in the same process; nil: it is not JSON, or was written already.
  public var json: JSONValue? { if case .json(let json) = content { json } else { nil } }

  public init(
    status: Int, contentType: String = "application/json", headers: [(name: String, value: String)] = [],
    bytes: [UInt8]
  ) {
    self.status = status
    self.contentType = contentType
    self.headers = headers
    content = .bytes(bytes)
  }

  public init(status: Int, headers: [(name: String, value: String)] = [], json: JSONValue) {
    self.status = status
    contentType = "application/json"
    self.headers = headers
    content = .json(json)
  }
}
