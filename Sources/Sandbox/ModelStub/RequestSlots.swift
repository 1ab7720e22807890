/// How many requests are worked on at a time, and who waits for their turn, oldest first. Confined to a loop.
final class RequestSlots {
  private let limit: Int
  private(set) var running = 0
  private var queue: [(id: UInt64, start: () -> Void)] = []
  private var nextID: UInt64 = 0

  init(limit: Int) { self.limit = max(1, limit) }

  var waiting: Int { queue.count }
  var isFull: Bool { running >= limit }

  /// Takes a free slot; false when there is none.
  func take() -> Bool {
    guard !isFull else { return false }
    running += 1
    return true
  }

  /// Waits for a slot; `start` is called with the slot taken. The id gives the place up.
  func wait(_ start: @escaping () -> Void) -> UInt64 {
    nextID += 1
    queue.append((nextID, start))
    return nextID
  }

  /// True when the place was still in the queue.
  func leave(_ id: UInt64) -> Bool {
    guard let index = queue.firstIndex(where: { $0.id == id }) else { return false }
    queue.remove(at: index)
    return true
  }

  func release() {
    if queue.isEmpty {
      running -= 1
    } else {
      queue.removeFirst().start()
    }
  }
}
