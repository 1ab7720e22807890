import Decisions

/// One service's slots, as the leader deals them: from one deal to the next, in two steps (see ``SlotTable``).
struct SlotCourse: Hashable, Sendable {
  /// Epoch of its first message.
  private(set) var begun = 0
  /// Epoch of its latest change.
  private(set) var epoch = 0
  private(set) var weights: SlotWeights
  private(set) var next: SlotWeights?
  /// Slots are shared evenly, and all gateways know; or nobody is there any more who could.
  private(set) var isOver = false
  private var changed: Duration?
  private var calmSince: Duration?

  init(gateways: Int) { weights = .even(gateways) }

  /// Goes on as the gateways' loads ask for. True: it has changed, and takes the given epoch.
  mutating func advance(_ loads: [SlotMember.Load], epoch new: Int, now: Duration) -> Bool {
    let isTold = loads.allSatisfy { $0.slotsEpoch == epoch }
    let demand = loads.map(\.demand)
    let capacity = loads.lazy.map(\.capacity).max() ?? 0
    guard let next else {
      isOver = weights.isEven && (isTold || begun == 0)
      if isCalm(demand, capacity: capacity, now: now) { return change(to: .even(loads.count), new, now: now) }
      let since = changed.map { now - $0 } ?? SlotPace.calm
      let wanted = decideSlots(demand, capacity: capacity, present: weights, sinceChange: since)
      return wanted.map { change(to: $0, new, now: now) } ?? false
    }
    if isTold {
      weights = next
      return change(to: nil, new, now: now)
    }
    // What is to follow need not be waited for by somebody who gets nothing from it.
    if let other = decideSlots(demand, capacity: capacity, present: next, sinceChange: .zero) {
      return change(to: other, new, now: now)
    }
    isOver = demand.allSatisfy { $0.all == 0 } && changed.map { now - $0 >= SlotPace.calm } ?? false
    return false
  }

  private mutating func change(to next: SlotWeights?, _ new: Int, now: Duration) -> Bool {
    if begun == 0 { begun = new }
    self.next = next
    epoch = new
    changed = now
    calmSince = nil
    isOver = false
    return true
  }

  /// Even shares have sufficed for a while.
  private mutating func isCalm(_ demand: [SlotDemand], capacity: Int, now: Duration) -> Bool {
    guard !weights.isEven, evenSlotsSuffice(demand, capacity: capacity) else {
      calmSince = nil
      return false
    }
    let since = calmSince ?? now
    calmSince = since
    return now - since >= SlotPace.calm
  }
}
