/// Requests that wait for one service: ordered by urgency (RFC 9218: 0 first, 7 last), fairly between tenants within an
/// urgency, and by arrival within a tenant.
///
/// Fair is deficit round robin (Shreedhar and Varghese, 1995) over the tenants that have a request waiting; their names need
/// not be known before. A tenant's turn brings it ``quantum``, a request costs what its entry says, and a tenant that has
/// nothing waiting has nothing saved up. Requests may wait for different kinds of places; a tenant's turn is for all of them.
///
/// A value: it holds no clock and wakes nobody. Insert and remove by ticket are O(1), and so is finding that there is a place
/// for nobody. Taking the first is O(1) where there are places for all kinds, as a request costs at most ``maxCost`` turns;
/// else it passes over the tenants that wait for other kinds. Everything stands in arrays whose freed places are used again.
public struct HoldQueue<Payload: Sendable>: Sendable {
  /// One waiting request.
  public struct Entry: Sendable {
    public var payload: Payload
    /// Monotonic time of arrival.
    public var arrival: Duration
    /// Request bytes kept in memory for it.
    public var bytes: Int
    /// Who asks, as a number that stands for a name; 0: nobody in particular. Two names with one number share their turns.
    public var tenant: UInt64
    /// 0...7.
    public var urgency: UInt8
    /// Which kind of place it waits for, 0 to 7: one that there is no place for does not keep others waiting.
    public var kind: UInt8

    public init(
      payload: Payload, arrival: Duration, bytes: Int = 0, urgency: Int = 3, tenant: UInt64 = 0, kind: UInt8 = 0
    ) {
      self.payload = payload
      self.arrival = arrival
      self.bytes = bytes
      self.urgency = UInt8(min(max(0, urgency), 7))
      self.tenant = tenant
      precondition(kind < HoldQueue.kindCount, "a queue knows \(HoldQueue.kindCount) kinds of places")
      self.kind = kind
    }

    /// Turns that it costs: one, and one more for each 8 KiB that it keeps, up to ``HoldQueue/maxCost``.
    fileprivate var cost: Int { min(1 + bytes / 8192, HoldQueue.maxCost) }
  }

  /// Names an entry as long as it waits; of one that has left it names nothing.
  public struct Ticket: Hashable, Sendable {
    fileprivate var index: Int32
    fileprivate var generation: UInt32
  }

  /// What a turn brings a tenant.
  static var quantum: Int { 1 }
  /// Most that a request may cost.
  static var maxCost: Int { 8 }
  /// Kinds of places that there may be.
  static var kindCount: Int { 8 }

  private struct Slot: Sendable {
    var entry: Entry?
    var generation: UInt32 = 0
    var line: Int32 = -1
    /// Neighbours of its kind in the tenant's line.
    var before: Int32 = -1
    var after: Int32 = -1
    /// Neighbours among all, by arrival.
    var older: Int32 = -1
    var younger: Int32 = -1
  }

  /// What one tenant has waiting at one urgency.
  private struct Line: Sendable {
    var tenant: UInt64 = 0
    var urgency: UInt8 = 0
    var count = 0
    /// First and last of each kind; -1: none waits.
    var heads = SIMD8<Int32>(repeating: -1)
    var tails = SIMD8<Int32>(repeating: -1)
    var deficit = 0
    /// Whether it is in the middle of its turn.
    var hasTurn = false
    /// Neighbours in the ring of its urgency.
    var previous: Int32 = -1
    var next: Int32 = -1
  }

  private struct LineKey: Hashable, Sendable {
    var tenant: UInt64
    var urgency: UInt8
  }

  private var slots: [Slot] = []
  private var freeSlots: [Int32] = []
  private var lines: [Line] = []
  private var freeLines: [Int32] = []
  private var lineOf: [LineKey: Int32] = [:]
  private var countOf: [UInt64: Int] = [:]
  /// By urgency, how many of each kind wait.
  private var waiting = [SIMD8<Int32>](repeating: .zero, count: 8)
  /// Generation of slots that are new.
  private var firstGeneration: UInt32 = 0
  /// By urgency, the line whose turn it is; -1: none waits.
  private var turns = [Int32](repeating: -1, count: 8)
  private var oldest: Int32 = -1
  private var youngest: Int32 = -1
  /// Requests that wait.
  public private(set) var count = 0
  /// Sum of their ``Entry/bytes``.
  public private(set) var bytes = 0

  public init() {}

  public var isEmpty: Bool { count == 0 }

  /// How many of a tenant's requests wait, over all urgencies.
  public func count(ofTenant tenant: UInt64) -> Int { countOf[tenant] ?? 0 }

  /// Arrival of the request that waits longest; nil when none waits.
  public var oldestArrival: Duration? { oldest < 0 ? nil : slots[Int(oldest)].entry?.arrival }

  // MARK: - In and out

  /// Puts an entry behind all of its tenant and urgency. One that has been in line before goes to their front, and its
  /// tenant is next.
  public mutating func insert(_ entry: Entry, first: Bool = false) -> Ticket {
    let index = takeSlot()
    let line = line(of: entry)
    slots[Int(index)].entry = entry
    slots[Int(index)].line = line
    link(index, entry, into: Int(line), first: first)
    linkByArrival(index, entry.arrival)
    if first { giveTurn(to: line, for: entry.cost) }
    count += 1
    countOf[entry.tenant, default: 0] += 1
    bytes += entry.bytes
    return Ticket(index: index, generation: slots[Int(index)].generation)
  }

  /// Takes an entry out wherever it stands; nil: it has left already.
  public mutating func remove(_ ticket: Ticket) -> Entry? {
    guard slots.indices.contains(Int(ticket.index)), slots[Int(ticket.index)].generation == ticket.generation else {
      return nil
    }
    return take(ticket.index)
  }

  /// Takes the entry whose turn it is, of the most urgent.
  ///
  /// - Parameter hasPlace: whether there is a place of a kind, asked once for each that somebody waits for; entries of others
  ///   are passed over.
  public mutating func popFirst(where hasPlace: (UInt8) -> Bool = { _ in true }) -> Entry? {
    let places = places(hasPlace)
    for urgency in turns.indices where any(places .& (waiting[urgency] .> 0)) {
      if let entry = popFirst(ofUrgency: urgency, places) { return entry }
    }
    return nil
  }

  /// Whether somebody waits who would take one of the places.
  public func isWaiting(where hasPlace: (UInt8) -> Bool) -> Bool { count > 0 && any(places(hasPlace)) }

  /// The kinds that somebody waits for and there is a place for.
  private func places(_ hasPlace: (UInt8) -> Bool) -> SIMDMask<SIMD8<Int32>> {
    let all = waiting.reduce(SIMD8<Int32>.zero, &+)
    var places = SIMDMask<SIMD8<Int32>>(repeating: false)
    for kind in 0..<Self.kindCount where all[kind] > 0 { places[kind] = hasPlace(UInt8(kind)) }
    return places
  }

  /// Somebody of this urgency waits for one of the places.
  private mutating func popFirst(ofUrgency urgency: Int, _ places: SIMDMask<SIMD8<Int32>>) -> Entry? {
    while turns[urgency] >= 0 {
      let line = Int(turns[urgency])
      guard let head = head(of: line, places), let cost = slots[Int(head)].entry?.cost else {
        endTurn(line)
        continue
      }
      if !lines[line].hasTurn {
        lines[line].hasTurn = true
        lines[line].deficit += Self.quantum
      }
      if cost <= lines[line].deficit {
        lines[line].deficit -= cost
        // With nothing left for another the next tenant is up; the line itself may be gone after this.
        if lines[line].deficit == 0 { endTurn(line) }
        return take(head)
      }
      endTurn(line)
    }
    return nil
  }

  /// Who of a line came first among those that there is a place for.
  private func head(of line: Int, _ places: SIMDMask<SIMD8<Int32>>) -> Int32? {
    var first: (index: Int32, arrival: Duration)?
    for kind in 0..<Self.kindCount where places[kind] && lines[line].heads[kind] >= 0 {
      let index = lines[line].heads[kind]
      guard let arrival = slots[Int(index)].entry?.arrival else { continue }
      if first.map({ arrival < $0.arrival }) ?? true { first = (index, arrival) }
    }
    return first?.index
  }

  /// Empties the queue, in its order.
  public mutating func removeAll() -> [Entry] {
    var all: [Entry] = []
    all.reserveCapacity(count)
    while let entry = popFirst() { all.append(entry) }
    return all
  }

  // MARK: - Lines and turns

  private mutating func line(of entry: Entry) -> Int32 {
    let key = LineKey(tenant: entry.tenant, urgency: entry.urgency)
    if let line = lineOf[key] { return line }
    let line: Int32
    if let reused = freeLines.popLast() {
      line = reused
    } else {
      line = Int32(lines.count)
      lines.append(Line())
    }
    lines[Int(line)] = Line(tenant: entry.tenant, urgency: entry.urgency)
    lineOf[key] = line
    joinRing(line, urgency: Int(entry.urgency))
    return line
  }

  /// A new line has its first turn after all others.
  private mutating func joinRing(_ line: Int32, urgency: Int) {
    let turn = turns[urgency]
    guard turn >= 0 else {
      lines[Int(line)].previous = line
      lines[Int(line)].next = line
      turns[urgency] = line
      return
    }
    let last = lines[Int(turn)].previous
    lines[Int(line)].previous = last
    lines[Int(line)].next = turn
    lines[Int(last)].next = line
    lines[Int(turn)].previous = line
  }

  private mutating func leaveRing(_ line: Int) {
    let urgency = Int(lines[line].urgency)
    let (previous, next) = (lines[line].previous, lines[line].next)
    if Int(next) == line {
      turns[urgency] = -1
    } else {
      lines[Int(previous)].next = next
      lines[Int(next)].previous = previous
      if Int(turns[urgency]) == line { turns[urgency] = next }
    }
    lineOf[LineKey(tenant: lines[line].tenant, urgency: lines[line].urgency)] = nil
    freeLines.append(Int32(line))
  }

  private mutating func endTurn(_ line: Int) {
    lines[line].hasTurn = false
    turns[Int(lines[line].urgency)] = lines[line].next
  }

  private mutating func giveTurn(to line: Int32, for cost: Int) {
    let urgency = Int(lines[Int(line)].urgency)
    if turns[urgency] >= 0, turns[urgency] != line { lines[Int(turns[urgency])].hasTurn = false }
    turns[urgency] = line
    lines[Int(line)].hasTurn = true
    lines[Int(line)].deficit = max(lines[Int(line)].deficit, cost)
  }

  // MARK: - Links

  private mutating func link(_ index: Int32, _ entry: Entry, into line: Int, first: Bool) {
    let kind = Int(entry.kind)
    let neighbour = first ? lines[line].heads[kind] : lines[line].tails[kind]
    slots[Int(index)].before = first ? -1 : neighbour
    slots[Int(index)].after = first ? neighbour : -1
    if first {
      lines[line].heads[kind] = index
      if neighbour >= 0 { slots[Int(neighbour)].before = index } else { lines[line].tails[kind] = index }
    } else {
      lines[line].tails[kind] = index
      if neighbour >= 0 { slots[Int(neighbour)].after = index } else { lines[line].heads[kind] = index }
    }
    lines[line].count += 1
    waiting[Int(entry.urgency)][kind] += 1
  }

  /// Nearly all arrive in order; one that has been in line before finds its place from the old end.
  private mutating func linkByArrival(_ index: Int32, _ arrival: Duration) {
    var older = youngest
    if older >= 0, let last = slots[Int(older)].entry?.arrival, last > arrival {
      older = -1
      var next = oldest
      while next >= 0, let other = slots[Int(next)].entry?.arrival, other <= arrival {
        older = next
        next = slots[Int(next)].younger
      }
    }
    let younger = older < 0 ? oldest : slots[Int(older)].younger
    slots[Int(index)].older = older
    slots[Int(index)].younger = younger
    if older >= 0 { slots[Int(older)].younger = index } else { oldest = index }
    if younger >= 0 { slots[Int(younger)].older = index } else { youngest = index }
  }

  private mutating func take(_ index: Int32) -> Entry? {
    let slot = slots[Int(index)]
    guard let entry = slot.entry else { return nil }
    let (line, kind) = (Int(slot.line), Int(entry.kind))
    if slot.before >= 0 { slots[Int(slot.before)].after = slot.after } else { lines[line].heads[kind] = slot.after }
    if slot.after >= 0 { slots[Int(slot.after)].before = slot.before } else { lines[line].tails[kind] = slot.before }
    if slot.older >= 0 { slots[Int(slot.older)].younger = slot.younger } else { oldest = slot.younger }
    if slot.younger >= 0 { slots[Int(slot.younger)].older = slot.older } else { youngest = slot.older }
    lines[line].count -= 1
    waiting[Int(entry.urgency)][kind] -= 1
    if lines[line].count == 0 { leaveRing(line) }
    slots[Int(index)] = Slot(generation: slot.generation &+ 1)
    freeSlots.append(index)
    count -= 1
    if let left = countOf[entry.tenant] { countOf[entry.tenant] = left > 1 ? left - 1 : nil }
    bytes -= entry.bytes
    if count == 0, slots.count > 64 { shrink() }
    return entry
  }

  private mutating func takeSlot() -> Int32 {
    if let reused = freeSlots.popLast() { return reused }
    slots.append(Slot(generation: firstGeneration))
    return Int32(slots.count - 1)
  }

  /// Gives a burst's memory back. Tickets stay unique because generations go on from the highest, in new slots, too.
  private mutating func shrink() {
    firstGeneration = (slots.lazy.map(\.generation).max() ?? 0) &+ 1
    slots = []
    freeSlots = []
    lines = []
    freeLines = []
    lineOf = [:]
    countOf = [:]
  }
}
