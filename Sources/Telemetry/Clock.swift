import struct FoundationEssentials.Date

/// A moment on both clocks, read once at the edge and passed to decisions.
///
/// Windows, timeouts and back-off run on `monotonic`; schedules, Leases and accounts on `wall`.
public struct Now: Hashable, Sendable {
  /// Time since an arbitrary start (CLOCK_MONOTONIC); never jumps.
  public var monotonic: Duration
  public var wall: Date
  public init(monotonic: Duration, wall: Date) {
    self.monotonic = monotonic
    self.wall = wall
  }
}

/// Where a shell reads the time. The system's clock lives in the executable and in `EventLoop`; tests pass their own.
public protocol ClockSource: Sendable {
  func now() -> Now
  /// Returns after `duration`, or throws `CancellationError`.
  func sleep(for duration: Duration) async throws
}
