/// One request as a gateway logs it, one JSON object per line: what accounting, replay and debugging need, and nothing of
/// its content. The same row stands in the file of `--request-log` and, sampled, in the access log; `docs/request-log.md`
/// describes it field by field.
public struct RequestLogRow: Codable, Hashable, Sendable {
  public var version = FleetVersion.current
  /// Wall time of arrival in seconds since 1970.
  public var timeUnix: Double
  /// Of the service; empty: the request named none that is known.
  public var namespace = ""
  public var name = ""
  /// Which protocol the service speaks, such as `openai`.
  public var modelProtocol: String?
  public var method: String?
  /// HTTP status sent to the caller; 0: the caller left first.
  public var status: Int
  /// Where it was answered: `dedicated`, `burst`, `canary`, `overflow/<name>`; nil: it was refused.
  public var pool: String?
  /// UID of the pod that answered.
  public var replica: String?
  /// How it came to its replica, or the code of the gateway's own error.
  public var reason: String?
  /// Attempts on another replica.
  public var retries = 0
  /// Milliseconds between arrival and placement at a replica; 0: at once.
  public var queuedMilliseconds = 0.0
  /// Milliseconds between arrival and the first byte of the answer; nil: none came.
  public var firstByteMilliseconds: Double?
  /// Milliseconds between arrival and the end of the first event of the answer; nil: it was no event stream.
  public var firstTokenMilliseconds: Double?
  /// Milliseconds between arrival and the last byte of the answer.
  public var durationMilliseconds: Double
  /// The request found the model asleep.
  public var coldStart = false
  public var promptTokens: Int?
  public var outputTokens: Int?
  /// The server did not say how many output tokens there were: ``outputTokens`` is the number of its events.
  public var tokensEstimated = false
  /// Bytes of the request's body.
  public var requestBytes = 0
  /// Bytes of the answer's body.
  public var responseBytes = 0
  /// Who asked, as a short hash: never a key or a name.
  public var tenant: String?
  /// Trace ID of the request's `traceparent`, 32 hexadecimal digits.
  public var traceID: String?
  /// How many requests this row stands for: 1 unless the log is sampled.
  public var weight = 1

  public init(timeUnix: Double, status: Int, durationMilliseconds: Double) {
    self.timeUnix = timeUnix
    self.status = status
    self.durationMilliseconds = durationMilliseconds
  }

  public enum CodingKeys: String, CodingKey, CaseIterable {
    case version
    case timeUnix
    case namespace
    case name
    case modelProtocol = "protocol"
    case method
    case status
    case pool
    case replica
    case reason
    case retries
    case queuedMilliseconds
    case firstByteMilliseconds
    case firstTokenMilliseconds
    case durationMilliseconds
    case coldStart
    case promptTokens
    case outputTokens
    case tokensEstimated
    case requestBytes
    case responseBytes
    case tenant
    case traceID
    case weight
  }

  /// Reads a row of this version or its neighbours: what is missing has its default, what is unknown is skipped. Time,
  /// status and duration must be there.
  public init(from decoder: any Decoder) throws {
    let row = try decoder.container(keyedBy: CodingKeys.self)
    version = try row.decodeIfPresent(Int.self, forKey: .version) ?? FleetVersion.current
    guard FleetVersion.accepts(version) else { throw FleetProtocolError.unsupportedVersion(version) }
    timeUnix = try row.decode(Double.self, forKey: .timeUnix)
    namespace = try row.decodeIfPresent(String.self, forKey: .namespace) ?? ""
    name = try row.decodeIfPresent(String.self, forKey: .name) ?? ""
    modelProtocol = try row.decodeIfPresent(String.self, forKey: .modelProtocol)
    method = try row.decodeIfPresent(String.self, forKey: .method)
    status = try row.decode(Int.self, forKey: .status)
    pool = try row.decodeIfPresent(String.self, forKey: .pool)
    replica = try row.decodeIfPresent(String.self, forKey: .replica)
    reason = try row.decodeIfPresent(String.self, forKey: .reason)
    retries = try row.decodeIfPresent(Int.self, forKey: .retries) ?? 0
    queuedMilliseconds = try row.decodeIfPresent(Double.self, forKey: .queuedMilliseconds) ?? 0
    firstByteMilliseconds = try row.decodeIfPresent(Double.self, forKey: .firstByteMilliseconds)
    firstTokenMilliseconds = try row.decodeIfPresent(Double.self, forKey: .firstTokenMilliseconds)
    durationMilliseconds = try row.decode(Double.self, forKey: .durationMilliseconds)
    coldStart = try row.decodeIfPresent(Bool.self, forKey: .coldStart) ?? false
    promptTokens = try row.decodeIfPresent(Int.self, forKey: .promptTokens)
    outputTokens = try row.decodeIfPresent(Int.self, forKey: .outputTokens)
    tokensEstimated = try row.decodeIfPresent(Bool.self, forKey: .tokensEstimated) ?? false
    requestBytes = try row.decodeIfPresent(Int.self, forKey: .requestBytes) ?? 0
    responseBytes = try row.decodeIfPresent(Int.self, forKey: .responseBytes) ?? 0
    tenant = try row.decodeIfPresent(String.self, forKey: .tenant)
    traceID = try row.decodeIfPresent(String.self, forKey: .traceID)
    weight = try row.decodeIfPresent(Int.self, forKey: .weight) ?? 1
  }
}
