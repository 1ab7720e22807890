import FoundationEssentials
import Telemetry

/// The time of a simulation: it stands still while anything runs, and leaps to the next timer when nothing does.
final class VirtualTime: @unchecked Sendable {
  typealias TimerID = Int

  private struct Timer {
    var deadline: Duration
    var id: TimerID
    func precedes(_ other: Timer) -> Bool {
      deadline == other.deadline ? id < other.id : deadline < other.deadline
    }
  }

  /// Since the beginning of the simulation.
  private(set) var elapsed: Duration = .zero
  /// A binary heap; timers without an action were cancelled.
  private var heap: [Timer] = []
  private var actions: [TimerID: () -> Void] = [:]
  private var nextID = 0

  /// What a clock that is right tells at the beginning.
  private static let start = Date(timeIntervalSince1970: 1_750_000_000)

  var wall: Date { Self.start.addingTimeInterval(elapsed.seconds) }

  @discardableResult
  func after(_ delay: Duration, _ action: @escaping () -> Void) -> TimerID {
    nextID += 1
    actions[nextID] = action
    push(Timer(deadline: elapsed + max(.zero, delay), id: nextID))
    return nextID
  }

  /// Forgets all timers.
  func clear() {
    heap = []
    actions = [:]
  }

  func cancel(_ id: TimerID) { actions[id] = nil }

  /// Moves on to the earliest timer and runs its action; false when there is none.
  func fireNext() -> Bool {
    while let timer = popFirst() {
      guard let action = actions.removeValue(forKey: timer.id) else { continue }
      elapsed = timer.deadline
      action()
      return true
    }
    return false
  }

  /// Returns after `duration`. - Throws: `CancellationError`.
  func sleep(for duration: Duration) async throws {
    let wait = Wait<Void>()
    try await wait.value { wait in
      let timer = self.after(duration) { wait.finish(.success(())) }
      wait.onCancel = { self.cancel(timer) }
    }
  }

  private func push(_ timer: Timer) {
    heap.append(timer)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].precedes(heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private func popFirst() -> Timer? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[smallest]) {
        smallest = child
      }
      if smallest == parent { return first }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
  }
}

/// The clocks of one machine. Its wall clock may be wrong; the monotonic one never jumps.
final class MachineClock: ClockSource, @unchecked Sendable {
  private let time: VirtualTime
  private let bootedAt: Duration
  /// How wrong the wall clock is.
  var wallError: Duration = .zero
  /// A planted bug: windows and Leases run on the wall clock.
  var monotonicFollowsWall = false

  init(_ time: VirtualTime, bootedAt: Duration) {
    self.time = time
    self.bootedAt = bootedAt
  }

  func now() -> Now {
    let monotonic = bootedAt + time.elapsed + (monotonicFollowsWall ? wallError : .zero)
    return Now(monotonic: monotonic, wall: time.wall.addingTimeInterval(wallError.seconds))
  }

  func sleep(for duration: Duration) async throws { try await time.sleep(for: duration) }
}
