/// Where requests come from, in order of time.
public protocol TraceSource {
  /// Names of the models met so far; a request's `model` is an index into it.
  var models: [String] { get }
  /// The next request; nil: the trace has ended.
  mutating func next() throws -> TraceRequest?
  /// How much has been read.
  var progress: TraceProgress { get }
  /// Which rows were skipped as bad.
  var problems: TraceProblems { get }
}

extension TraceSource {
  public var progress: TraceProgress { TraceProgress() }
  public var problems: TraceProblems { TraceProblems() }
}

/// How much of a trace has been read.
public struct TraceProgress: Hashable, Sendable {
  /// Bytes.
  public var read: Int64
  /// Bytes; nil: unknown, as of a pipe.
  public var total: Int64?
  public init(read: Int64 = 0, total: Int64? = nil) {
    self.read = read
    self.total = total
  }
}
