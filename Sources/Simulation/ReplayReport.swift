import Decisions

/// What a replay took.
public struct ReplayReport: Sendable {
  public var requests = 0
  /// Wakes from zero.
  public var coldStarts = 0
  /// From arrival to a replica, per request.
  public var waits: [Duration] = []
  public var usage = UsageMeter(at: .zero)
  public var span = Duration.zero

  /// Share of the requests that did not find a free replica at once, from 0 to 1.
  public var waitingShare: Double {
    waits.isEmpty ? 0 : Double(waits.count { $0 > .zero }) / Double(waits.count)
  }

  /// The wait that `share` of the requests do not exceed (nearest rank).
  public func wait(percentile share: Double) -> Duration {
    let sorted = waits.sorted()
    guard !sorted.isEmpty else { return .zero }
    return sorted[min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))]
  }

  /// Replica-hours used, in percent of keeping the peak on all the time; nil when no time passed.
  public var percentOfAlwaysOn: Double? {
    let always = Double(max(1, usage.peakBurst)) * usage.elapsedSeconds
    return always > 0 ? usage.burstSeconds / always * 100 : nil
  }

  /// Adds another model's replay.
  public mutating func add(_ other: ReplayReport) {
    requests += other.requests
    coldStarts += other.coldStarts
    waits += other.waits
  }
}
