/// What scaling remembers of one model from decision to decision. Moments are on the caller's monotonic clock.
public struct ScalingState: Hashable, Sendable {
  /// When the caller began to watch this model.
  public let startedAt: Duration
  /// Until then nothing is scaled down: the windows are not full yet.
  public var holdScaleDownUntil: Duration
  /// When the load was last above the panic threshold, while panicking.
  var panicSince: Duration?
  /// The most that was wanted in this panic.
  var panicPeak = 0
  /// When the burst pool was last needed.
  var lastNeeded: Duration?
  /// What was wanted within `scaleDownDelay`; falling values only, so its first element is the maximum.
  var recentWishes: [Wish] = []

  struct Wish: Hashable, Sendable {
    var at: Duration
    var replicas: Int
  }

  public init(startedAt: Duration, holdScaleDownUntil: Duration) {
    self.startedAt = startedAt
    self.holdScaleDownUntil = holdScaleDownUntil
  }

  public var isPanicking: Bool { panicSince != nil }

  /// Notes a wish; returns the largest one within the delay.
  mutating func largestWish(_ replicas: Int, within delay: Duration, now: Duration) -> Int {
    recentWishes.removeAll { $0.at + delay < now }
    while let last = recentWishes.last, last.replicas <= replicas { recentWishes.removeLast() }
    recentWishes.append(Wish(at: now, replicas: replicas))
    return recentWishes.first?.replicas ?? replicas
  }

  mutating func forgetLoad() {
    panicSince = nil
    panicPeak = 0
    recentWishes = []
  }
}
