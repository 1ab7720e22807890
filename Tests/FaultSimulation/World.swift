import FleetProtocol
import KubernetesAPI
import Telemetry

/// One cluster, from its first moment to its last, by one seed: two controllers, two gateways, users, and what goes wrong.
///
/// Nothing in it reads a clock, starts a thread or draws a number that the seed does not give: the same seed is the same run.
final class World: @unchecked Sendable {
  static let gatewayCount = 2
  let bug: PlantedBug?
  let time = VirtualTime()
  let executor: SimulatedExecutor
  let record: Record
  let api: APIServer
  private(set) lazy var judge = Judge(self)
  private(set) lazy var workloads = Workloads(self, dice: newDice())
  private(set) lazy var users = Users(self, dice: newDice())
  private(set) var gateways: [SimulatedGateway] = []
  private(set) var controllers: [ControllerProcess] = []
  private(set) var faultsAreOn = true
  private var faultsEndedAt: Duration = .zero
  /// Nothing that was slow by a fault is on its way any more.
  var isCalm: Bool { !faultsAreOn && time.elapsed - faultsEndedAt > .seconds(30) }
  let theme: Theme
  private var dice: Dice

  init(seed: UInt64, bug: PlantedBug? = nil, keepsLines: Bool = false) {
    self.bug = bug
    dice = Self.dice(seed)
    theme = Theme(&dice)
    executor = SimulatedExecutor(dice: Dice(seed: dice.next()))
    record = Record(time, keepsLines: keepsLines)
    api = APIServer(time, seed: dice.next())
    gateways = (0..<Self.gatewayCount).map { SimulatedGateway(self, index: $0, dice: newDice()) }
    controllers = (0..<2).map { ControllerProcess(self, index: $0, dice: newDice()) }
    api.onChange = { [unowned self] in
      judge.look()
      workloads.changed()
      for gateway in gateways { gateway.requestRefresh() }
    }
  }

  /// Neighbouring seeds must not be neighbouring worlds.
  private static func dice(_ seed: UInt64) -> Dice { Dice(seed: seed &* 0x9E37_79B9_7F4A_7C15) }

  /// What goes wrong most in the world of a seed.
  static func theme(_ seed: UInt64) -> Theme {
    var dice = dice(seed)
    return Theme(&dice)
  }

  private func newDice() -> Dice { Dice(seed: dice.next()) }

  // MARK: - A life

  /// Bounds, in virtual time. Half-open watches are found after 150 s, and a failed wake waits up to some minutes.
  private static let convergence: Duration = .seconds(900)
  private static let rest: Duration = .seconds(15)
  private static let cleanup: Duration = .seconds(400)

  func run() {
    begin()
    let faults = Faults(self, dice: newDice())
    faults.start()
    pass(dice.duration(theme.faultyTime))

    record.note("the faults end")
    users.stop()
    faultsAreOn = false
    faultsEndedAt = time.elapsed
    faults.heal()
    let settlement = Settlement(world: self)
    if let reason = pass(Self.convergence, until: { settlement.unsettled }) { record.violate("not settled: \(reason)") }
    stayAtRest()

    record.note("all services are deleted")
    users.deleteAll()
    if let reason = pass(Self.cleanup, until: { settlement.leftBehind }) { record.violate("not cleaned up: \(reason)") }
    end()
  }

  private func begin() {
    for name in ["default", ActivationLease.defaultNamespace] {
      api.apply(.namespaces, .create(KubernetesObject(.namespaces, ObjectKey(name: name))), as: "admin")
    }
    writeGatewaySlice()
    for gateway in gateways { gateway.start() }
    for process in controllers { process.start() }
    users.start()
  }

  /// A settled cluster in which nothing happens is not written to, but for the leader's Lease.
  private func stayAtRest() {
    // Half a minute in which nothing happens: some seeds are enough. With schedules and canaries there is no rest.
    guard record.violation == nil, dice.chance(0.3), !users.wantChanges else { return }
    // What was decided in the moment of settling is still on its way, and small changes of a status are put off.
    pass(.seconds(18))
    judge.isAtRest = true
    pass(Self.rest)
    judge.isAtRest = false
  }

  /// Ends all tasks: they would wait for ever.
  private func end() {
    for process in controllers { process.incarnation?.crash("because the simulation ends") }
    while executor.runNext() {}
    // Timers that were never due hold on to all of this.
    for gateway in gateways { gateway.endStreams() }
    time.clear()
  }

  // MARK: - Time

  private func pass(_ duration: Duration) { _ = pass(duration, until: { "" }) }

  /// Lets time pass until there is no reason any more. - Returns: the reason that was left.
  private func pass(_ limit: Duration, until reason: () -> String?) -> String? {
    let end = time.elapsed + limit
    var nextLook = time.elapsed
    while record.violation == nil {
      while executor.runNext() {}
      if time.elapsed >= nextLook {
        guard let left = reason() else { return nil }
        if time.elapsed >= end { return left }
        nextLook += .seconds(1)
      }
      guard time.fireNext() else { return "nothing happens any more" }
    }
    return nil
  }

  /// The EndpointSlice of the gateways' Service.
  func writeGatewaySlice() {
    let key = ObjectKey(namespace: ActivationLease.defaultNamespace, name: "pilotlight-gateway-1")
    var slice = KubernetesObject(.endpointSlices, key)
    slice.metadata.labels = ["kubernetes.io/service-name": "pilotlight-gateway"]
    slice.json["addressType"] = "IPv4"
    slice.json["ports"] = [["name": "admin", "port": 9090, "protocol": "TCP"]]
    slice.json["endpoints"] = .array(
      gateways.map { gateway in
        [
          "addresses": [.string(gateway.host)], "hostname": .string(gateway.name),
          "conditions": [
            "ready": .bool(gateway.isRunning), "serving": .bool(gateway.isRunning), "terminating": false,
          ],
        ]
      })
    let isThere = api.store.object(.endpointSlices, key) != nil
    api.apply(.endpointSlices, isThere ? .update(slice) : .create(slice), as: "admin")
  }
}
