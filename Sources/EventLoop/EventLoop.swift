import CLinux
import Glibc
import Synchronization
import Telemetry

import struct FoundationEssentials.Date

/// One thread that waits on epoll and runs everything that belongs to its sockets: timers, closures, and Swift tasks.
///
/// A connection's code is started with `Task(executorPreference: loop)` and then stays on the loop across every `await`;
/// an actor is pinned to it by naming it as its executor. State that lives on a loop needs no lock.
///
/// Cost (release): a closure or a resumed task on the loop itself is one array append; from another thread it is one lock
/// and, when the loop sleeps, one write to an eventfd.
///
/// `@unchecked Sendable`: `inbox` is behind a `Mutex`; `threadID` is atomic; all else is touched by the loop's thread only,
/// which `start` hands it to before that thread exists, and which `preconditionOnLoop` checks where it is reached.
public final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
  enum Work {
    /// A task that prefers this loop.
    case job(UnownedJob)
    /// A job of an actor pinned to this loop.
    case isolated(UnownedJob)
    case closure(@Sendable () -> Void)
  }

  private struct Inbox {
    var work: [Work] = []
    var isAwake = true
    var stops = false
    /// The thread is gone, after `stop`.
    var hasEnded = false
  }

  public let name: String
  let poller: Poller
  var wheel = TimerWheel<TimerAction>()
  /// Bytes just received, shared by all connections of the loop: valid until the next `await` or `receive`.
  public let receiveBuffer: UnsafeMutableBufferPointer<UInt8>
  /// Send buffers that no connection needs now.
  var spareBuffers: [[UInt8]] = []
  private var flushes: [ByteChannel] = []
  private var ready: [Work] = []
  private var batch: [Work] = []
  private var retries: [ByteChannel] = []
  private var postponed: [() -> Void] = []
  /// CLOCK_MONOTONIC in nanoseconds when the present turn began. Loop only; what the data path reckons with.
  public private(set) var nowNanoseconds: Int64
  private var wall: (unix: Double, at: Int64) = (0, .min)
  private let inbox = Mutex(Inbox())
  private let threadID = Atomic<Int32>(0)
  private let hasStarted = Atomic<Bool>(false)
  private let isolation = LoopIsolation()

  /// Bytes of the receive buffer: what one recv(2) can bring.
  static let receiveBufferBytes = 65_536

  /// - Parameter name: names the thread; the kernel keeps 15 bytes of it.
  public init(name: String) throws {
    self.name = name
    poller = try Poller()
    receiveBuffer = .allocate(capacity: Self.receiveBufferBytes)
    receiveBuffer.initialize(repeating: 0)
    nowNanoseconds = cl_monotonic()
    isolation.loop = self
  }

  deinit { receiveBuffer.deallocate() }

  /// Starts the thread. What was enqueued before runs first. Call once.
  public func start() {
    guard !hasStarted.exchange(true, ordering: .relaxed) else { return }
    startThread()
  }

  private func startThread() {
    var thread = pthread_t()
    let me = Unmanaged.passRetained(self).toOpaque()
    let result = pthread_create(&thread, nil, EventLoop.threadMain, me)
    precondition(result == 0, "pthread_create for loop '\(name)' failed: error \(result)")
    pthread_detach(thread)
  }

  private static let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
    guard let argument else { return nil }
    let loop = Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue()
    cl_block_sigpipe()
    cl_name_thread(loop.name)
    loop.run()
    return nil
  }

  /// Ends the thread, from any thread: every socket of the loop closes, sleeps and waits for sockets throw. Tasks that
  /// resume on the loop later find it so too: they run on a thread that lives just for that.
  public func stop() {
    let mustWake = inbox.withLock { inbox in
      inbox.stops = true
      defer { inbox.isAwake = true }
      return !inbox.isAwake
    }
    if mustWake { poller.wake() }
  }

  /// Whether the caller runs on the loop's thread. Compares kernel thread ids, which are right across `await`.
  public var isCurrent: Bool { threadID.load(ordering: .relaxed) == cl_thread_id() }

  func preconditionOnLoop() { precondition(isCurrent, "called off the thread of loop '\(name)'") }

  /// CLOCK_MONOTONIC. On the loop it is read once per batch of events, elsewhere on each call.
  public var now: Duration { .nanoseconds(isCurrent ? nowNanoseconds : cl_monotonic()) }

  /// The wall clock in seconds since 1970, as it was when the present turn began. Loop only.
  public var turnWallUnix: Double {
    if wall.at != nowNanoseconds { wall = (Date().timeIntervalSince1970, nowNanoseconds) }
    return wall.unix
  }

  /// The wall clock, read on each call.
  public var wallClock: Date { Date() }

  /// Runs `body` on the loop soon, never before this call returns. From any thread.
  public func execute(_ body: @escaping @Sendable () -> Void) { enqueue(.closure(body)) }

  /// Runs `body` after sockets have had their turn. Loop only.
  public func postpone(_ body: @escaping () -> Void) { postponed.append(body) }

  public func enqueue(_ job: consuming ExecutorJob) { enqueue(.job(UnownedJob(job))) }

  /// The executor that pins an actor to this loop: `unownedExecutor` of the actor returns it.
  ///
  /// It is another object than the loop, so that `enqueue` can tell an actor's job from that of a task that only prefers
  /// the loop: the runtime takes a plain task that runs "as" a serial executor to be in a foreign isolation, and would
  /// enqueue it again at every call of a nonisolated async function.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: isolation) }

  func enqueue(_ work: Work) {
    if isCurrent {
      ready.append(work)
      return
    }
    let (mustWake, mustRevive) = inbox.withLock { inbox in
      inbox.work.append(work)
      defer {
        inbox.isAwake = true
        inbox.hasEnded = false
      }
      return (!inbox.isAwake, inbox.hasEnded)
    }
    if mustRevive { startThread() } else if mustWake { poller.wake() }
  }

  public func checkIsolated() { preconditionOnLoop() }

  public func isIsolatingCurrentContext() -> Bool? { isCurrent }

  /// Sends what `channel` has queued when this turn of the loop ends, before it waits.
  func flushAtEndOfTurn(_ channel: ByteChannel) { flushes.append(channel) }

  /// Calls the channel's observer for input again in the next turn.
  func retryNextTurn(_ channel: ByteChannel) { retries.append(channel) }

  // MARK: The loop

  private func run() {
    threadID.store(cl_thread_id(), ordering: .relaxed)
    while true {
      // A few rounds, so that a task that hops between actors of this loop does not cost a poll per hop; not without
      // end, so that sockets get their turn.
      var rounds = 0
      repeat {
        runReadyWork()
        rounds += 1
      } while !ready.isEmpty && rounds < 8
      flushChannels()
      if !ready.isEmpty || !retries.isEmpty || !postponed.isEmpty {
        poll(timeout: 0)
        retryChannels()
        runPostponed()
        continue
      }
      let (stops, sleeps) = inbox.withLock { inbox in
        inbox.isAwake = !inbox.work.isEmpty
        return (inbox.stops, inbox.work.isEmpty)
      }
      if stops { break }
      poll(timeout: sleeps ? pollTimeout() : 0)
    }
    shutDown()
  }

  private func poll(timeout: Int32) {
    poller.wait(timeout: timeout)
    nowNanoseconds = cl_monotonic()
    poller.dispatch()
    while let action = wheel.advance(toNanoseconds: nowNanoseconds) { fire(action) }
  }

  private func runPostponed() {
    guard !postponed.isEmpty else { return }
    var due: [() -> Void] = []
    swap(&due, &postponed)
    for body in due { body() }
  }

  private func retryChannels() {
    var due: [ByteChannel] = []
    swap(&due, &retries)
    for channel in due { channel.retryInput() }
  }

  private func runReadyWork() {
    inbox.withLock { inbox in
      inbox.isAwake = true
      guard !inbox.work.isEmpty else { return }
      ready.append(contentsOf: inbox.work)
      inbox.work.removeAll(keepingCapacity: true)
    }
    swap(&batch, &ready)  // Two arrays take turns, so that a turn allocates nothing.
    for work in batch {
      switch work {
      case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
      case .isolated(let job):
        job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      case .closure(let body): body()
      }
    }
    batch.removeAll(keepingCapacity: true)
  }

  private func flushChannels() {
    var index = 0
    while index < flushes.count {
      flushes[index].flushAtTurnEnd()
      index += 1
    }
    flushes.removeAll(keepingCapacity: true)
  }

  private func pollTimeout() -> Int32 {
    guard let next = wheel.nextTick else { return -1 }
    // Rounded up: waking before the tick would only spin.
    return Int32(clamping: max(0, next - cl_monotonic() / 1_000_000))
  }

  /// Lets everything that waits on this loop see its end, then ends the thread. Bounded, as a task may go on for ever.
  private func shutDown() {
    poller.closeAll()
    var rounds = 0
    var hasEnded = false
    while !hasEnded {
      failAllTimers()
      runReadyWork()
      flushChannels()
      rounds += 1
      if !ready.isEmpty, rounds < 10_000 { continue }
      threadID.store(0, ordering: .relaxed)
      hasEnded = inbox.withLock { inbox in
        inbox.hasEnded = inbox.work.isEmpty
        return inbox.hasEnded
      }
      if !hasEnded { threadID.store(cl_thread_id(), ordering: .relaxed) }
    }
  }

  private func failAllTimers() {
    while let action = wheel.advance(toNanoseconds: .max) {
      if case .sleeper(let sleeper) = action { sleeper.cancel() }
    }
  }
}

/// The serial executor of one loop's actors. Passes everything on to the loop.
///
/// `@unchecked Sendable`: `loop` is set once, before anybody else has this object.
private final class LoopIsolation: SerialExecutor, @unchecked Sendable {
  unowned(unsafe) var loop: EventLoop?

  func enqueue(_ job: consuming ExecutorJob) { loop?.enqueue(.isolated(UnownedJob(job))) }

  func checkIsolated() { loop?.preconditionOnLoop() }

  func isIsolatingCurrentContext() -> Bool? { loop?.isCurrent }
}
