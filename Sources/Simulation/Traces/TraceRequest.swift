/// One request of a recorded or made-up load, in the units of the simulation.
public struct TraceRequest: Hashable, Sendable {
  /// When it came, in microseconds since the trace's own epoch; never less than that of the request before.
  public var timeMicroseconds: Int64
  /// How long a replica was busy with it, in microseconds; -1: not recorded.
  public var durationMicroseconds: Int64
  /// Index into ``TraceSource/models``.
  public var model: Int32
  /// -1: not recorded.
  public var promptTokens: Int32
  /// -1: not recorded.
  public var outputTokens: Int32
  public init(
    timeMicroseconds: Int64, durationMicroseconds: Int64 = -1, model: Int32, promptTokens: Int32 = -1,
    outputTokens: Int32 = -1
  ) {
    self.timeMicroseconds = timeMicroseconds
    self.durationMicroseconds = durationMicroseconds
    self.model = model
    self.promptTokens = promptTokens
    self.outputTokens = outputTokens
  }
}
