import CSwiftRuntime

/// Runs every job of a simulation on the one thread that asks for it, in an order that the seed repeats.
///
/// Any order of jobs that are runnable at the same time is one that a real machine could have chosen: choosing at random
/// explores interleavings.
///
/// `@unchecked Sendable`, as all of the simulation's objects: only that one thread ever touches them. Tasks prefer this
/// executor, child tasks inherit the preference, and what leaves it (an unstructured `Task`) is brought back by the runtime's
/// hook for jobs of the global executor.
final class SimulatedExecutor: TaskExecutor, @unchecked Sendable {
  private var runnable: [UnownedJob] = []
  private var dice: Dice

  init(dice: Dice) {
    self.dice = dice
    Self.current = self
  }

  func enqueue(_ job: consuming ExecutorJob) { runnable.append(UnownedJob(job)) }

  /// Runs one job up to its next suspension; false when there is none.
  func runNext() -> Bool {
    guard !runnable.isEmpty else { return false }
    let index = runnable.count == 1 ? 0 : dice.int(0...runnable.count - 1)
    let job = runnable.remove(at: index)
    job.runSynchronously(on: asUnownedTaskExecutor())
    return true
  }

  // MARK: - Jobs that would leave

  nonisolated(unsafe) private static var current: SimulatedExecutor?

  private typealias Original = @convention(thin) (UnownedJob) -> Void
  private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

  /// Makes the runtime hand jobs of the global executor to the simulation of now (`swift_task_enqueueGlobal_hook`, the
  /// runtime's own switch for this).
  static func catchEscapingJobs() {
    let hook: Hook = { job, _ in SimulatedExecutor.current?.runnable.append(job) }
    cs_enqueue_global_hook().pointee = unsafeBitCast(hook, to: UnsafeMutableRawPointer.self)
  }
}
