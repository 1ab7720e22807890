/// How a trace is read.
public struct TraceReading: Hashable, Sendable {
  /// What happens at a row that cannot be read.
  public enum BadRows: String, CaseIterable, Sendable {
    /// The trace is refused.
    case fail
    /// It is counted and left out.
    case skip
  }

  /// Nil: told by the first line.
  public var format: TraceFormat?
  /// For a format that names none; nil: the file's name without its ending.
  public var model: String?
  /// Rows of clients whose rate is above it are left out, in requests per second; nil: ``defaultClientRate``.
  public var maxClientRate: Double?
  public var seed: UInt64
  public var badRows: BadRows
  /// A row of a sampled log counts as so many requests as its weight says.
  public var reweights: Bool

  /// One request in 5 s: what makes a client small enough to be a model that may sleep.
  public static let defaultClientRate = 0.2

  public init(
    format: TraceFormat? = nil, model: String? = nil, maxClientRate: Double? = nil, seed: UInt64 = 1,
    badRows: BadRows = .fail, reweights: Bool = false
  ) {
    self.format = format
    self.model = model
    self.maxClientRate = maxClientRate
    self.seed = seed
    self.badRows = badRows
    self.reweights = reweights
  }
}
