import FoundationEssentials
import Synchronization

/// A clock that moves only when told to: shells run on it in tests, without waiting.
public final class ManualClock: ClockSource {
  private struct Sleeper {
    var id: Int
    var deadline: Duration
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var elapsed: Duration = .zero
    var wallShift: Duration = .zero
    var nextID = 0
    var sleepers: [Sleeper] = []
    /// Sleeps that were cancelled before their continuation was there.
    var cancelled: Set<Int> = []
    var observers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let start: Now
  private let state = Mutex(State())

  /// - Parameter start: what ``now()`` answers first.
  public init(start: Now = Now(monotonic: .seconds(1000), wall: Date(timeIntervalSince1970: 1_750_000_000))) {
    self.start = start
  }

  public func now() -> Now {
    let (elapsed, shift) = state.withLock { ($0.elapsed, $0.wallShift) }
    return Now(monotonic: start.monotonic + elapsed, wall: start.wall.addingTimeInterval((elapsed + shift).seconds))
  }

  /// Sets the wall clock; nobody who sleeps notices.
  public func setWall(ahead shift: Duration) { state.withLock { $0.wallShift += shift } }

  public func sleep(for duration: Duration) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let refusal: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
          guard duration > .zero else { return .success(()) }
          state.sleepers.append(
            Sleeper(id: id, deadline: state.elapsed + duration, continuation: continuation))
          return nil
        }
        if let refusal { continuation.resume(with: refusal) } else { notifyObservers() }
      }
    } onCancel: {
      let sleeper: Sleeper? = state.withLock { state in
        guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
          state.cancelled.insert(id)
          return nil
        }
        return state.sleepers.remove(at: index)
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Moves time forward; sleeps that are over return, earliest first.
  public func advance(by duration: Duration) {
    let due: [Sleeper] = state.withLock { state in
      state.elapsed += duration
      let elapsed = state.elapsed
      let due = state.sleepers.filter { $0.deadline <= elapsed }
      state.sleepers.removeAll { $0.deadline <= elapsed }
      return due.sorted { ($0.deadline, $0.id) < ($1.deadline, $1.id) }
    }
    for sleeper in due { sleeper.continuation.resume() }
  }

  /// How long until the earliest sleep ends; nil while nobody sleeps.
  public var nextWakeUp: Duration? {
    state.withLock { state in state.sleepers.map(\.deadline).min().map { $0 - state.elapsed } }
  }

  /// Returns once at least `count` tasks sleep on this clock: only then does moving it mean something to them.
  public func waitForSleepers(_ count: Int = 1) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.sleepers.count >= count { return true }
        state.observers.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  private func notifyObservers() {
    let ready = state.withLock { state in
      let sleeping = state.sleepers.count
      let ready = state.observers.filter { $0.count <= sleeping }
      state.observers.removeAll { $0.count <= sleeping }
      return ready
    }
    for observer in ready { observer.continuation.resume() }
  }
}
