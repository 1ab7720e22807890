/// One request as a gateway logs it, one JSON object per line: what accounting and replay need, and nothing of its content.
public struct RequestLogRow: Codable, Hashable, Sendable {
  public var version: Int
  /// Wall time of arrival in seconds since 1970.
  public var timeUnix: Double
  public var namespace: String
  public var name: String
  /// Where it was answered: `dedicated`, `burst`, `overflow/<name>`; nil: it was refused.
  public var pool: String?
  /// HTTP status sent to the caller; 0: the caller left first.
  public var status: Int
  /// Milliseconds between arrival and the first byte sent upstream.
  public var queuedMilliseconds: Double
  /// Milliseconds between arrival and the first byte of the answer.
  public var firstByteMilliseconds: Double?
  /// Milliseconds between arrival and the last byte of the answer.
  public var durationMilliseconds: Double
  /// The request found the model asleep.
  public var coldStart: Bool
  public var promptTokens: Int?
  public var outputTokens: Int?
  /// How many requests this row stands for, where a log is sampled.
  public var weight: Double?

  public init(
    timeUnix: Double, namespace: String, name: String, pool: String?, status: Int, queuedMilliseconds: Double,
    firstByteMilliseconds: Double? = nil, durationMilliseconds: Double, coldStart: Bool, promptTokens: Int? = nil,
    outputTokens: Int? = nil, weight: Double? = nil
  ) {
    self.version = FleetVersion.current
    self.timeUnix = timeUnix
    self.namespace = namespace
    self.name = name
    self.pool = pool
    self.status = status
    self.queuedMilliseconds = queuedMilliseconds
    self.firstByteMilliseconds = firstByteMilliseconds
    self.durationMilliseconds = durationMilliseconds
    self.coldStart = coldStart
    self.promptTokens = promptTokens
    self.outputTokens = outputTokens
    self.weight = weight
  }
}
