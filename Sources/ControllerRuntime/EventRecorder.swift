import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// Tells people what happens to an object, in core/v1 Events (`kubectl describe`). Never makes its caller wait.
public final class EventRecorder: Service {
  private struct State {
    var waiting: [(occurrence: EventCorrelator.Occurrence, now: Now)] = []
    var dropped = 0
    var correlator: EventCorrelator
  }

  private let client: KubernetesClient
  private let clock: any ClockSource
  private let log: Log
  private let capacity: Int
  private let state: Mutex<State>
  private let arrived = Signal()

  /// - Parameters:
  ///   - component: who reports: `pilotlight-controller`.
  ///   - instance: which process of it.
  ///   - capacity: how many may wait to be sent; more are dropped, and counted in the log.
  public init(
    client: KubernetesClient, clock: any ClockSource, component: String, instance: String, log: Log = .discarding,
    capacity: Int = 1000
  ) {
    self.client = client
    self.clock = clock
    self.log = log
    self.capacity = max(1, capacity)
    state = Mutex(State(correlator: EventCorrelator(component: component, instance: instance)))
  }

  /// Records something that happened to `object`, from any thread.
  /// - Parameters:
  ///   - reason: one word for programs, in upper camel case.
  ///   - message: a sentence for people.
  public func record(_ kind: EventKind, about object: KubernetesObject, reason: String, message: String) {
    let now = clock.now()
    let occurrence = EventCorrelator.Occurrence(object: object, kind: kind, reason: reason, message: message)
    state.withLock { state in
      if state.waiting.count < capacity {
        state.waiting.append((occurrence, now))
      } else {
        state.dropped += 1
      }
    }
    arrived.raise()
  }

  /// Sends what is recorded, in order, until it is cancelled.
  public func run() async throws {
    while true {
      try Task.checkCancellation()
      let (batch, dropped) = state.withLock { state in
        defer {
          state.waiting = []
          state.dropped = 0
        }
        return (state.waiting, state.dropped)
      }
      if dropped > 0 { log.warning("events dropped", ["count": dropped]) }
      for (occurrence, now) in batch {
        try await send(state.withLock { $0.correlator.handle(occurrence, now: now) })
      }
      if batch.isEmpty { try await arrived.wait() }
    }
  }

  private func send(_ effect: EventCorrelator.Effect) async throws {
    do {
      switch effect {
      case .create(let event): _ = try await client.create(.events, event)
      case .patch(let key, let change, let whole):
        do {
          _ = try await client.patch(.events, key, .merge(change))
        } catch let status as KubernetesStatus where status.isNotFound {
          // API servers forget Events after an hour.
          _ = try await client.create(.events, whole)
        }
      case .drop: break
      }
    } catch let error as CancellationError {
      throw error
    } catch {
      // An Event is worth one try: the log has the same news, and newer ones wait.
      log.info("event not recorded", ["error": String(describing: error)])
    }
  }
}
