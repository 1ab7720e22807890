import Decisions

/// One scaling decision as it is kept and shown: enough to see why, and to compute it again.
public struct DecisionRecord: Codable, Hashable, Sendable {
  /// Version of the function that decided; another version may decide otherwise from the same inputs.
  public static let functionVersion = 1

  public var version: Int
  public var function: Int
  public var namespace: String
  public var name: String
  /// Wall time in seconds since 1970.
  public var timeUnix: Double
  /// `dedicated` or `burst`.
  public var pool: String
  public var from: Int
  public var to: Int
  public var reason: String
  public var message: String
  public var inputs: [String: String]

  public init(
    namespace: String, name: String, timeUnix: Double, pool: String, from: Int, to: Int, reason: String,
    message: String, inputs: [String: String]
  ) {
    self.version = FleetVersion.current
    self.function = Self.functionVersion
    self.namespace = namespace
    self.name = name
    self.timeUnix = timeUnix
    self.pool = pool
    self.from = from
    self.to = to
    self.reason = reason
    self.message = message
    self.inputs = inputs
  }
}
