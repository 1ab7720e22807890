/// A time zone: how far its clocks are ahead of UTC at every instant.
///
/// Instants and readings of a local clock are in seconds since 1970-01-01T00:00:00, of UTC and of that clock; both are limited
/// to ±2⁵⁹, far beyond the age of the universe (RFC 9636, 3.2).
public struct Zone: Hashable, Sendable {
  static let limit = 1 << 59
  /// Bounds of an offset in seconds (RFC 9636, 3.2).
  static let offsets = -89_999...93_599

  /// Instants at which the offset changes, rising.
  private let times: [Int]
  /// From each of them on.
  private let offsets: [Int]
  /// Before the first.
  private let firstOffset: Int
  /// From the last of them on; nil: the last offset stays.
  private let rule: ZoneRule?

  public static let utc = Zone(times: [], offsets: [], firstOffset: 0, rule: nil)

  init(times: [Int], offsets: [Int], firstOffset: Int, rule: ZoneRule?) {
    self.times = times
    self.offsets = offsets
    self.firstOffset = firstOffset
    self.rule = rule
  }

  /// Seconds that clocks are ahead of UTC.
  public func offset(at instant: Int) -> Int {
    let instant = Self.limited(instant)
    let count = countOfTransitions(through: instant)
    if count == times.count, let rule { return rule.offset(at: instant) }
    return count == 0 ? firstOffset : offsets[count - 1]
  }

  /// What clocks show at an instant.
  public func reading(at instant: Int) -> Int { Self.limited(instant) + offset(at: instant) }

  /// The first instant at which clocks show `reading` or a later time.
  ///
  /// A reading that is left out when clocks go forward is reached at that very instant; one that comes twice when clocks go
  /// back counts the first time.
  public func firstInstant(showing reading: Int) -> Int {
    let reading = Self.limited(reading)
    let stretches = stretches(around: reading)
    for (stretch, next) in zip(stretches, stretches.dropFirst()) {
      let reached = max(stretch.start, reading - stretch.offset)
      if reached < next.start { return reached }
    }
    let last = stretches[stretches.count - 1]
    return max(last.start, reading - last.offset)
  }

  /// The instant after which clocks show only later times than `reading`.
  ///
  /// A reading that is left out when clocks go forward is passed at that very instant; one that comes twice when clocks go
  /// back counts the second time.
  public func lastInstant(showing reading: Int) -> Int {
    let reading = Self.limited(reading)
    let stretches = stretches(around: reading)
    let last = stretches[stretches.count - 1]
    if reading - last.offset >= last.start { return reading - last.offset }
    for (stretch, next) in Array(zip(stretches, stretches.dropFirst())).reversed() {
      let passed = min(reading - stretch.offset, next.start)
      if passed >= stretch.start { return passed }
    }
    return stretches[0].start
  }

  /// The stretches of constant offset in which clocks may show `reading`, in order: one at least. Each ends where the next one
  /// starts; before them clocks show no later time, after them no earlier one.
  private func stretches(around reading: Int) -> [(start: Int, offset: Int)] {
    let (lower, upper) = (reading - Self.offsets.upperBound, reading - Self.offsets.lowerBound)
    var stretches = [(start: lower, offset: offset(at: lower))]
    var index = countOfTransitions(through: lower)
    while index < times.count, times[index] <= upper {
      stretches.append((times[index], offsets[index]))
      index += 1
    }
    if let rule, index == times.count {
      let start = max(lower, times.last ?? lower)
      for change in rule.changes(from: start, to: upper) where change.time > start && change.time <= upper {
        stretches.append((change.time, change.offset))
      }
    }
    return stretches
  }

  /// How many transitions come at `instant` or before.
  private func countOfTransitions(through instant: Int) -> Int {
    var (low, high) = (0, times.count)
    while low < high {
      let middle = (low + high) / 2
      if times[middle] <= instant { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func limited(_ seconds: Int) -> Int { min(max(seconds, -limit), limit) }
}
