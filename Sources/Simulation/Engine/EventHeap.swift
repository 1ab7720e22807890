/// What will happen when, in order; things of one moment in the order they were added.
struct EventHeap<Event: Sendable>: Sendable {
  private struct Entry: Sendable {
    var time: Int64
    var order: Int64
    var event: Event
    @inline(__always)
    func precedes(_ other: Entry) -> Bool { time != other.time ? time < other.time : order < other.order }
  }
  /// A binary heap: each entry precedes its two children.
  private var heap: [Entry] = []
  private var added: Int64 = 0

  /// `Int64.max` when nothing will happen.
  @inline(__always)
  var firstTime: Int64 { heap.isEmpty ? .max : heap[0].time }

  /// - Parameter order: among things of one moment the lower goes first; nil: after those added before.
  mutating func add(_ event: Event, at time: Int64, order: Int64? = nil) {
    heap.append(Entry(time: time, order: order ?? added, event: event))
    added += 1
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func popFirst() -> (time: Int64, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (first.time, first.event)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      let left = 2 * parent + 1
      if left < heap.count, heap[left].precedes(heap[least]) { least = left }
      if left + 1 < heap.count, heap[left + 1].precedes(heap[least]) { least = left + 1 }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
