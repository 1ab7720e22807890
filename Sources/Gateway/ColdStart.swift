import Telemetry

/// One cold start as this gateway sees it, phase by phase. A value; times are monotonic.
struct ColdStart: Sendable {
  enum Phase: String, Sendable, CaseIterable {
    /// From the first held request until a pod is known: the controller, the scheduler, a new node.
    case schedule
    /// From then until it is healthy: the image, the model's weights.
    case load
    /// From then until the first byte is sent to it.
    case release
  }

  private let began: Duration
  private var podKnown: Duration?
  private var healthy: Duration?

  init(began: Duration) { self.began = began }

  /// A pod is known, ready or not; the first counts.
  mutating func podAppeared(_ now: Duration) { if podKnown == nil { podKnown = now } }

  /// A replica takes requests; the first counts.
  mutating func becameHealthy(_ now: Duration) {
    podAppeared(now)
    if healthy == nil { healthy = now }
  }

  /// The seconds of each phase, when the first byte goes out; nil before a replica was healthy.
  func phases(firstByte now: Duration) -> [Phase: Double]? {
    guard let podKnown, let healthy else { return nil }
    return [
      .schedule: (podKnown - began).seconds, .load: (healthy - podKnown).seconds, .release: (now - healthy).seconds,
    ]
  }
}
