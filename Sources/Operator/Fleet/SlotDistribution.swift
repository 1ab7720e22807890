import ControllerRuntime
import FleetProtocol
import Synchronization
import Telemetry

/// Tells the gateways how to share replicas' slots by demand: performs what ``SlotCoordinator`` decides.
final class SlotDistribution: Sendable {
  private let transport: any GatewayTransport
  private let clock: any ClockSource
  private let log: Log
  private let coordinator: Mutex<SlotCoordinator>
  private let wakeUps = Mutex<AsyncStream<Void>.Continuation?>(nil)

  /// Time between looks at a coordinator that is active, for what falls due without news.
  private static let tick: Duration = .milliseconds(100)

  init(transport: any GatewayTransport, clock: any ClockSource, log: Log) {
    self.transport = transport
    self.clock = clock
    self.log = log
    coordinator = Mutex(Self.begin(at: clock.now()))
  }

  /// Sets which gateways share slots: addresses of their admin ports by name.
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

  private static func begin(at now: Now) -> SlotCoordinator {
    SlotCoordinator(epoch: Int(now.wall.timeIntervalSince1970 * 1e6))
  }

  private func wakeUp() { wakeUps.withLock { _ = $0?.yield() } }

  /// Decides and sends until it is cancelled.
  /// - Parameter gateways: which share at this moment.
  func run(gateways: @Sendable () -> [String: String]) async throws {
    let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    wakeUps.withLock { $0 = signal }
    defer { wakeUps.withLock { $0 = nil } }
    // What an earlier time as leader left is not known any more.
    coordinator.withLock { $0 = Self.begin(at: clock.now()) }
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
        "http://\(send.address)\(SlotMessage.path)", try send.message.encoded(), timeout: SlotCoordinator.exchange)
      epoch = try SlotReply(body: answer).epoch
    } catch {
      if !Task.isCancelled { log.info("slots were not taken", ["gateway": send.address, "error": "\(error)"]) }
    }
    let now = clock.now().monotonic
    coordinator.withLock { $0.answered(send, epoch: epoch, now: now) }
    wakeUp()
  }
}
