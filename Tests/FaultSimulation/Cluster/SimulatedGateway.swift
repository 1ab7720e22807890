import FleetProtocol
import FoundationEssentials
import InferenceAPI
import KubernetesAPI

/// A gateway as far as a controller meets it: holds and places requests, keeps to drains, tells its load, writes Leases.
final class SimulatedGateway: @unchecked Sendable {
  let name: String
  let host: String
  let load: GatewayLoad
  let slots: GatewaySlots
  /// Its process runs.
  private(set) var isRunning = true
  /// It hears nothing of the API server, and cannot write to it.
  var isCutFromAPI = false { didSet { if oldValue && !isCutFromAPI { requestRefresh() } } }
  private unowned let world: World
  private var dice: Dice
  private var view: [ObjectKey: GatewayRoute] = [:]
  private var isRefreshing = false
  private var leases: ActivationLeases
  private var streams: [Int: AsyncThrowingStream<[UInt8], any Error>.Continuation] = [:]
  private var nextStream = 0

  init(_ world: World, index: Int, dice: Dice) {
    self.world = world
    self.dice = dice
    name = "gateway-\(index)"
    host = "10.0.0.\(index + 1)"
    load = GatewayLoad(gateway: name, world.time)
    slots = GatewaySlots(world.time, index: index, count: World.gatewayCount)
    leases = ActivationLeases(world, holder: name, dice: Dice(seed: self.dice.next()))
  }

  var address: String { "\(host):9090" }
  var held: Int { view.keys.reduce(0) { $0 + load.held(of: $1) } }

  func start() {
    requestRefresh()
    tick()
  }

  // MARK: - The cluster, as it knows it

  /// Something in the cluster changed: it will see it in a moment.
  func requestRefresh() {
    guard !isRefreshing, !isCutFromAPI else { return }
    isRefreshing = true
    let isSlow = world.faultsAreOn && dice.chance(0.03)
    world.time.after(dice.duration(isSlow ? 1...8 : 0.002...0.1)) { [self] in
      isRefreshing = false
      if !isCutFromAPI { refresh() }
    }
  }

  private func refresh() {
    var view: [ObjectKey: GatewayRoute] = [:]
    for service in world.api.store.objects(InferenceService.resourceType) {
      view[service.key] = GatewayRoute(service, pods: world.workloads.pods(of: service.key), wall: world.time.wall)
    }
    self.view = view
    var isNews = false
    for key in load.services where view[key] == nil { load.refuse(key) }
    for (key, route) in view.sorted(by: { $0.key < $1.key }) {
      if load.sawDrain(route.drainEpoch, of: key) { isNews = true }
      if route.isRefused { load.refuse(key) }
      place(key)
    }
    if isNews { tell() }
  }

  // MARK: - Requests

  /// A request arrives; it lasts so long once it is placed.
  func take(_ key: ObjectKey, lasting duration: Duration, patience: Duration?) {
    guard isRunning, let route = view[key], !route.isRefused else { return }
    let id = load.hold(key, lasting: duration)
    place(key)
    guard load.isHeld(id, of: key) else { return }
    world.record.note("\(name) holds \(id) of \(key)")
    if load.held(of: key) == 1 { tell() }
    leases.want(key, isCut: { [self] in isCutFromAPI }, isHeld: { [self] in load.held(of: key) > 0 })
    if let patience { world.time.after(patience) { [self] in load.giveUp(id, of: key) } }
    world.time.after(GatewayRoute.maxWait) { [self] in
      guard load.isHeld(id, of: key) else { return }
      judgeWait(key)
      load.giveUp(id, of: key)
    }
  }

  /// Nobody waits in vain, once all is well, unless for a wake that failed: a controller whose clock is wrong may name a next
  /// attempt that to a gateway has passed.
  private func judgeWait(_ key: ObjectKey) {
    guard !world.faultsAreOn, let service = world.api.store.object(InferenceService.resourceType, key),
      !Settlement.lastWakeFailed(service)
    else { return }
    world.record.violate("\(name) held a request of \(key) for \(GatewayRoute.maxWait), and it was not woken")
  }

  /// Sends held requests to replicas that have room.
  private func place(_ key: ObjectKey) {
    guard isRunning, let route = view[key] else { return }
    for pod in route.pods {
      while load.held(of: key) > 0, load.inFlight(at: pod) < slots.slots(of: key, at: pod) {
        guard world.workloads.isReachable(pod) else { break }
        let (id, duration) = load.place(key, at: pod)
        world.record.note("\(name) places \(id) of \(key) at \(pod)")
        world.judge.placed(at: pod)
        world.time.after(duration) { [self] in
          load.end(id, at: pod)
          place(key)
        }
      }
    }
  }

  /// The pod is gone, and its requests with it.
  func lose(_ pod: String) { load.lose(pod) }

  // MARK: - The load stream

  func open() -> AsyncThrowingStream<[UInt8], any Error> {
    let (body, sink) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    let id = nextStream
    nextStream += 1
    streams[id] = sink
    sink.onTermination = { [self] _ in streams[id] = nil }
    sink.yield(load.line(isFirst: true, slotReport))
    return body
  }

  private func tick() {
    world.time.after(.seconds(1)) { [self] in
      // A deal may have run out.
      for key in load.services where load.held(of: key) > 0 { place(key) }
      tell()
      tick()
    }
  }

  private func tell() {
    guard isRunning, !streams.isEmpty else { return }
    let line = load.line(isFirst: false, slotReport)
    for id in streams.keys.sorted() { streams[id]?.yield(line) }
  }

  // MARK: - Slots

  private func slotReport(_ key: ObjectKey) -> GatewaySlots.Report? {
    view[key].map { slots.report(of: key, pods: $0.pods, inFlight: load.inFlightByPod(of: key)) }
  }

  /// The leader deals the slots.
  func take(_ message: SlotMessage) -> SlotReply {
    let changed = slots.take(message)
    for key in changed {
      load.slotsChanged(of: key)
      place(key)
    }
    if !changed.isEmpty { tell() }
    return slots.reply
  }

  // MARK: - Restarts

  func stop() {
    world.record.note("\(name) ends")
    isRunning = false
    load.restart()
    slots.restart()
    world.judge.slotsAreUnsure()
    endStreams()
  }

  func endStreams() {
    for id in streams.keys.sorted() { streams[id]?.finish(throwing: GatewayNetwork.Unreachable()) }
    streams = [:]
  }

  func run() {
    world.record.note("\(name) runs again")
    isRunning = true
    requestRefresh()
  }
}

/// What a gateway knows of one service.
struct GatewayRoute {
  /// `queue.maxWait`. Longer than it takes to find out that a connection is dead, and to wake.
  static let maxWait: Duration = .seconds(400)

  /// UIDs of replicas that take requests.
  var pods: [String]
  var drainEpoch: Int
  /// Suspended, or waiting for the next attempt after a failed wake.
  var isRefused: Bool

  init(_ service: KubernetesObject, pods: [Pod], wall: Date) {
    let draining = Set((service.status["drain"]?["pods"]?.arrayValue ?? []).compactMap(\.stringValue))
    self.pods = pods.filter { $0.isReady && !$0.isTerminating && !draining.contains($0.uid) }.map(\.uid)
    drainEpoch = service.status["drain"]?["epoch"]?.intValue ?? 0
    isRefused = service.spec["suspend"]?.boolValue == true || Self.isBackingOff(service, wall)
  }

  /// After a failed wake nobody is held before the next attempt, and some reasons no wait mends.
  private static func isBackingOff(_ service: KubernetesObject, _ wall: Date) -> Bool {
    guard let ready = service.condition("Ready"), ready.status == "False",
      service.status["observedGeneration"]?.intValue == service.metadata.generation
    else { return false }
    let next = service.status["lastDecision"]?["inputs"]?["nextAttempt"]?.stringValue.flatMap(Timestamp.parse)
    if ready.reason == "NoCapacity" { return true }
    return next.map { $0 > wall } ?? (ready.reason == "CrashLoopBackOff")
  }
}
