import FleetProtocol
import FoundationEssentials
import KubernetesAPI
import Telemetry

/// The requests of one gateway, and what it tells of them.
final class GatewayLoad: @unchecked Sendable {
  private struct Held {
    var id: Int
    var since: Date
    var duration: Duration
  }

  private struct Counters {
    var held: [Held] = []
    var total = 0
    var drainEpoch = 0
    var concurrencySeconds = 0.0
    var countedAt: Duration = .zero
    var lastRequest: Date?
    /// Something changed since it was last told.
    var isNews = true
  }

  private let gateway: String
  private let time: VirtualTime
  private var boot = 1
  private var sequence = 0
  private var nextRequest = 1
  private var counters: [ObjectKey: Counters] = [:]
  private var placed: [String: [Int: ObjectKey]] = [:]
  /// How wrong its wall clock is.
  var wallError: Duration = .zero

  init(gateway: String, _ time: VirtualTime) {
    self.gateway = gateway
    self.time = time
  }

  var services: [ObjectKey] { counters.keys.sorted() }

  func held(of key: ObjectKey) -> Int { counters[key]?.held.count ?? 0 }
  func isHeld(_ id: Int, of key: ObjectKey) -> Bool { counters[key]?.held.contains { $0.id == id } ?? false }
  func inFlight(at pod: String) -> Int { placed[pod]?.count ?? 0 }
  var inFlight: Int { placed.values.reduce(0) { $0 + $1.count } }

  func inFlightByPod(of key: ObjectKey) -> [String: Int] {
    placed.compactMapValues { requests in
      let count = requests.values.count { $0 == key }
      return count == 0 ? nil : count
    }
  }

  private var wall: Date { time.wall.addingTimeInterval(wallError.seconds) }

  /// Counts up to now; to be called before anything of a service changes.
  private func change(_ key: ObjectKey, _ body: (inout Counters) -> Void) {
    let running = Double(held(of: key) + placed.values.reduce(0) { $0 + $1.values.count { $0 == key } })
    var value = counters[key] ?? Counters()
    value.concurrencySeconds += running * (time.elapsed - value.countedAt).seconds
    value.countedAt = time.elapsed
    value.isNews = true
    body(&value)
    counters[key] = value
  }

  func hold(_ key: ObjectKey, lasting duration: Duration) -> Int {
    let id = nextRequest
    nextRequest += 1
    change(key) {
      $0.held.append(Held(id: id, since: wall, duration: duration))
      $0.total += 1
      $0.lastRequest = wall
    }
    return id
  }

  /// Sends the oldest held request to a pod.
  func place(_ key: ObjectKey, at pod: String) -> (id: Int, duration: Duration) {
    var first = Held(id: 0, since: wall, duration: .zero)
    change(key) { first = $0.held.removeFirst() }
    placed[pod, default: [:]][first.id] = key
    return (first.id, first.duration)
  }

  func end(_ id: Int, at pod: String) {
    guard let key = placed[pod]?[id] else { return }
    change(key) { _ in }
    placed[pod]?[id] = nil
    if placed[pod]?.isEmpty == true { placed[pod] = nil }
  }

  func giveUp(_ id: Int, of key: ObjectKey) {
    guard isHeld(id, of: key) else { return }
    change(key) { $0.held.removeAll { $0.id == id } }
  }

  /// Answers all that is held with an error.
  func refuse(_ key: ObjectKey) {
    guard held(of: key) > 0 else { return }
    change(key) { $0.held = [] }
  }

  func lose(_ pod: String) {
    for id in (placed[pod] ?? [:]).keys.sorted() { end(id, at: pod) }
  }

  /// True when the epoch is a new one.
  func sawDrain(_ epoch: Int, of key: ObjectKey) -> Bool {
    guard counters[key]?.drainEpoch ?? 0 != epoch else { return false }
    change(key) { $0.drainEpoch = epoch }
    return true
  }

  func restart() {
    boot += 1
    sequence = 0
    counters = [:]
    placed = [:]
  }

  func slotsChanged(of key: ObjectKey) { change(key) { _ in } }

  /// One line of the load stream.
  /// - Parameters:
  ///   - isFirst: with all that ever had a request or a drain.
  ///   - slots: of a service that is there.
  func line(isFirst: Bool, _ slots: (ObjectKey) -> GatewaySlots.Report?) -> [UInt8] {
    sequence += 1
    var loads: [ServiceLoad] = []
    for key in services {
      let byPod = inFlightByPod(of: key)
      guard let value = counters[key], isFirst || value.isNews || !value.held.isEmpty || !byPod.isEmpty else {
        continue
      }
      change(key) { _ in }
      // Another stream's first line is no news told on this one.
      if !isFirst { counters[key]?.isNews = false }
      let slots = slots(key)
      loads.append(
        ServiceLoad(
          namespace: key.namespace, name: key.name, held: value.held.count,
          inFlight: byPod.values.reduce(0, +), inFlightByPod: byPod, requestsTotal: value.total,
          concurrencySeconds: counters[key]?.concurrencySeconds ?? 0,
          heldSinceUnix: value.held.first?.since.timeIntervalSince1970,
          lastRequestUnix: value.lastRequest?.timeIntervalSince1970, drainEpochSeen: value.drainEpoch,
          capacity: slots?.capacity, slots: slots?.slots, slotsEpoch: slots?.epoch))
    }
    if loads.isEmpty { return emptyLine }
    let snapshot = LoadSnapshot(gateway: gateway, bootID: bootID, sequence: sequence, services: loads, takesSlots: true)
    return (try? snapshot.encodedLine()) ?? []
  }

  private var bootID: String { "\(gateway)-\(boot)" }

  /// A line that says that nothing is going on, as `encodedLine` writes it; most lines are of this kind.
  var emptyLine: [UInt8] {
    let members = [
      "\"bootID\":\"\(bootID)\"", "\"gateway\":\"\(gateway)\"", "\"sequence\":\(sequence)", "\"services\":[]",
      "\"takesSlots\":true",
      "\"version\":\(FleetVersion.current)",
    ]
    return Array("{\(members.joined(separator: ","))}\n".utf8)
  }
}
