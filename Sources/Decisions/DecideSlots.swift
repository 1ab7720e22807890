/// What one gateway wants of one model's slots.
public struct SlotDemand: Hashable, Sendable {
  /// Requests that wait.
  public var held: Int
  /// Requests at replicas.
  public var inFlight: Int
  /// Slots it may use now, over all replicas; nil: not known.
  public var slots: Int?

  public init(held: Int = 0, inFlight: Int = 0, slots: Int? = nil) {
    self.held = held
    self.inFlight = inFlight
    self.slots = slots
  }

  /// All its requests.
  public var all: Int { held + inFlight }
}

/// Decides whether the slots of one model should be dealt otherwise, and how. Nil: leave them as they are.
///
/// Slots follow demand, so that requests wait equally long wherever they wait. Nothing moves while nobody waits, nor for
/// less than a twentieth of the slots, nor within ``SlotPace/shift`` of the last change: demand that flickers moves nothing.
/// - Parameters:
///   - demand: by gateway, in the order of `present`.
///   - capacity: slots of all replicas; 0: there is none, the model sleeps.
///   - sinceChange: how long `present` has been in force.
public func decideSlots(
  _ demand: [SlotDemand], capacity: Int, present: SlotWeights, sinceChange: Duration
) -> SlotWeights? {
  guard demand.count == present.parts.count, demand.count > 1, demand.contains(where: { $0.held > 0 }),
    let wanted = wantedWeights(demand, capacity: capacity, turn: present.turn)
  else { return nil }
  let places = demand.indices
  // Who waits and has no weight at all would wait for ever.
  if places.contains(where: { demand[$0].held > 0 && present.parts[$0] == 0 }) { return wanted }
  guard sinceChange >= SlotPace.shift else { return nil }
  let gain = places.lazy.filter { demand[$0].held > 0 }.map { wanted.fraction($0) - present.fraction($0) }.max() ?? 0
  if gain >= SlotPace.leastGain { return wanted }
  if capacity > 0, places.contains(where: { demand[$0].held > 0 && demand[$0].slots == 0 }) {
    return try? SlotWeights(parts: wanted.parts, turn: present.turn &+ 1)
  }
  let isWasted = places.contains { demand[$0].all == 0 && present.parts[$0] > 0 }
  return isWasted && sinceChange >= SlotPace.tidying ? wanted : nil
}

/// Whether slots may go back to even shares: nobody waits, and what each gateway has would fit with room to spare.
public func evenSlotsSuffice(_ demand: [SlotDemand], capacity: Int) -> Bool {
  demand.allSatisfy { $0.held == 0 && ($0.inFlight == 0 || $0.inFlight * demand.count * 5 <= capacity * 4) }
}

/// How fast slots may move.
public enum SlotPace {
  /// Shortest time between two changes for gain.
  public static let shift: Duration = .milliseconds(250)
  /// Shortest time before slots are taken from those that want none, when that is little.
  public static let tidying: Duration = .milliseconds(500)
  /// Least gain, as a part of all slots, that is worth a change.
  public static let leastGain = 0.05
  /// How long even shares must have sufficed before slots go back to them.
  public static let calm: Duration = .seconds(10)
}

/// Weights by demand, out of 10,000: in proportion to it, but at least a slot for whoever wants one, and nobody gives up more
/// than a quarter of what it has in flight at a time: slots that long requests only leave one by one would idle until the
/// last of them is free.
private func wantedWeights(_ demand: [SlotDemand], capacity: Int, turn: Int) -> SlotWeights? {
  let total = demand.reduce(0) { $0 + $1.all }
  guard total > 0 else { return nil }
  let least = capacity > 0 ? Double(total) / Double(capacity) : 0
  let wishes = demand.map { $0.all == 0 ? 0 : max(Double($0.all), least) }
  let floors = demand.map { capacity > 0 ? Double($0.inFlight) * 0.75 / Double(capacity) : 0 }
  let shares = proportions(of: wishes, noLessThan: floors)
  // Who wants something is not rounded to nothing.
  let parts = zip(demand, shares).map { $0.all == 0 ? 0 : max(1, Int(($1 * 10_000).rounded())) }
  return try? SlotWeights(parts: parts, turn: turn)
}

/// Shares of 1 in proportion to `wishes`, each no less than its floor. Floors that leave nothing to share are not kept: more
/// is in flight than there are slots, as when replicas have gone.
private func proportions(of wishes: [Double], noLessThan floors: [Double]) -> [Double] {
  var isFloored = [Bool](repeating: false, count: wishes.count)
  let canKeep = floors.reduce(0, +) < 1
  while true {
    let left = zip(floors, isFloored).reduce(1) { $1.1 ? $0 - $1.0 : $0 }
    let wished = zip(wishes, isFloored).reduce(0) { $1.1 ? $0 : $0 + $1.0 }
    let shares = wishes.indices.map { isFloored[$0] ? floors[$0] : wishes[$0] / wished * left }
    // Floors take from the others, which may put another one below its own. Not all can be: their sum is below 1.
    let low = wishes.indices.filter { !isFloored[$0] && shares[$0] < floors[$0] }
    if low.isEmpty || !canKeep { return shares }
    for index in low { isFloored[index] = true }
  }
}
