/// How many requests of late waited too long for a slot, and how many may yet.
///
/// From counts that gateways send anyway: of those who are held at a moment, the ones that came within the last `b` seconds may
/// still be served in time; the others have waited longer than `b`. Requests that no replica could answer in time are not told
/// apart: they are late only if they waited, too.
struct LateRequests: Hashable, Sendable {
  /// After so long, in seconds, a request counts half.
  static let halfLife = 3600.0
  /// The share that may be late is spread over at least so many requests to come.
  static let fewestToCome = 500.0

  private(set) var total = 0.0
  private(set) var late = 0.0
  private var notedAt: Duration?

  /// Notes who has become late since the last time.
  /// - Parameters:
  ///   - requests: arrivals over time.
  ///   - held: requests that wait now.
  ///   - patience: seconds that a request may wait, so that its first token is in time.
  mutating func note(_ requests: LoadWindow, held: Int, patience: Double, now: Duration) {
    // Between two looks at one moment nobody becomes late; after a pause the last seconds are looked at.
    let elapsed = notedAt.map { min(5, (now - $0).inSeconds) } ?? 1
    guard elapsed > 0 else { return }
    decay(by: notedAt.map { (now - $0).inSeconds } ?? 0)
    notedAt = now
    let recent = requests.sum(over: .seconds(patience), until: now)
    let due = requests.sum(over: .seconds(patience + elapsed), until: now) - recent
    guard due > 0 else { return }
    total += due
    late += min(due, max(0, Double(held) - recent))
  }

  /// The share of the requests to come that may be late so that the objective holds for all: more if fewer than allowed were
  /// late, up to twice the objective's; less if more were, down to a fiftieth.
  func allowedShare(_ objective: LatencyObjective) -> Double {
    let share = 1 - objective.share
    let saved = share * total - late
    return min(2 * share, max(share / 50, share + saved / max(total, Self.fewestToCome)))
  }

  /// Share of the requests that did not wait too long; nil: too few were seen.
  var inTimeShare: Double? { total >= RehearsedPools.fewest ? 1 - late / total : nil }

  private mutating func decay(by seconds: Double) {
    let weight = ElementaryFunctions.exponential(-0.6931471805599453 * seconds / Self.halfLife)
    total *= weight
    late *= weight
  }
}
