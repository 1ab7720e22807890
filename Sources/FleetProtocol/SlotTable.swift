import Decisions

/// The deals that one gateway keeps to for one model: it may use only what **every** one of them gives it.
///
/// That is the whole of the safety. Deals never change from one to another, but from `A` to `A and B` to `B`; the leader
/// takes the last step when all gateways have taken the first and have no more in flight than `B` gives them. So at any
/// moment some one deal is kept by all gateways, and a deal never gives away more than there is.
///
/// Without a leader it lapses, in two steps for the same reason: ``whole`` after the last renewal the even deal counts, too,
/// and ``life`` after it the even deal alone is left. Renewals reach gateways at different times; the time between the two
/// steps is longer than any difference (see ``SlotCoordinator/patience``).
public struct SlotTable: Hashable, Sendable {
  /// How long a table counts alone after it was renewed.
  public static let whole: Duration = .seconds(6)
  /// How long it counts at all.
  public static let life: Duration = .seconds(16)
  /// Most deals of earlier leaders that are kept.
  private static let mostEarlier = 6

  public private(set) var epoch: Int
  private var since: Int
  private var weights: SlotWeights
  private var next: SlotWeights?
  /// Deals from before ``since``. The leader does not know them, so they count until it says that all agree.
  private var earlier: [SlotWeights] = []
  /// The leader has been silent: the even deal counts, too.
  private var countsEven = false
  private var renewed: Duration

  /// What a gateway that has shared evenly takes from a leader.
  public init(_ slots: ServiceSlots, now: Duration) {
    epoch = slots.epoch
    since = slots.since
    weights = slots.weights
    next = slots.next
    renewed = now
  }

  /// Takes what a leader says. False: it is older than what there is, or too many leaders have left their deals unfinished;
  /// the table then lapses.
  public mutating func take(_ slots: ServiceSlots, now: Duration) -> Bool {
    guard slots.epoch >= epoch else { return false }
    var kept = earlier
    if slots.since != since {
      for deal in deals where !kept.contains(deal) { kept.append(deal) }
      guard kept.count <= Self.mostEarlier else { return false }
    }
    self = SlotTable(slots, now: now)
    // One deal alone is said only when all gateways keep to it.
    if slots.next != nil { earlier = kept }
    return true
  }

  /// Lets time pass. False: it is over, slots are shared evenly.
  public mutating func lapse(now: Duration) -> Bool {
    if now >= renewed + Self.whole { countsEven = true }
    return now < renewed + Self.life
  }

  /// When ``lapse(now:)`` must be called next.
  public var lapsesAt: Duration { renewed + (countsEven ? Self.life : Self.whole) }

  /// A gateway's slots of a replica.
  public func slots(of limit: Int, podUID: String, index: Int) -> Int {
    deals.reduce(limit) { min($0, $1.slots(of: limit, podUID: podUID, index: index)) }
  }

  /// What the gateway's requests in flight at a replica must have fallen to before others may use the newest deal.
  public func bound(of limit: Int, podUID: String, index: Int) -> Int {
    (next ?? weights).slots(of: limit, podUID: podUID, index: index)
  }

  /// All deals that count.
  private var deals: [SlotWeights] {
    var deals = earlier + [weights]
    if let next { deals.append(next) }
    if countsEven { deals.append(.even(weights.parts.count)) }
    return deals
  }
}
