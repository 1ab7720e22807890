import Telemetry

/// The last writes before the Lease is given up.
enum HandOver {
  /// What they may take: well within the Lease.
  static let limit: Duration = .seconds(4)

  /// Runs `writes` to their end or to ``limit``.
  static func run(_ clock: any ClockSource, _ writes: @escaping @Sendable () async -> Void) async {
    // Not a child: the task that leads is cancelled by now, and the writes must still go out.
    await Task {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await writes() }
        group.addTask { try? await clock.sleep(for: limit) }
        await group.next()
        group.cancelAll()
      }
    }.value
  }
}
