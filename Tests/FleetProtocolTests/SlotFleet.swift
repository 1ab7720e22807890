import Decisions
import Testing

@testable import FleetProtocol

/// Gateways and a leader that share the slots of one service, in virtual time: what they are is theirs, the network and the
/// callers are made up. Every step checks that no replica is promised or given more than it takes.
struct SlotFleet {
  static let service = ServiceName(namespace: "team", name: "llm")
  static let tick: Duration = .milliseconds(10)

  struct Gateway {
    var name: String
    var boot = 1
    var members: [String]
    var table: SlotTable?
    /// Callers that ask again as soon as they are answered.
    var callers = 0
    var held = 0
    /// Ends of the requests in flight, by pod.
    var inFlight: [String: [Duration]] = [:]
    var saidEpoch: Int?
    var saidHeld = 0
    var nextSnapshot: Duration = .zero
    /// Until when nothing reaches or leaves it.
    var cutUntil: Duration = .zero

    var index: Int { members.firstIndex(of: name) ?? 0 }

    func slots(_ limit: Int, _ pod: String) -> Int {
      table?.slots(of: limit, podUID: pod, index: index)
        ?? SlotWeights.even(members.count).slots(of: limit, podUID: pod, index: index)
    }
    var inFlightTotal: Int { inFlight.values.reduce(0) { $0 + $1.count } }
  }

  enum Delivery {
    case snapshot(LoadSnapshot, from: String)
    case message(SlotCoordinator.Send, reign: Int)
    case answer(SlotCoordinator.Send, Int?, reign: Int)
  }

  var pods: [String: Int]
  var gateways: [Gateway]
  var coordinator: SlotCoordinator? = SlotCoordinator(epoch: 1)
  var now: Duration = .seconds(100)
  var random: SlotRandom
  /// Of a hundred messages and answers, how many are lost.
  var loss = 0
  var delay: ClosedRange<Int> = 1...20
  var requestMilliseconds: ClosedRange<Int> = 50...400
  /// Until when gateways may differ in whom they share with, or still have requests from before.
  var unstableUntil: Duration = .zero
  /// Counts leaders: answers to one are nothing to the next.
  private var reign = 0
  private var mail: [(at: Duration, what: Delivery)] = []

  init(gateways count: Int, pods: [String: Int], seed: UInt64 = 1) {
    self.pods = pods
    random = SlotRandom(state: seed)
    let names = (0..<count).map { "gateway-\($0)" }
    gateways = names.map { Gateway(name: $0, members: names) }
    let addresses = addresses
    coordinator?.setGateways(addresses)
  }

  var addresses: [String: String] {
    Dictionary(uniqueKeysWithValues: gateways.map { ($0.name, "\($0.name):9090") })
  }

  var capacity: Int { pods.values.reduce(0, +) }

  func slots(_ gateway: Int) -> Int { pods.reduce(0) { $0 + gateways[gateway].slots($1.value, $1.key) } }

  /// A new leader that knows nothing.
  mutating func elect() {
    reign += 1
    let skew = Duration.milliseconds(Int.random(in: 0..<10_000, using: &random))
    coordinator = SlotCoordinator(epoch: (now - skew).microseconds)
    let addresses = addresses
    coordinator?.setGateways(addresses)
    for index in gateways.indices {
      // It opens new streams, whose first line has everything.
      gateways[index].saidEpoch = -1
      gateways[index].nextSnapshot = now
    }
  }

  /// Another gateway; some hear of it before others.
  mutating func add(_ name: String) {
    gateways.append(Gateway(name: name, members: [name]))
    let names = gateways.map(\.name).sorted()
    for index in gateways.indices {
      gateways[index].members = names
      gateways[index].table = nil
    }
    let addresses = addresses
    coordinator?.setGateways(addresses)
    unstableUntil = now + .milliseconds(requestMilliseconds.upperBound)
  }

  mutating func restart(_ index: Int) {
    gateways[index] = Gateway(
      name: gateways[index].name, boot: gateways[index].boot + 1, members: gateways[index].members)
    gateways[index].nextSnapshot = now
    // Others count on what it has forgotten until the leader has told it again, and what they began then takes its time.
    unstableUntil = now + .seconds(17) + .milliseconds(requestMilliseconds.upperBound)
  }

  mutating func run(for duration: Duration) throws {
    let end = now + duration
    while now < end { try step() }
  }

  mutating func step() throws {
    now += Self.tick
    let due = mail.filter { $0.at <= now }
    mail.removeAll { $0.at <= now }
    for (_, what) in due { deliver(what) }
    for index in gateways.indices { work(index) }
    try check()
    for send in coordinator?.step(now: now) ?? [] { post(.message(send, reign: reign)) }
  }

  private mutating func check() throws {
    guard now >= unstableUntil else { return }
    for (pod, limit) in pods {
      let promised = gateways.reduce(0) { $0 + $1.slots(limit, pod) }
      let given = gateways.reduce(0) { $0 + ($1.inFlight[pod]?.count ?? 0) }
      try #require(promised <= limit, "\(pod) at \(now): \(gateways.map { $0.slots(limit, pod) })")
      try #require(given <= limit, "\(pod) at \(now): \(gateways.map { $0.inFlight[pod]?.count ?? 0 })")
    }
  }

  // MARK: - The network

  private mutating func post(_ what: Delivery) {
    mail.append((now + .milliseconds(Int.random(in: delay, using: &random)), what))
  }

  private func index(_ address: String) -> Int? { gateways.firstIndex { "\($0.name):9090" == address } }

  private mutating func deliver(_ what: Delivery) {
    switch what {
    case .snapshot(let snapshot, let name): coordinator?.heard(snapshot, from: "\(name):9090", now: now)
    case .message(let send, let reign):
      let isLost = Int.random(in: 0..<100, using: &random) < loss
      guard let index = index(send.address), !isLost, gateways[index].cutUntil <= now else {
        // The sender gives up after its timeout.
        mail.append((now + SlotCoordinator.exchange, .answer(send, nil, reign: reign)))
        return
      }
      let epoch = take(send.message, index)
      if Int.random(in: 0..<100, using: &random) < loss {
        mail.append((now + SlotCoordinator.exchange, .answer(send, nil, reign: reign)))
      } else {
        post(.answer(send, epoch, reign: reign))
      }
    case .answer(let send, let epoch, let reign):
      if reign == self.reign { coordinator?.answered(send, epoch: epoch, now: now) }
    }
  }

  /// What `ReplicaSetState` and `GatewayCore` do.
  private mutating func take(_ message: SlotMessage, _ index: Int) -> Int? {
    guard message.gateways == gateways[index].members else { return nil }
    for deal in message.services {
      if var table = gateways[index].table {
        if table.take(deal, now: now) { gateways[index].table = table }
      } else {
        gateways[index].table = SlotTable(deal, now: now)
      }
    }
    return gateways[index].table?.epoch ?? 0
  }

  // MARK: - A gateway

  private mutating func work(_ index: Int) {
    var gateway = gateways[index]
    if gateway.table?.lapse(now: now) == false { gateway.table = nil }
    for pod in gateway.inFlight.keys { gateway.inFlight[pod]?.removeAll { $0 <= now } }
    for (pod, limit) in pods.sorted(by: { $0.key < $1.key }) {
      let slots = gateway.slots(limit, pod)
      while gateway.inFlightTotal < gateway.callers, gateway.inFlight[pod]?.count ?? 0 < slots {
        let duration = Duration.milliseconds(Int.random(in: requestMilliseconds, using: &random))
        gateway.inFlight[pod, default: []].append(now + duration)
      }
    }
    gateway.held = max(0, gateway.callers - gateway.inFlightTotal)
    let isWithin = pods.allSatisfy { pod, limit in
      gateway.inFlight[pod]?.count ?? 0
        <= gateway.table?.bound(of: limit, podUID: pod, index: gateway.index) ?? Int.max
    }
    let epoch = isWithin ? gateway.table?.epoch : nil
    let isNews = epoch != gateway.saidEpoch || gateway.held > 0 && gateway.saidHeld == 0
    gateways[index] = gateway
    guard gateway.cutUntil <= now, isNews || now >= gateway.nextSnapshot else { return }
    let load = ServiceLoad(
      namespace: "team", name: "llm", held: gateway.held, inFlight: gateway.inFlightTotal, capacity: capacity,
      slots: slots(index), slotsEpoch: epoch)
    let isSaid = isNews || gateway.held + gateway.inFlightTotal > 0
    let snapshot = LoadSnapshot(
      gateway: gateway.name, bootID: "\(gateway.boot)", sequence: 1, services: isSaid ? [load] : [], takesSlots: true)
    gateways[index].saidEpoch = epoch
    gateways[index].saidHeld = gateway.held
    gateways[index].nextSnapshot = now + .seconds(1)
    // A stream keeps its order.
    mail.append((now + .milliseconds(2), .snapshot(snapshot, from: gateway.name)))
  }
}

extension Duration {
  fileprivate var microseconds: Int {
    Int(components.seconds) * 1_000_000 + Int(components.attoseconds / 1_000_000_000_000)
  }
}

/// The same numbers in each run (SplitMix64).
struct SlotRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
