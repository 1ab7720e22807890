import Decisions

/// One gateway among those that share slots, as the leader knows it.
struct SlotMember: Sendable {
  /// What it last said of one service.
  struct Load: Hashable, Sendable {
    var demand = SlotDemand()
    var capacity = 0
    /// The epoch it keeps to; 0: none.
    var slotsEpoch = 0
  }

  let name: String
  /// Of its admin port.
  let address: String
  private(set) var loads: [ServiceName: Load] = [:]
  /// Services for which requests wait here.
  private(set) var holding: Set<ServiceName> = []
  private var busy: Set<ServiceName> = []
  private var bootID: String?
  private var takesSlots = false
  private var lastSnapshot: Duration?

  /// A message is under way.
  var isSending = false
  /// When the latest message of this term that it confirmed was sent.
  private(set) var confirmed: Duration?
  /// The latest epoch in that message.
  private var confirmedEpoch = 0
  /// Nothing is sent before: the last message failed.
  private var notBefore: Duration = .zero

  init(name: String, address: String) {
    self.name = name
    self.address = address
  }

  /// It was heard lately, and understands what it would be told.
  func isHeard(now: Duration) -> Bool {
    takesSlots && lastSnapshot.map { now - $0 <= SlotCoordinator.hearing } ?? false
  }

  /// Takes a snapshot. True: the gateway has started again since the last one.
  mutating func hear(_ snapshot: LoadSnapshot, now: Duration) -> Bool {
    let hasRestarted = bootID.map { $0 != snapshot.bootID } ?? false
    if hasRestarted { loads = [:] }
    bootID = snapshot.bootID
    takesSlots = snapshot.takesSlots ?? false
    lastSnapshot = now
    var silent = busy
    busy = []
    holding = []
    for load in snapshot.services {
      let name = ServiceName(namespace: load.namespace, name: load.name)
      silent.remove(name)
      let demand = SlotDemand(held: load.held, inFlight: load.inFlight, slots: load.slots)
      loads[name] = Load(demand: demand, capacity: load.capacity ?? 0, slotsEpoch: load.slotsEpoch ?? 0)
      if load.held > 0 { holding.insert(name) }
      if demand.all > 0 { busy.insert(name) }
      if demand.all == 0, load.slotsEpoch == nil { loads[name] = nil }
    }
    // A snapshot leaves out what carries nothing.
    for name in silent { loads[name]?.demand = SlotDemand() }
    return hasRestarted
  }

  // MARK: - Messages

  /// Whether to send it a message whose latest epoch is given.
  func isDue(_ epoch: Int, now: Duration) -> Bool {
    guard !isSending, now >= notBefore else { return false }
    guard let confirmed, confirmedEpoch >= epoch else { return true }
    return now - confirmed >= SlotCoordinator.renewal
  }

  mutating func confirm(_ epoch: Int, sent: Duration) {
    confirmed = sent
    confirmedEpoch = epoch
  }

  mutating func fail(now: Duration) { notBefore = now + SlotCoordinator.retry }

  mutating func forgetTerm() {
    confirmed = nil
    confirmedEpoch = 0
  }
}

/// Names one service.
struct ServiceName: Hashable, Comparable, Sendable {
  var namespace: String
  var name: String

  static func < (left: Self, right: Self) -> Bool { (left.namespace, left.name) < (right.namespace, right.name) }
}
