/// How a stand-in for a model server behaves.
public struct ModelStubConfiguration: Sendable {
  /// `ADDRESS:PORT`.
  public var listen = "127.0.0.1:8000"
  /// The served model's name; nil serves any name that is asked for.
  public var model: String?
  /// From the start of the process until it listens, as a server loads its weights.
  public var loadTime = Duration.zero
  public var timeToFirstToken = Duration.milliseconds(50)
  public var timeBetweenTokens = Duration.milliseconds(10)
  /// Tokens of an answer whose request sets no lower bound.
  public var tokens = 32
  /// Requests that are worked on at a time.
  public var maxConcurrency = 256
  /// What a request gets beyond that.
  public var overload = Overload.queue
  /// Share of requests, 0 to 1, that fail with 500; which ones follows from the seed.
  public var failRate = 0.0
  public var seed: UInt64 = 0
  /// The process ends within the request of this number (from 1); nil: never.
  public var crashAfter: Int?
  /// The process ends before it listens.
  public var crashesAtStart = false
  /// Of a crash.
  public var exitCode: Int32 = 1
  /// Numbers per embedding.
  public var dimensions = 384

  public enum Overload: String, Sendable, CaseIterable {
    /// Waits its turn.
    case queue
    /// Is refused with 429.
    case reject
  }

  public init() {}
}
