/// A policy on its way through a trace.
protocol PolicyRun {
  /// Takes the next requests, in order of time.
  mutating func add(_ requests: [TraceRequest])
  /// Lets everything that waits or runs end, and says what it took. Idle replicas are counted up to `end`, the time of the
  /// trace's last request.
  mutating func finish(at end: Int64) -> PolicyOutcome
}
