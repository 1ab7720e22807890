import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import Operator
import Telemetry

/// A machine on which a controller runs, again and again.
final class ControllerProcess: @unchecked Sendable {
  let index: Int
  let clock: MachineClock
  /// Nothing passes between it and the API server.
  var isPartitioned = false
  /// The API server answers 401 to all that it asks.
  var isTokenExpired = false
  /// Gateways that it cannot reach.
  var unreachable: Set<String> = []
  private(set) var incarnation: Incarnation?
  private unowned let world: World
  private var dice: Dice
  private var starts = 0

  init(_ world: World, index: Int, dice: Dice) {
    self.world = world
    self.index = index
    self.dice = dice
    clock = MachineClock(world.time, bootedAt: .seconds(1000 * (index + 1)))
  }

  /// Starts a controller that knows nothing of earlier ones.
  func start() {
    starts += 1
    let incarnation = Incarnation(self, world, identity: "controller-\(index)-\(starts)")
    self.incarnation = incarnation
    let transport = ControllerTransport(world, incarnation, dice: Dice(seed: dice.next()))
    let gateways = GatewayNetwork(world, incarnation, dice: Dice(seed: dice.next()))
    let client = KubernetesClient(
      transport: PlantedTransport(transport, world.bug), clock: clock, jitter: { [self] in dice.fraction() })
    clock.monotonicFollowsWall = world.bug == .monotonicFollowsWall
    let controller = Operator(
      client: client, gateways: gateways,
      configuration: OperatorConfiguration(
        identity: incarnation.identity, leaderElection: world.bug != .noElection, seed: dice.next()),
      clock: clock)
    // One crash at some write early in its life: with many seeds, at every write.
    incarnation.writesToCrash = dice.chance(0.5) ? dice.int(1...40) : nil
    world.record.note("\(incarnation.identity) starts")
    incarnation.run(controller)
  }

  /// Starts the next one after a while.
  func restart() {
    incarnation = nil
    world.time.after(dice.duration(0.5...(world.faultsAreOn ? 20 : 3))) { [self] in start() }
  }
}

/// One run of a controller, from its start to its crash.
final class Incarnation: @unchecked Sendable {
  let identity: String
  unowned let process: ControllerProcess
  private unowned let world: World
  private(set) var isDead = false
  /// Writes until it crashes; nil: it does not.
  var writesToCrash: Int?
  var watches: [WatchConnection] = []
  /// Up to which resource version it knows InferenceServices, and since when.
  private(set) var knowledge: [(since: Duration, version: Int)] = []
  private var task: Task<Void, Never>?
  private var controller: Operator?
  private var isTold = false

  init(_ process: ControllerProcess, _ world: World, identity: String) {
    self.process = process
    self.world = world
    self.identity = identity
  }

  func run(_ controller: Operator) {
    self.controller = controller
    task = Task(executorPreference: world.executor) { [self] in
      do {
        try await controller.run()
        ended("without an error")
      } catch {
        ended("\(error)")
      }
    }
  }

  var rememberedServices: Int { controller?.rememberedServices ?? 0 }

  func countsDownToCrash() -> Bool {
    guard let left = writesToCrash else { return false }
    writesToCrash = left - 1
    return left == 1
  }

  /// Ends at once: nothing is sent from now on, and nothing is remembered.
  func crash(_ moment: String) {
    guard !isDead else { return }
    world.record.note("\(identity) crashes \(moment)")
    isDead = true
    task?.cancel()
    for watch in watches { watch.end(nil) }
    // Each holds on to the transport that made it, and that to this.
    watches = []
    if process.incarnation === self { process.restart() }
  }

  /// Ends as on SIGTERM: the Lease is given back first.
  func terminate() {
    world.record.note("\(identity) is told to end")
    isTold = true
    task?.cancel()
  }

  private func ended(_ words: String) {
    controller = nil
    if isTold, !isDead { return crash("as it was told to") }
    if !isDead { world.record.violate("\(identity) ended by itself: \(words)") }
  }

  /// It knows all InferenceServices up to this version.
  func learned(_ version: Int) {
    if let last = knowledge.last, last.version >= version { return }
    knowledge.append((world.time.elapsed, version))
    if knowledge.count > 400 { knowledge.removeFirst(200) }
  }

  /// What it knew at a moment at the latest; 0: nothing.
  func knownVersion(at moment: Duration) -> Int { knowledge.last { $0.since <= moment }?.version ?? 0 }
}
