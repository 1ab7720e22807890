/// Keys by the time they are due: a binary heap; a key has one deadline.
struct DeadlineHeap<Key: Hashable & Comparable & Sendable>: Sendable {
  private struct Entry {
    var deadline: Duration
    var key: Key
    func precedes(_ other: Entry) -> Bool { (deadline, key) < (other.deadline, other.key) }
  }

  private var entries: [Entry] = []
  /// The truth; heap entries that differ from it are left-overs.
  private var deadlines: [Key: Duration] = [:]

  var count: Int { deadlines.count }

  subscript(key: Key) -> Duration? { deadlines[key] }

  /// Sets or moves the deadline of a key. O(log n).
  mutating func set(_ key: Key, _ deadline: Duration) {
    deadlines[key] = deadline
    if entries.count > 2 * deadlines.count + 64 {
      entries = deadlines.map { Entry(deadline: $0.value, key: $0.key) }.sorted { $0.precedes($1) }
    } else {
      push(Entry(deadline: deadline, key: key))
    }
  }

  mutating func remove(_ key: Key) { deadlines[key] = nil }

  /// The earliest deadline.
  mutating func next() -> Duration? {
    dropLeftovers()
    return entries.first?.deadline
  }

  /// Removes and returns the keys that are due, earliest first.
  mutating func popDue(_ now: Duration) -> [Key] {
    var due: [Key] = []
    dropLeftovers()
    while let first = entries.first, first.deadline <= now {
      due.append(first.key)
      deadlines[first.key] = nil
      dropLeftovers()
    }
    return due
  }

  private mutating func dropLeftovers() {
    while let first = entries.first, deadlines[first.key] != first.deadline { popFirst() }
  }

  private mutating func push(_ entry: Entry) {
    entries.append(entry)
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child].precedes(entries[parent]) else { return }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func popFirst() {
    let last = entries.removeLast()
    guard !entries.isEmpty else { return }
    entries[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < entries.count && entries[child].precedes(entries[smallest]) {
        smallest = child
      }
      if smallest == parent { return }
      entries.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
