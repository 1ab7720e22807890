/// Names a timer armed in a `TimerWheel`; a fired or cancelled timer's name is never valid again.
public struct TimerID: Hashable, Sendable {
  let slot: UInt32
  let generation: UInt32
}

/// Timers as a value: arm and cancel are O(1), and no time passes but what `advance` is told.
///
/// A hierarchical wheel (Varghese and Lauck 1987, scheme 7): six levels of 64 slots, the lowest one a millisecond wide. A
/// timer never fires early, and late by at most one millisecond and the caller's own delay; one that is set for more than
/// a year ahead fires after a year.
struct TimerWheel<Payload> {
  private struct Entry {
    var deadline: UInt64
    var previous: Int32
    var next: Int32
    var bucket: Int32
    var generation: UInt32
    var payload: Payload?
  }

  private static var levels: Int { 6 }
  private static var none: Int32 { -1 }
  /// 397 days in milliseconds: half of the highest level's turn, so that a slot is never a whole turn away.
  private static var horizon: UInt64 { 1 << 35 }

  private var entries: [Entry] = []
  private var free: Int32 = -1
  private var heads: [Int32]
  private var occupied: [UInt64]
  private var current: UInt64 = 0
  /// Timers armed.
  private(set) var count = 0

  init() {
    heads = Array(repeating: Self.none, count: Self.levels * 64)
    occupied = Array(repeating: 0, count: Self.levels)
  }

  /// Arms a timer for `deadline`, counted from the wheel's own zero. A deadline in the past fires at the next `advance`.
  ///
  /// - Parameter deadline: nanoseconds.
  mutating func arm(atNanoseconds deadline: Int64, _ payload: Payload) -> TimerID {
    let slot = takeEntry()
    let tick = UInt64(max(0, deadline) / 1_000_000) + (deadline % 1_000_000 > 0 ? 1 : 0)
    entries[Int(slot)].deadline = min(max(tick, current), current + Self.horizon)
    entries[Int(slot)].payload = payload
    link(slot)
    count += 1
    return TimerID(slot: UInt32(slot), generation: entries[Int(slot)].generation)
  }

  /// Disarms the timer. Returns its payload, nil when it has fired or been cancelled before.
  @discardableResult
  mutating func cancel(_ timer: TimerID) -> Payload? {
    let slot = Int32(timer.slot)
    guard slot < entries.count, entries[Int(slot)].generation == timer.generation,
      entries[Int(slot)].payload != nil
    else { return nil }
    unlink(slot)
    return release(slot)
  }

  /// The millisecond at which `advance` has something to do next: a timer's deadline, or an earlier one at which timers are
  /// re-sorted.
  var nextTick: Int64? { nextBucket().map { Int64(clamping: $0.start) } }

  /// Moves the wheel to `now` and takes out one timer that is due, nil when none is left. Call until it answers nil.
  ///
  /// One at a time, so that what a timer does may arm and cancel others.
  mutating func advance(toNanoseconds now: Int64) -> Payload? {
    let target = UInt64(max(0, now) / 1_000_000)
    guard count > 0 else {
      current = max(current, target)
      return nil
    }
    while let (bucket, start) = nextBucket(), start <= target {
      current = max(current, start)
      let slot = heads[bucket]
      unlink(slot)
      if entries[Int(slot)].deadline <= current { return release(slot) }
      link(slot)
    }
    current = max(current, target)
    return nil
  }

  /// The occupied bucket that begins first, and the tick at which it does. Of two that begin together the one of the
  /// higher level, whose timers must be sorted into the lower one before that fires.
  private func nextBucket() -> (bucket: Int, start: UInt64)? {
    var first: (bucket: Int, start: UInt64)?
    for level in 0..<Self.levels where occupied[level] != 0 {
      let shift = UInt64(level * 6)
      let position = (current >> shift) & 63
      // Slots behind the position belong to the next turn of this level.
      let rotated = occupied[level] >> position | (position == 0 ? 0 : occupied[level] << (64 - position))
      let distance = UInt64(rotated.trailingZeroBitCount)
      let start = max(((current >> shift) + distance) << shift, current)
      if let first, first.start < start { continue }
      first = (level * 64 + Int((position + distance) & 63), start)
    }
    return first
  }

  private mutating func link(_ slot: Int32) {
    let deadline = entries[Int(slot)].deadline
    let differing = deadline ^ current
    let level = differing == 0 ? 0 : min((63 - differing.leadingZeroBitCount) / 6, Self.levels - 1)
    let position = Int((deadline >> UInt64(level * 6)) & 63)
    let bucket = level * 64 + position
    let head = heads[bucket]
    entries[Int(slot)].bucket = Int32(bucket)
    entries[Int(slot)].previous = Self.none
    entries[Int(slot)].next = head
    if head != Self.none { entries[Int(head)].previous = slot }
    heads[bucket] = slot
    occupied[level] |= 1 << UInt64(position)
  }

  private mutating func unlink(_ slot: Int32) {
    let entry = entries[Int(slot)]
    if entry.previous != Self.none { entries[Int(entry.previous)].next = entry.next }
    if entry.next != Self.none { entries[Int(entry.next)].previous = entry.previous }
    guard heads[Int(entry.bucket)] == slot else { return }
    heads[Int(entry.bucket)] = entry.next
    if entry.next == Self.none { occupied[Int(entry.bucket) / 64] &= ~(1 << UInt64(entry.bucket % 64)) }
  }

  private mutating func takeEntry() -> Int32 {
    guard free != Self.none else {
      entries.append(
        Entry(deadline: 0, previous: Self.none, next: Self.none, bucket: 0, generation: 0, payload: nil))
      return Int32(entries.count - 1)
    }
    let slot = free
    free = entries[Int(slot)].next
    return slot
  }

  private mutating func release(_ slot: Int32) -> Payload? {
    let payload = entries[Int(slot)].payload
    entries[Int(slot)].payload = nil
    entries[Int(slot)].generation &+= 1
    entries[Int(slot)].next = free
    free = slot
    count -= 1
    return payload
  }
}
