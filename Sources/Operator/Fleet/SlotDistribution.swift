import ControllerRuntime
import FleetProtocol
import Synchronization
import Telemetry

/// Tells the gateways how to share replicas' slots by demand: performs what ``SlotCoordinator`` decides.
final class SlotDistribution: Sendable {
  private let transport: any GatewayTransport
  private let clock: any ClockSource
  private let log: Log
  private let target: @Sendable (String) -> GatewayTarget
  private let coordinator: Mutex<SlotCoordinator>
  private let marks: Mutex<SeededGenerator>
  private let wakeUps = Mutex<AsyncStream<Void>.Continuation?>(nil)

  /// Time between looks at a coordinator that is active, for what falls due without news.
  private static let tick: Duration = .milliseconds(100)

  /// - Parameters:
  ///   - target: how to talk to the gateway at an address, at this moment.
  ///   - seed: of the marks that tell leaders apart.
  init(
    transport: any GatewayTransport, clock: any ClockSource, log: Log,
    target: @escaping @Sendable (String) -> GatewayTarget, seed: UInt64 = .random(in: 0 ... .max)
  ) {
    self.target = target
    self.transport = transport
    self.clock = clock
    self.log = log
    var marks = SeededGenerator(seed: seed)
    coordinator = Mutex(Self.begin(at: clock.now(), mark: marks.next()))
    self.marks = Mutex(marks)
  }

  /// Sets which gateways share slots: their addresses by name.
  func setGateways(_ addresses: [String: String]) {
    coordinator.withLock { $0.setGateways(addresses) }
    wakeUp()
  }

  /// Takes what a gateway says of its load.
  func heard(_ snapshot: LoadSnapshot, from address: String) {
    let now = clock.now().monotonic
    let isActive = coordinator.withLock { coordinator in
      coordinator.heard(snapshot, from: address, now: now)
      return coordinator.isActive
    }
    if isActive { wakeUp() }
  }

  private static func begin(at now: Now, mark: UInt64) -> SlotCoordinator {
    SlotCoordinator(milliseconds: Int(now.wall.timeIntervalSince1970 * 1000), mark: Int(truncatingIfNeeded: mark))
  }

  private func wakeUp() { wakeUps.withLock { _ = $0?.yield() } }

  /// Decides and sends until it is cancelled.
  /// - Parameter gateways: which share at this moment.
  func run(gateways: @Sendable () -> [String: String]) async throws {
    let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    wakeUps.withLock { $0 = signal }
    defer { wakeUps.withLock { $0 = nil } }
    // What an earlier time as leader left is not known any more.
    let mark = marks.withLock { $0.next() }
    coordinator.withLock { $0 = Self.begin(at: clock.now(), mark: mark) }
    setGateways(gateways())
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { try await self.keepTicking() }
      // A gateway gets one message at a time: there are never more tasks than gateways.
      for await _ in signals {
        let now = clock.now().monotonic
        for send in coordinator.withLock({ $0.step(now: now) }) { group.addTask { await self.perform(send) } }
      }
      try Task.checkCancellation()
    }
  }

  private func keepTicking() async throws {
    while true {
      try await clock.sleep(for: Self.tick)
      if coordinator.withLock({ $0.isActive }) { wakeUp() }
    }
  }

  private func perform(_ send: SlotCoordinator.Send) async {
    var epoch: Int?
    do {
      let answer = try await transport.put(
        SlotMessage.path, try send.message.encoded(), at: target(send.address), timeout: SlotCoordinator.exchange)
      epoch = try SlotReply(body: answer).epoch
    } catch {
      if !Task.isCancelled { log.info("slots were not taken", ["gateway": send.address, "error": "\(error)"]) }
    }
    let now = clock.now().monotonic
    coordinator.withLock { $0.answered(send, epoch: epoch, now: now) }
    wakeUp()
  }
}
