import Decisions
import FleetProtocol
import KubernetesAPI
import Telemetry

/// How many requests one gateway sends to each replica at once: an even share of them, or what the leader deals.
final class GatewaySlots: @unchecked Sendable {
  /// `scaling.maxConcurrency` of every service.
  static let limit = 8

  /// What it tells of one service.
  struct Report {
    var capacity: Int
    var slots: Int
    /// Of the deal that it keeps to.
    var epoch: Int?
  }

  private let time: VirtualTime
  /// Its place among the gateways, and how many there are.
  private let place: (index: Int, count: Int)
  private var tables: [ObjectKey: SlotTable] = [:]
  private var latestEpoch = 0
  /// When a deal last ran out: from then on nobody waits for requests that began under it.
  private(set) var lapsedAt: Duration?

  init(_ time: VirtualTime, index: Int, count: Int) {
    self.time = time
    place = (index, count)
  }

  /// Takes the leader's deals. - Returns: the services whose slots changed.
  func take(_ message: SlotMessage) -> [ObjectKey] {
    latestEpoch = max(latestEpoch, message.services.map(\.epoch).max() ?? 0)
    var changed: [ObjectKey] = []
    for deal in message.services {
      let key = ObjectKey(namespace: deal.namespace, name: deal.name)
      lapse(key)
      guard var table = tables[key] else {
        tables[key] = SlotTable(deal, now: time.elapsed)
        changed.append(key)
        continue
      }
      let before = table.epoch
      if table.take(deal, now: time.elapsed), table.epoch != before { changed.append(key) }
      tables[key] = table
    }
    return changed
  }

  var reply: SlotReply { SlotReply(epoch: latestEpoch) }

  /// This gateway's slots of a replica.
  func slots(of key: ObjectKey, at pod: String) -> Int {
    lapse(key)
    if let table = tables[key] { return table.slots(of: Self.limit, podUID: pod, index: place.index) }
    return SlotWeights.even(place.count).slots(of: Self.limit, podUID: pod, index: place.index)
  }

  /// - Parameters:
  ///   - pods: those that take requests.
  ///   - inFlight: at every pod that has any.
  func report(of key: ObjectKey, pods: [String], inFlight: [String: Int]) -> Report {
    let slots = pods.reduce(0) { $0 + self.slots(of: key, at: $1) }
    var report = Report(capacity: pods.count * Self.limit, slots: slots)
    if let table = tables[key],
      inFlight.allSatisfy({ $0.value <= table.bound(of: Self.limit, podUID: $0.key, index: place.index) })
    {
      report.epoch = table.epoch
    }
    return report
  }

  func restart() {
    tables = [:]
    latestEpoch = 0
  }

  /// Nothing is dealt for the service any more, or not for long enough.
  private func lapse(_ key: ObjectKey) {
    guard var table = tables[key] else { return }
    if table.lapse(now: time.elapsed) {
      tables[key] = table
    } else {
      tables[key] = nil
      lapsedAt = time.elapsed
    }
  }
}
