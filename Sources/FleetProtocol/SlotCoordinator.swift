import Decisions

/// The leader's side of sharing slots by demand: a value that hears the gateways' loads and says what to send to whom.
///
///     coordinator.heard(snapshot, from: address, now: now)
///     for send in coordinator.step(now: now) { /* PUT it; then */ coordinator.answered(send, epoch, now: …) }
///
/// A **term** is a time in which every gateway confirms what it is sent, again and again within ``patience``: then no
/// gateway's tables lapse while another's are renewed. When one does not, the term ends, nothing more is sent, and all tables
/// lapse together. What a gateway keeps from before a term is not known in it; it counts there until all agree on a deal
/// (``SlotTable``). A term therefore begins at even shares, which all that has lapsed is at.
public struct SlotCoordinator: Sendable {
  /// Time between two messages to a gateway when nothing changes.
  public static let renewal: Duration = .milliseconds(1500)
  /// How old a gateway's last confirmation may be, counted from the sending of what it confirms. With the bound on an
  /// exchange, ``exchange``, it is well below `SlotTable.life - SlotTable.whole`.
  public static let patience: Duration = .seconds(5)
  /// Longest exchange; a message that takes longer is given up by both sides.
  public static let exchange: Duration = .seconds(2)
  /// Time before a message that failed is sent again.
  static let retry: Duration = .milliseconds(250)
  /// Time after a term that ended for want of a confirmation.
  static let pause: Duration = .seconds(2)
  /// A gateway whose last snapshot is older is not heard: it sends one each second.
  static let hearing: Duration = .seconds(3)
  /// Most services whose slots are not shared evenly: messages must stay small.
  public static let mostServices = 2000

  /// A message to be sent.
  public struct Send: Sendable {
    /// Of the gateway's admin port.
    public let address: String
    public let message: SlotMessage
    fileprivate let term: Int
    fileprivate let epoch: Int
    fileprivate let begun: Duration
  }

  /// By name: the order of all weights.
  private(set) var members: [SlotMember] = []
  private(set) var services: [ServiceName: SlotCourse] = [:]
  /// The highest epoch that was given out or heard of.
  private var epoch: Int
  private var term: (epoch: Int, begun: Duration)?
  private var pausedUntil: Duration = .zero

  /// - Parameter epoch: where to begin to count. No two leaders should count alike: the wall clock's microseconds will do,
  ///   and a clock that is behind is noticed.
  public init(epoch: Int) { self.epoch = epoch }

  /// Something waits or is shared unevenly: call ``step(now:)`` from time to time, even when nothing is heard.
  public var isActive: Bool { members.count > 1 && (!services.isEmpty || members.contains { !$0.holding.isEmpty }) }

  // MARK: - What happens

  /// Sets which gateways share: addresses of their admin ports by name. Deals among others are forgotten by all.
  public mutating func setGateways(_ addresses: [String: String]) {
    let known = Dictionary(members.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let present = addresses.sorted { $0.key < $1.key }.map { name, address in
      if let member = known[name], member.address == address { return member }
      return SlotMember(name: name, address: address)
    }
    if present.map(\.address) == members.map(\.address), present.map(\.name) == members.map(\.name) { return }
    members = present
    endTerm()
  }

  /// Takes what a gateway says of its load.
  public mutating func heard(_ snapshot: LoadSnapshot, from address: String, now: Duration) {
    guard let index = members.firstIndex(where: { $0.address == address }) else { return }
    // A gateway that has started again knows nothing of the deals.
    if members[index].hear(snapshot, now: now) { endTerm() }
  }

  /// Takes the answer to a message: the gateway's highest epoch; nil: it did not confirm.
  public mutating func answered(_ send: Send, epoch known: Int?, now: Duration) {
    guard let index = members.firstIndex(where: { $0.address == send.address }) else { return }
    members[index].isSending = false
    guard let term, term.epoch == send.term else { return }
    guard let known else {
      members[index].fail(now: now)
      return
    }
    members[index].confirm(send.epoch, sent: send.begun)
    if known > epoch {
      // Another leader has counted further: what it said goes first.
      epoch = known
      endTerm()
    }
  }

  private mutating func endTerm() {
    term = nil
    services = [:]
    for index in members.indices { members[index].forgetTerm() }
  }

  // MARK: - What is to be done

  /// Decides, and returns what must be sent now. Each must be answered, see ``answered(_:epoch:now:)``.
  public mutating func step(now: Duration) -> [Send] {
    if let term, members.contains(where: { now - ($0.confirmed ?? term.begun) > Self.patience }) {
      pausedUntil = now + Self.pause
      endTerm()
    }
    if members.count > 1, now >= pausedUntil, members.allSatisfy({ $0.isHeard(now: now) }) { decide(now: now) }
    if services.isEmpty, term != nil { endTerm() }
    return sends(now: now)
  }

  private mutating func decide(now: Duration) {
    var names = Set(services.keys)
    for member in members { names.formUnion(member.holding) }
    for name in names.sorted() {
      let loads = members.map { $0.loads[name] ?? SlotMember.Load() }
      var course = services[name] ?? SlotCourse(gateways: members.count)
      guard course.advance(loads, epoch: epoch + 1, now: now) else {
        services[name] = course.isOver ? nil : services[name].map { _ in course }
        continue
      }
      guard services[name] != nil || services.count < Self.mostServices else { continue }
      epoch += 1
      if term == nil { term = (epoch, now) }
      services[name] = course
    }
  }

  private mutating func sends(now: Duration) -> [Send] {
    guard let term else { return [] }
    let latest = services.values.lazy.map(\.epoch).max() ?? 0
    let due = members.indices.filter { members[$0].isDue(latest, now: now) }
    guard !due.isEmpty else { return [] }
    let message = SlotMessage(
      gateways: members.map(\.name),
      services: services.sorted { $0.key < $1.key }.map { name, course in
        ServiceSlots(
          namespace: name.namespace, name: name.name, since: course.begun, epoch: course.epoch,
          weights: course.weights, next: course.next)
      })
    return due.map { index in
      members[index].isSending = true
      return Send(address: members[index].address, message: message, term: term.epoch, epoch: latest, begun: now)
    }
  }
}
