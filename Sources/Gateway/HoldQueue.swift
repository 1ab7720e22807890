/// Requests that wait for one service: ordered by urgency (RFC 9218: 0 first, 7 last), then by arrival.
///
/// A value: it holds no clock and wakes nobody. Insert, remove by ticket and take the first are O(1): each urgency is a
/// doubly linked list through one array of slots, whose freed places are used again.
public struct HoldQueue<Payload: Sendable>: Sendable {
  /// One waiting request.
  public struct Entry: Sendable {
    public var payload: Payload
    /// Monotonic time of arrival.
    public var arrival: Duration
    /// Request bytes kept in memory for it.
    public var bytes: Int
    /// 0...7.
    public var urgency: Int

    public init(payload: Payload, arrival: Duration, bytes: Int = 0, urgency: Int = 3) {
      self.payload = payload
      self.arrival = arrival
      self.bytes = bytes
      self.urgency = min(max(0, urgency), 7)
    }
  }

  /// Names an entry as long as it waits; of one that has left it names nothing.
  public struct Ticket: Hashable, Sendable {
    fileprivate var index: Int
    fileprivate var generation: Int
  }

  private struct Slot: Sendable {
    var entry: Entry?
    var generation = 0
    var previous = -1
    var next = -1
  }

  private struct Level: Sendable {
    var head = -1
    var tail = -1
  }

  private var slots: [Slot] = []
  private var free: [Int] = []
  private var levels = [Level](repeating: Level(), count: 8)
  /// Requests that wait.
  public private(set) var count = 0
  /// Sum of their ``Entry/bytes``.
  public private(set) var bytes = 0

  public init() {}

  public var isEmpty: Bool { count == 0 }

  /// Puts an entry behind all of its urgency, or before them when it has been in line before.
  public mutating func insert(_ entry: Entry, first: Bool = false) -> Ticket {
    let index: Int
    if let reused = free.popLast() {
      index = reused
    } else {
      index = slots.count
      slots.append(Slot())
    }
    slots[index].entry = entry
    link(index, level: entry.urgency, first: first)
    count += 1
    bytes += entry.bytes
    return Ticket(index: index, generation: slots[index].generation)
  }

  /// Takes an entry out wherever it stands; nil: it has left already.
  public mutating func remove(_ ticket: Ticket) -> Entry? {
    guard slots.indices.contains(ticket.index), slots[ticket.index].generation == ticket.generation else { return nil }
    return take(ticket.index)
  }

  /// Takes the most urgent and among those the oldest entry.
  public mutating func popFirst() -> Entry? {
    for level in levels where level.head >= 0 { return take(level.head) }
    return nil
  }

  /// Empties the queue, in its order.
  public mutating func removeAll() -> [Entry] {
    var all: [Entry] = []
    all.reserveCapacity(count)
    while let entry = popFirst() { all.append(entry) }
    return all
  }

  /// Arrival of the request that waits longest; nil when none waits.
  public var oldestArrival: Duration? {
    levels.lazy.filter { $0.head >= 0 }.compactMap { slots[$0.head].entry?.arrival }.min()
  }

  private mutating func link(_ index: Int, level: Int, first: Bool) {
    let neighbour = first ? levels[level].head : levels[level].tail
    slots[index].previous = first ? -1 : neighbour
    slots[index].next = first ? neighbour : -1
    if first {
      levels[level].head = index
      if neighbour >= 0 { slots[neighbour].previous = index } else { levels[level].tail = index }
    } else {
      levels[level].tail = index
      if neighbour >= 0 { slots[neighbour].next = index } else { levels[level].head = index }
    }
  }

  private mutating func take(_ index: Int) -> Entry? {
    guard let entry = slots[index].entry else { return nil }
    let (previous, next) = (slots[index].previous, slots[index].next)
    if previous >= 0 { slots[previous].next = next } else { levels[entry.urgency].head = next }
    if next >= 0 { slots[next].previous = previous } else { levels[entry.urgency].tail = previous }
    slots[index] = Slot(generation: slots[index].generation + 1)
    count -= 1
    bytes -= entry.bytes
    free.append(index)
    if count == 0, slots.count > 64 { shrink() }
    return entry
  }

  /// Gives a burst's memory back. Tickets stay unique because generations go on from the highest.
  private mutating func shrink() {
    let generation = (slots.lazy.map(\.generation).max() ?? 0) + 1
    slots = [Slot](repeating: Slot(generation: generation), count: 64)
    free = Array(slots.indices)
  }
}
