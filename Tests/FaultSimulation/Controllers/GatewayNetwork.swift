import FleetProtocol
import Operator

/// The way from one start of a controller to the gateways' admin ports.
final class GatewayNetwork: GatewayTransport, @unchecked Sendable {
  private unowned let world: World
  private let incarnation: Incarnation
  private var dice: Dice

  struct Unreachable: Error {}

  init(_ world: World, _ incarnation: Incarnation, dice: Dice) {
    self.world = world
    self.incarnation = incarnation
    self.dice = dice
  }

  func open(_ path: String, at target: GatewayTarget) async throws -> AsyncThrowingStream<[UInt8], any Error> {
    try await world.time.sleep(for: dice.duration(0.001...0.02))
    guard !incarnation.isDead, let gateway = gateway(at: target) else { throw Unreachable() }
    return LoadLine.relay(gateway.open(), from: gateway, to: incarnation, world)
  }

  func put(_ path: String, _ body: [UInt8], at target: GatewayTarget, timeout: Duration) async throws -> [UInt8] {
    try await world.time.sleep(for: dice.duration(0.001...0.02))
    guard !incarnation.isDead, let gateway = gateway(at: target) else { throw Unreachable() }
    world.record.effect("\(incarnation.identity) PUT \(path) at \(gateway.name)", body)
    var message = try SlotMessage(body: body)
    if world.bug == .dealsJump { message = PlantedBug.atOnce(message) }
    let reply = gateway.take(message)
    try await world.time.sleep(for: dice.duration(0.001...0.02))
    if world.faultsAreOn, dice.chance(0.05) { throw Unreachable() }
    return try reply.encoded()
  }

  /// The gateway at an address, if it can be reached.
  private func gateway(at target: GatewayTarget) -> SimulatedGateway? {
    world.gateways.first {
      target.address == $0.address && $0.isRunning && !incarnation.process.unreachable.contains($0.name)
    }
  }
}

/// What passes from one gateway to one controller, line by line.
enum LoadLine {
  /// Passes lines on while the two can reach each other. Nothing passes while they cannot, and nobody is told; the first line
  /// after that finds the connection broken.
  static func relay(
    _ lines: AsyncThrowingStream<[UInt8], any Error>, from gateway: SimulatedGateway, to incarnation: Incarnation,
    _ world: World
  ) -> AsyncThrowingStream<[UInt8], any Error> {
    let source = LineSource(lines, gateway, incarnation, world)
    return AsyncThrowingStream { try await source.next() }
  }
}

/// `@unchecked Sendable`: one reader, on the simulation's one thread.
private final class LineSource: @unchecked Sendable {
  private var lines: AsyncThrowingStream<[UInt8], any Error>.AsyncIterator
  private let gateway: SimulatedGateway
  private let incarnation: Incarnation
  private unowned let world: World
  private var isBroken = false

  init(
    _ lines: AsyncThrowingStream<[UInt8], any Error>, _ gateway: SimulatedGateway, _ incarnation: Incarnation,
    _ world: World
  ) {
    self.lines = lines.makeAsyncIterator()
    self.gateway = gateway
    self.incarnation = incarnation
    self.world = world
  }

  func next() async throws -> [UInt8]? {
    while let line = try await lines.next(isolation: #isolation) {
      if incarnation.isDead { return nil }
      if incarnation.process.unreachable.contains(gateway.name) {
        isBroken = true
        guard world.bug == .silenceIsZero else { continue }
        return gateway.load.emptyLine
      }
      if isBroken { throw GatewayNetwork.Unreachable() }
      world.judge.heard(gateway, incarnation)
      return world.bug == .drainsAreNotWaitedFor ? PlantedBug.withoutRequests(line) : line
    }
    return nil
  }
}
