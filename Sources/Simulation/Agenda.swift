/// What will happen when, in order; things of one moment in the order they were added.
struct Agenda<Occurrence: Sendable>: Sendable {
  private struct Entry: Sendable {
    var time: Duration
    var order: Int
    var occurrence: Occurrence
    func precedes(_ other: Entry) -> Bool { (time, order) < (other.time, other.order) }
  }
  /// A binary heap: each entry precedes its two children.
  private var heap: [Entry] = []
  private var added = 0

  var first: (time: Duration, occurrence: Occurrence)? { heap.first.map { ($0.time, $0.occurrence) } }

  mutating func add(_ occurrence: Occurrence, at time: Duration) {
    heap.append(Entry(time: time, order: added, occurrence: occurrence))
    added += 1
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes out the first thing, unless it comes after `time`.
  mutating func popFirst(through time: Duration) -> (time: Duration, occurrence: Occurrence)? {
    guard let first = heap.first, first.time <= time else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink(0)
    }
    return (first.time, first.occurrence)
  }

  private mutating func sink(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[least]) {
        least = child
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
