import Decisions
import FleetProtocol
import KubernetesAPI
import Telemetry

/// What all gateways say about all services, as a value: the last word of each gateway, and the meters made of them.
struct LoadBoard {
  private struct Gateway {
    /// In the EndpointSlices a traffic-taking endpoint; one that never was and cannot be read is waited for by nobody.
    var isExpected: Bool
    var isConnected = false
    var lastSnapshot: Duration?
    var bootID = ""
    /// Services with anything held or in flight here: those whose absence from a snapshot is news.
    var busy: Set<ObjectKey> = []
    var services: [ObjectKey: ServiceLoad] = [:]

    func isReadable(now: Duration) -> Bool {
      guard isConnected, let lastSnapshot else { return false }
      return now - lastSnapshot <= LoadBoard.silence
    }
  }

  /// A gateway whose last snapshot is older cannot be read; it sends one each second.
  static let silence: Duration = .seconds(5)

  /// By address: what a gateway says of itself is not its identity.
  private var gateways: [String: Gateway] = [:]
  private var meters: [ObjectKey: LoadMeter] = [:]
  /// Of services that have, or had, a canary.
  private var answers: [ObjectKey: AnswerMeter] = [:]

  /// Sets which gateways there are, by address; those left out have left, and their requests with them.
  /// - Returns: the services whose load changed by it.
  mutating func setGateways(_ present: [String: Bool]) -> Set<ObjectKey> {
    var changed: Set<ObjectKey> = []
    for address in gateways.keys where present[address] == nil {
      for key in gateways[address]?.services.keys.map({ $0 }) ?? [] {
        meters[key]?.remove(gateway: address)
        answers[key]?.remove(gateway: address)
        changed.insert(key)
      }
      gateways[address] = nil
    }
    for (address, isExpected) in present {
      gateways[address, default: Gateway(isExpected: isExpected)].isExpected = isExpected
    }
    return changed
  }

  /// When a gateway last said something; nil: never.
  func lastSnapshot(from address: String) -> Duration? { gateways[address]?.lastSnapshot }

  mutating func disconnected(_ address: String) { gateways[address]?.isConnected = false }

  /// What `status.load.requestsPerMinute` counts over, however short the windows that scale are.
  private static let statusWindow: Duration = .seconds(60)

  /// Takes a snapshot; `span` gives the longest window of a service.
  /// - Returns: the services that need a decision now: they hold a request, or have seen a drain.
  mutating func record(
    _ snapshot: LoadSnapshot, from address: String, now: Now, span: (ObjectKey) -> Duration
  ) -> Set<ObjectKey> {
    guard var gateway = gateways[address] else { return [] }
    var urgent: Set<ObjectKey> = []
    var busy: Set<ObjectKey> = []
    let isFirstWord = gateway.bootID.isEmpty
    if gateway.bootID != snapshot.bootID { gateway.services = [:] }
    for load in snapshot.services {
      let key = ObjectKey(namespace: load.namespace, name: load.name)
      var meter = meters[key] ?? LoadMeter(span: max(Self.statusWindow, span(key)))
      // Whole nanoseconds: what is recorded of a decision is computed again from them.
      let age = load.lastRequestUnix.map {
        Duration.nanoseconds(Int64(min(9e18, max(0, now.wall.timeIntervalSince1970 - $0) * 1e9)))
      }
      meter.record(
        LoadSample(
          held: load.held, inFlight: load.inFlight, requestsTotal: load.requestsTotal,
          concurrencySeconds: load.concurrencySeconds, lastRequestAge: age, tokensTotal: load.tokensTotal,
          service: load.service),
        from: address, bootID: snapshot.bootID, at: now.monotonic)
      meters[key] = meter
      if let counts = load.answers {
        answers[key, default: AnswerMeter()].record(
          counts, from: address, bootID: snapshot.bootID, isFirstWord: isFirstWord)
      }
      let before = gateway.services[key]
      if load.held > 0 && (before?.held ?? 0) == 0 || load.drainEpochSeen != before?.drainEpochSeen ?? 0
        || load.held == 0 && load.inFlight == 0 && (before?.held ?? 0) + (before?.inFlight ?? 0) > 0
      {
        urgent.insert(key)
      }
      if load.held + load.inFlight > 0 { busy.insert(key) }
      gateway.services[key] = load
    }
    for key in gateway.busy.subtracting(busy) where !snapshot.services.contains(where: { $0.isAbout(key) }) {
      meters[key]?.recordAbsence(from: address, bootID: snapshot.bootID, at: now.monotonic)
      gateway.services[key]?.clear()
      urgent.insert(key)
    }
    gateway.busy = busy
    gateway.bootID = snapshot.bootID
    gateway.isConnected = true
    gateway.lastSnapshot = now.monotonic
    gateways[address] = gateway
    return urgent
  }

  /// Forgets a service that is no more.
  mutating func remove(_ key: ObjectKey) {
    meters[key] = nil
    answers[key] = nil
    for address in gateways.keys {
      gateways[address]?.services[key] = nil
      gateways[address]?.busy.remove(key)
    }
  }

  /// The longest window of a service grew.
  mutating func reserve(_ span: Duration, for key: ObjectKey) { meters[key]?.reserve(span) }

  /// Looks at what has passed since, where the service's objective asks for it; before ``load(of:policy:now:)``.
  mutating func watchBursts(of key: ObjectKey, for objective: LatencyObjective?, now: Duration) {
    meters[key]?.watchBursts(for: objective, now: now)
  }

  /// Services with something held or in flight.
  var busyServices: Set<ObjectKey> { gateways.values.reduce(into: []) { $0.formUnion($1.busy) } }

  /// Every gateway that may have requests can be read.
  func isComplete(now: Duration) -> Bool {
    let relevant = gateways.values.filter { $0.isExpected || $0.lastSnapshot != nil }
    return !relevant.isEmpty && relevant.allSatisfy { $0.isReadable(now: now) }
  }

  /// How each gateway's stream stands, by address.
  func reports(now: Duration) -> [ControllerSnapshot.Gateway] {
    gateways.sorted { $0.key < $1.key }.map { address, gateway in
      ControllerSnapshot.Gateway(
        address: address, takesTraffic: gateway.isExpected, isReadable: gateway.isReadable(now: now),
        secondsSinceSnapshot: gateway.lastSnapshot.map { (now - $0).inSeconds }, busyServices: gateway.busy.count)
    }
  }

  /// What is known of one service now.
  func load(of key: ObjectKey, policy: ScalingPolicy, now: Duration) -> ServiceLoadView {
    var view = ServiceLoadView(isComplete: isComplete(now: now))
    view.answers = answers[key]?.total ?? AnswerMeter.Total()
    let isHeard = gateways.values.contains { $0.lastSnapshot != nil }
    if let meter = meters[key] {
      view.held = meter.held
      view.inFlight = meter.inFlight
      view.unhindered = meter.unhindered(now: now)
      view.lastActivity = meter.lastActivity
      view.requestsPerMinute = meter.requestCount(over: Self.statusWindow, now: now)
      view.reading = meter.read(policy, now: now)
    } else if isHeard {
      view.reading = LoadReading(stableAverage: 0, panicAverage: 0)
    }
    for gateway in gateways.values {
      let load = gateway.services[key]
      if let since = load?.heldSinceUnix, load?.held ?? 0 > 0 {
        view.heldSinceUnix = min(view.heldSinceUnix ?? since, since)
      }
      for (pod, count) in load?.inFlightByPod ?? [:] { view.inFlightByPod[pod, default: 0] += count }
      if gateway.isExpected || gateway.lastSnapshot != nil {
        let seen = gateway.isReadable(now: now) ? load?.drainEpochSeen ?? 0 : 0
        view.drainEpochSeen = min(view.drainEpochSeen ?? seen, seen)
      }
    }
    return view
  }
}

/// One service's load over all gateways.
struct ServiceLoadView: Equatable {
  var isComplete: Bool
  var held = 0
  var inFlight = 0
  var inFlightByPod: [String: Int] = [:]
  /// Requests that would be in flight had none waited.
  var unhindered = 0
  /// What scaling goes by.
  var reading = LoadReading()
  var requestsPerMinute = 0.0
  /// By a canary and beside it, since this controller began to listen.
  var answers = AnswerMeter.Total()
  /// Monotonic.
  var lastActivity: Duration?
  /// Wall time of the oldest held request, in seconds since 1970.
  var heldSinceUnix: Double?
  /// The oldest drain epoch that any gateway acts on; nil: there is no gateway to wait for.
  var drainEpochSeen: Int?
}

extension ServiceLoad {
  fileprivate func isAbout(_ key: ObjectKey) -> Bool { namespace == key.namespace && name == key.name }

  fileprivate mutating func clear() {
    held = 0
    inFlight = 0
    inFlightByPod = [:]
    heldSinceUnix = nil
  }
}
