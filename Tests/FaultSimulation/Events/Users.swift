import InferenceAPI
import KubernetesAPI
import ObjectStore
import Telemetry

/// The owners of services, and their callers.
final class Users: @unchecked Sendable {
  private unowned let world: World
  private var dice: Dice
  private let names: [ObjectKey]
  private var isActive = true

  init(_ world: World, dice: Dice) {
    self.world = world
    self.dice = dice
    let count = self.dice.chance(0.3) ? 2 : 1
    names = (1...count).map { ObjectKey(namespace: "default", name: "model-\($0)") }
  }

  func start() {
    for name in names {
      create(name)
      callLater(name)
    }
    editLater()
  }

  /// From now on nobody does anything.
  func stop() { isActive = false }

  /// What is wanted of a service changes with time: a schedule begins or ends, a canary takes its next step.
  var wantChanges: Bool {
    names.contains { name in world.judge.specs.latest(name).map { $0.schedule != nil || $0.hasCanary } ?? false }
  }

  // MARK: - Owners

  private var present: [ObjectKey] { names.filter { world.api.store.object(InferenceService.resourceType, $0) != nil } }

  private func editLater() {
    world.time.after(dice.duration(2...11)) { [self] in
      guard isActive else { return }
      let name = dice.pick(names)
      if world.api.store.object(InferenceService.resourceType, name) == nil {
        create(name)
      } else if dice.chance(0.15) {
        delete(name)
      } else {
        edit(name)
      }
      editLater()
    }
  }

  private func create(_ name: ObjectKey) {
    guard world.api.hasDefinition else { return }
    var service = KubernetesObject(InferenceService.resourceType, name)
    let wish = drawWish()
    service.spec = spec(wish, image: "stub:\(dice.int(1...3))")
    write(.create(service), name, wish)
  }

  private func edit(_ name: ObjectKey) {
    guard world.api.hasDefinition, let old = world.judge.specs.latest(name) else { return }
    var wish = old
    var change: JSONValue = [:]
    switch old.hasCanary && dice.chance(0.5) ? 3 : dice.int(0...4) {
    case 0: wish.dedicated = dice.int(0...2)
    case 1: wish.maxBurst = dice.int(0...3)
    case 2: wish.isSuspended.toggle()
    case 3: change["template"] = template(image: "stub:\(dice.int(1...3))")
    default: wish.drainTimeout = .seconds(dice.int(5...20))
    }
    for (member, value) in bounds(wish).objectValue ?? [:] { change[member] = value }
    write(.mergePatch(name, ["spec": change]), name, wish)
  }

  private func delete(_ name: ObjectKey) { write(.delete(name, DeleteOptions()), name, nil) }

  /// All services go.
  func deleteAll() { for name in present { delete(name) } }

  private func write(_ action: ObjectOperation.Action, _ name: ObjectKey, _ wish: OwnersWish?) {
    world.record.note("a user wants \(name) to be \(wish?.description ?? "gone")")
    let result = world.api.apply(InferenceService.resourceType, action, as: "user")
    if case .failure(let status) = result {
      // The model must not differ from the store: this is a fault of the simulation.
      world.record.violate("the API server refused a user: \(status.message)")
    }
    world.judge.specs.set(wish, of: name, from: world.api.store.resourceVersion)
  }

  private func drawWish() -> OwnersWish {
    switch world.theme {
    case .silence:
      // Idle, then drained, and no sooner gone than the silence counts.
      return OwnersWish(maxBurst: dice.int(1...2), drainTimeout: .seconds(dice.int(18...20)))
    case .streams: return OwnersWish(maxBurst: 3, drainTimeout: .seconds(dice.int(5...20)))
    case .mixed, .contention:
      var wish = OwnersWish(
        dedicated: dice.chance(0.3) ? dice.int(1...2) : 0, maxBurst: dice.chance(0.1) ? 0 : dice.int(1...3),
        drainTimeout: .seconds(dice.int(5...20)))
      if dice.chance(0.15) { wish.schedule = drawSchedule() }
      wish.hasCanary = dice.chance(0.15)
      return wish
    }
  }

  /// One that begins or ends about now, give or take an hour: simulated lives begin at 15:06:40.
  private func drawSchedule() -> DailySchedule {
    let start = dice.chance(0.5) ? 15 * 60 + dice.int(7...8) : dice.int(14 * 60...15 * 60)
    return DailySchedule(start: start, end: start + dice.int(1...80), replicas: dice.int(1...2))
  }

  private func bounds(_ wish: OwnersWish) -> JSONValue {
    [
      "suspend": .bool(wish.isSuspended), "dedicated": dedicated(wish),
      "burst": ["maxReplicas": JSONValue(wish.maxBurst)],
      "timeouts": ["drain": .string("\(wish.drainTimeout.components.seconds)s")],
    ]
  }

  private func dedicated(_ wish: OwnersWish) -> JSONValue {
    var dedicated: JSONValue = ["replicas": JSONValue(wish.dedicated)]
    if let schedule = wish.schedule { dedicated["schedules"] = [schedule.spec] }
    return dedicated
  }

  private func spec(_ wish: OwnersWish, image: String) -> JSONValue {
    var spec = bounds(wish)
    spec["template"] = template(image: image)
    spec["scaling"] = [
      "target": JSONValue(world.theme == .streams ? 1 : dice.int(1...3)), "stableWindow": "6s", "panicWindow": "2s",
      "maxConcurrency": JSONValue(GatewaySlots.limit),
      "scaleDownDelay": .string("\(dice.int(1...4))s"),
    ]
    if world.theme != .silence && dice.chance(0.2) {
      // A wake is so cheap that none is planned ahead: nobody is woken in a cluster that is to be at rest.
      spec[path: ["burst", "sleepAfter"]] = "Auto"
      spec[path: ["scaling", "mode"]] = "Predictive"
      spec["economics"] = ["waitingHourlyPrice": "1", "burst": ["hourlyPrice": "3"]]
    } else {
      spec[path: ["burst", "sleepAfter"]] = .string("\(dice.int(world.theme == .silence ? 8...10 : 4...12))s")
    }
    if wish.hasCanary {
      spec["rollout"] = [
        "strategy": "Canary",
        "steps": [
          ["trafficPercent": 20, "pause": "4s"], ["trafficPercent": JSONValue(dice.int(50...100)), "pause": "6s"],
        ],
      ]
    }
    spec[path: ["timeouts", "startup"]] = .string("\(dice.int(15...30))s")
    return spec
  }

  private func template(image: String) -> JSONValue {
    [
      "spec": [
        "containers": [
          ["name": "model", "image": .string(image), "ports": [["name": "http", "containerPort": 8000]]]
        ]
      ]
    ]
  }

  // MARK: - Callers

  /// Bursts of requests, with pauses that are long enough to fall asleep in.
  private func callLater(_ name: ObjectKey) {
    world.time.after(dice.duration(dice.chance(0.4) ? 5...22 : 0.2...3)) { [self] in
      guard isActive else { return }
      let lasts = world.theme == .streams
      let door = lasts && dice.chance(0.7) ? dice.pick(world.gateways) : nil
      for _ in 0..<dice.int(lasts ? 3...7 : 1...4) {
        let duration = dice.duration(dice.chance(lasts ? 0.3 : 0.1) ? 10...30 : 0.2...6)
        let patience = dice.chance(0.2) ? dice.duration(0.5...10) : nil
        (door ?? dice.pick(world.gateways)).take(name, lasting: duration, patience: patience)
      }
      callLater(name)
    }
  }
}
