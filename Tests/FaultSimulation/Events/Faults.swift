import FleetProtocol
import Telemetry

/// What goes wrong with machines and connections, at random times. What goes wrong with single requests is drawn where they
/// are sent.
final class Faults: @unchecked Sendable {
  private unowned let world: World
  private var dice: Dice

  init(_ world: World, dice: Dice) {
    self.world = world
    self.dice = dice
  }

  func start() {
    strikeLater()
    if world.theme == .silence { waitForSilence() }
  }

  /// Cuts a gateway off from all controllers, once a burst replica is there, and ends all calls.
  private func waitForSilence() {
    world.time.after(.seconds(1)) { [self] in
      guard world.faultsAreOn else { return }
      guard world.time.elapsed > .seconds(4), world.workloads.hasReadyBurst else { return waitForSilence() }
      let gateway = dice.pick(world.gateways)
      let length = dice.duration(36...42)
      world.users.stop()
      for process in world.controllers { cut(process, from: gateway, for: length) }
    }
  }

  private func strikeLater() {
    world.time.after(dice.duration(world.theme.pause)) { [self] in
      guard world.faultsAreOn else { return }
      strike()
      strikeLater()
    }
  }

  private func strike() {
    let process = dice.pick(world.controllers)
    let gateway = dice.pick(world.gateways)
    switch dice.int(0...12) {
    case 0: process.incarnation?.crash("for no reason")
    case 1: process.incarnation?.terminate()
    case 2: partition(process)
    case 3, 4: cut(process, from: gateway, for: dice.duration(2...60))
    case 5: cutFromAPI(gateway)
    case 6: restart(gateway)
    case 7: breakWatches(of: process)
    case 8: world.api.compact()
    case 9: process.clock.wallError = jump()
    case 10: gateway.load.wallError = jump()
    case 11: expireToken(of: process)
    default: if dice.chance(0.3) { removeDefinition() }
    }
  }

  private func note(_ words: String) { world.record.note("fault: \(words)") }

  private func jump() -> Duration {
    let error = Duration.seconds(dice.int(-3600...3600))
    note("a wall clock is wrong by \(error)")
    return error
  }

  private func partition(_ process: ControllerProcess) {
    note("controller \(process.index) loses the API server")
    process.isPartitioned = true
    let watches = process.incarnation?.watches ?? []
    for watch in watches { watch.isHalfOpen = true }
    world.time.after(dice.duration(1...40)) { [self] in
      note("controller \(process.index) has the API server again")
      process.isPartitioned = false
    }
  }

  private func cut(_ process: ControllerProcess, from gateway: SimulatedGateway, for length: Duration) {
    note("controller \(process.index) loses \(gateway.name)")
    process.unreachable.insert(gateway.name)
    world.time.after(length) { [self] in
      note("controller \(process.index) has \(gateway.name) again")
      process.unreachable.remove(gateway.name)
    }
  }

  /// The API server does not take it any more until the controller has read the next one.
  private func expireToken(of process: ControllerProcess) {
    note("the token of controller \(process.index) expires")
    process.isTokenExpired = true
    world.time.after(dice.duration(0.5...20)) { [self] in
      note("controller \(process.index) has a new token")
      process.isTokenExpired = false
    }
  }

  private func cutFromAPI(_ gateway: SimulatedGateway) {
    note("\(gateway.name) loses the API server")
    gateway.isCutFromAPI = true
    world.time.after(dice.duration(1...30)) { gateway.isCutFromAPI = false }
  }

  private func restart(_ gateway: SimulatedGateway) {
    guard gateway.isRunning else { return }
    gateway.stop()
    world.time.after(dice.duration(0...2)) { [self] in world.writeGatewaySlice() }
    world.time.after(dice.duration(1...15)) { [self] in
      gateway.run()
      world.writeGatewaySlice()
    }
  }

  private func breakWatches(of process: ControllerProcess) {
    let watches = process.incarnation?.watches ?? []
    guard !watches.isEmpty else { return }
    let watch = dice.pick(watches)
    switch dice.int(0...2) {
    case 0:
      note("watches of controller \(process.index) break")
      for watch in watches { watch.breakOff() }
    case 1:
      note("a watch of controller \(process.index) is half-open")
      watch.isHalfOpen = true
    default:
      note("a watch of controller \(process.index) is late")
      watch.stalledUntil = world.time.elapsed + dice.duration(1...20)
    }
  }

  private func removeDefinition() {
    guard world.api.hasDefinition else { return }
    note("the CustomResourceDefinition goes, and all services with it")
    world.users.deleteAll()
    world.api.hasDefinition = false
    for process in world.controllers {
      for watch in process.incarnation?.watches ?? [] { watch.breakOff() }
    }
    world.time.after(dice.duration(2...20)) { [self] in
      note("the CustomResourceDefinition is back")
      world.api.hasDefinition = true
    }
  }

  /// Nothing is wrong any more, but for clocks, and for a connection here and there that only time shows to be dead.
  func heal() {
    for process in world.controllers {
      process.isPartitioned = false
      process.isTokenExpired = false
      process.unreachable = []
      process.incarnation?.writesToCrash = nil
      let trustsTheDead = dice.chance(0.15)
      for watch in process.incarnation?.watches ?? [] where watch.isHalfOpen && !trustsTheDead { watch.breakOff() }
    }
    for gateway in world.gateways {
      gateway.isCutFromAPI = false
      if !gateway.isRunning { gateway.run() }
    }
    world.api.hasDefinition = true
    world.writeGatewaySlice()
  }
}
