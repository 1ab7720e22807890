import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// Runs something in one process of several at a time: the one that holds a Lease.
public final class LeaderElection: Sendable {
  private let client: KubernetesClient
  private let configuration: LeaderElectionMachine.Configuration
  private let clock: any ClockSource
  private let log: Log
  private let machine: Mutex<LeaderElectionMachine>

  /// - Parameter seed: of the jitter.
  public init(
    client: KubernetesClient, configuration: LeaderElectionMachine.Configuration, clock: any ClockSource,
    log: Log = .discarding, seed: UInt64 = .random(in: 0...UInt64.max)
  ) {
    // A renewal has a deadline of its own: it does not wait for a server that asks for patience.
    self.client = client.with(retry: .never)
    self.configuration = configuration
    self.clock = clock
    self.log = log.with("lease", configuration.lease.description)
    machine = Mutex(LeaderElectionMachine(configuration: configuration, seed: seed))
  }

  /// Whether this process leads now.
  public var isLeader: Bool { machine.withLock { $0.isLeader } }

  /// When a write that begins now may be sent and answered; nil: this process does not lead.
  var writeWindow: KubernetesRequest.SendWindow? {
    let now = clock.now().monotonic
    return machine.withLock { $0.writeWindow(now: now) }.map { .init(sendBefore: $0, answerBefore: $1) }
  }

  /// Campaigns; runs `lead` while it leads; cancels `lead` when the Lease is lost, waits for its end, and campaigns again.
  ///
  /// Returns when `lead` returns, throws what it throws, and `CancellationError` when cancelled; the Lease is given back in all
  /// three cases.
  public func run(whileLeading lead: @escaping @Sendable () async throws -> Void) async throws {
    do {
      while true {
        try await step(from: .tick, until: .startLeading)
        log.info("leading", ["identity": configuration.identity])
        if try await leadUntilLost(lead) { break }
        log.warning("lost the lease", ["identity": configuration.identity])
      }
    } catch {
      await release()
      throw error
    }
    await release()
  }

  /// - Returns: true when `lead` ended by itself, false when the Lease was lost.
  private func leadUntilLost(_ lead: @escaping @Sendable () async throws -> Void) async throws -> Bool {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await lead()
        return true
      }
      group.addTask {
        try await self.clock.sleep(for: self.configuration.retryPeriod)
        try await self.step(from: .tick, until: .stopLeading)
        return false
      }
      let leadEnded = try await group.next() ?? true
      group.cancelAll()
      if leadEnded { return true }
      // Lost: whatever `lead` says about its cancellation, only its end matters.
      while let result = await group.nextResult() { _ = result }
      try Task.checkCancellation()
      return false
    }
  }

  /// Steps the machine until it has the wanted effect.
  private func step(from first: LeaderElectionMachine.Event, until wanted: LeaderElectionMachine.Effect) async throws {
    var event = first
    while true {
      try Task.checkCancellation()
      let now = clock.now()
      let effects = machine.withLock { $0.handle(event, now: now) }
      if effects.contains(wanted) { return }
      event = .tick
      for effect in effects {
        switch effect {
        case .wait(let delay): try await clock.sleep(for: delay)
        case .read, .create, .replace: event = try await perform(effect)
        case .startLeading, .stopLeading, .stopped: break
        }
      }
    }
  }

  private func release() async {
    let now = clock.now()
    let effects = machine.withLock { $0.handle(.stop, now: now) }
    guard let write = effects.last, case .replace = write else { return }
    // Not a child: the task is cancelled by now, and the request must still go out.
    let event = await Task { try await self.perform(write) }.result
    _ = machine.withLock { $0.handle((try? event.get()) ?? .failed, now: now) }
    log.info("released the lease")
  }

  private func perform(_ effect: LeaderElectionMachine.Effect) async throws -> LeaderElectionMachine.Event {
    let patience = max(.milliseconds(1), machine.withLock { $0.deadline } - clock.now().monotonic)
    return try await withThrowingTaskGroup(of: LeaderElectionMachine.Event.self) { group in
      group.addTask { try await self.request(effect) }
      group.addTask {
        try await self.clock.sleep(for: patience)
        return .failed
      }
      defer { group.cancelAll() }
      return try await group.next() ?? .failed
    }
  }

  private func request(_ effect: LeaderElectionMachine.Effect) async throws -> LeaderElectionMachine.Event {
    do {
      switch effect {
      case .read: return .read(try await client.find(.leases, configuration.lease).map(Lease.init))
      case .create(let lease): return .written(Lease(try await client.create(.leases, lease.object)))
      case .replace(let lease): return .written(Lease(try await client.replace(.leases, lease.object)))
      default: return .failed
      }
    } catch let error as CancellationError {
      throw error
    } catch let status as KubernetesStatus where status.code == 409 || status.isNotFound {
      return .conflicted
    } catch {
      log.warning("lease request failed", ["error": String(describing: error)])
      return .failed
    }
  }
}
