import KubernetesAPI

extension KubernetesStatus {
  public var isNotFound: Bool { code == 404 }
  /// A precondition failed: another writer was first. Read again, then try again.
  public var isConflict: Bool { code == 409 && reason != "AlreadyExists" }
  public var isAlreadyExists: Bool { code == 409 && reason == "AlreadyExists" }
  /// The resource version or continue token is too old: list again.
  public var isGone: Bool { code == 410 }
  public var isInvalid: Bool { code == 422 }
  public var isForbidden: Bool { code == 403 || code == 401 }
  /// The server's present is before the resource version that was asked for: it came back with older data. List again.
  public var isTooLargeResourceVersion: Bool {
    details?.causes.contains { $0.reason == "ResourceVersionTooLarge" } ?? false
  }

  /// Whether the same request may succeed later without a change: overload, timeouts, failures of the server.
  public var isRetryable: Bool { code == 429 || code == 408 || code >= 500 }

  /// How long the server asks to wait (`Retry-After`, or `details.retryAfterSeconds`).
  public var retryAfter: Duration? { details?.retryAfterSeconds.map { .seconds(max(0, $0)) } }

  /// The error in an answer: the `Status` object in its body or, where there is none, one made from the status line.
  init(response: KubernetesResponse, request: KubernetesRequest) {
    let parsed = (response.json ?? (try? JSONValue(parsing: response.body))).flatMap(KubernetesStatus.init(json:))
    let fallback = KubernetesStatus(
      code: response.status, reason: Self.reason(forCode: response.status),
      message: Self.message(of: response, to: request))
    self = parsed ?? fallback
    if code == 0 { code = response.status }
    if let seconds = RetryAfter.seconds(in: response), details?.retryAfterSeconds == nil {
      var details = details ?? Details()
      details.retryAfterSeconds = seconds
      self.details = details
    }
    if code == 401 { message = "\(request.summary): \(message); \(Self.whatToDoAboutCredentials)" }
  }

  /// A server says no more than "Unauthorized".
  private static let whatToDoAboutCredentials =
    "the API server does not accept our credentials: a token may be expired, or its ServiceAccount or Secret deleted; "
    + "kubectl auth whoami with the same credentials tells"

  private static func reason(forCode code: Int) -> String {
    switch code {
    case 400: "BadRequest"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "NotFound"
    case 409: "Conflict"
    case 410: "Expired"
    case 429: "TooManyRequests"
    case 503: "ServiceUnavailable"
    case 504: "Timeout"
    default: ""
    }
  }

  // A proxy's page may be long and of many lines; its beginning says enough.
  private static func message(of response: KubernetesResponse, to request: KubernetesRequest) -> String {
    let text = String(decoding: response.body.prefix(200), as: UTF8.self).split(whereSeparator: \.isNewline).first
    return "\(request.summary): HTTP \(response.status)" + (text.map { ": \($0)" } ?? "")
  }
}

extension Error {
  /// Whether the same request may succeed later without a change; unknown errors may not.
  public var isRetryableRequestError: Bool {
    switch self {
    case let status as KubernetesStatus: status.isRetryable
    case is TransportError: true
    default: false
    }
  }
}
