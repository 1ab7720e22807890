import KubernetesAPI
import Telemetry

/// Works a queue off: calls `reconcile` with each key, for several keys at once, for one key never twice at once.
///
/// `reconcile` looks at the world as it is and takes it a step towards what is wanted. It must stand being called at any time,
/// as often as one likes.
public struct Controller<Key: Hashable & Comparable & Sendable & CustomStringConvertible>: Service {
  /// Conflicts in a row from which on they are told: a few are how writers agree.
  private static var notableConflicts: Int { 5 }

  private let name: String
  private let queue: WorkQueue<Key>
  private let workers: Int
  private let log: Log
  private let reconcile: @Sendable (Key) async -> Outcome

  /// - Parameters:
  ///   - name: stands in log records.
  ///   - workers: how many keys are worked on at the same time.
  public init(
    name: String, queue: WorkQueue<Key>, workers: Int = 4, log: Log = .discarding,
    reconcile: @escaping @Sendable (Key) async -> Outcome
  ) {
    self.name = name
    self.queue = queue
    self.workers = max(1, workers)
    self.log = log.with("controller", name)
    self.reconcile = reconcile
  }

  /// Runs until it is cancelled; returns when what was begun has ended.
  public func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var running = 0
      while true {
        try Task.checkCancellation()
        if running == workers {
          try await group.next()
          running -= 1
        }
        guard let key = queue.take() else {
          try await queue.waitForChange()
          continue
        }
        running += 1
        group.addTask { await work(on: key) }
      }
    }
  }

  private func work(on key: Key) async {
    let outcome = await reconcile(key)
    queue.finish(key, outcome)
    let failures = queue.failureCount(key)
    switch outcome {
    case .retry(let reason):
      log.warning("reconciliation failed", ["key": key.description, "reason": reason, "failures": failures])
    case .conflicted where failures >= Self.notableConflicts:
      log.warning("others write what is reconciled", ["key": key.description, "conflicts": failures])
    case .done, .again, .conflicted: break
    }
  }
}
