import Decisions
import Synchronization

@testable import Simulation

/// The production policy, and beside it the ledger's book, kept as the controller keeps it: each second's look goes through the
/// load meter into the book.
struct LedgerKeeper: ReplicaPolicy {
  private var policy: PilotlightPolicy
  private let slots: ReplicaSlots
  private let end: Int64
  let book: BookBox

  /// What is left of a run, which keeps its policy to itself.
  final class BookBox: Sendable {
    let book = Mutex(LedgerBook(namespace: "team", day: 0, from: 0))
    let meters = Mutex<[Int: LoadMeter]>([:])
    let last = Mutex<[Int: LedgerObservation]>([:])

    /// The book after a last look at everything.
    func closed(at milliseconds: Int) -> LedgerBook {
      let seen = last.withLock(\.self)
      return book.withLock { book in
        for model in seen.keys.sorted() { seen[model].map { book.advance($0, now: milliseconds) } }
        return book
      }
    }
  }

  /// - Parameter end: microseconds; what is looked at later is not counted.
  init(_ settings: SimulationSettings, models: Int, end: Int64) {
    policy = PilotlightPolicy(settings.productionPolicy, leavesOutTicks: false)
    slots = ReplicaSlots(settings.productionPolicy)
    self.end = end
    book = BookBox()
    for model in 0..<models { look(model, LoadSample(service: ServiceTotals()), wanted: 0, now: 0) }
  }

  private func look(_ model: Int, _ sample: LoadSample, wanted: Int, now: Int64) {
    let moment = Duration.microseconds(now)
    let requests = book.meters.withLock { meters in
      meters[model, default: LoadMeter(span: .seconds(60))].record(sample, from: "g", bootID: "b", at: moment)
      return meters[model]?.unhindered(now: moment) ?? 0
    }
    let seen = LedgerObservation(
      model: "m\(model)", created: 0, pods: [], wanted: slots.dedicatedReplicas + wanted,
      needed: slots.replicas(for: requests), floor: slots.dedicatedReplicas, rates: [:])
    book.last.withLock { $0[model] = seen }
    book.book.withLock { $0.advance(seen, now: Int(now / 1000)) }
  }

  mutating func wanted(_ model: Int, _ seen: ModelObservation, now: Int64) -> Int {
    let wanted = policy.wanted(model, seen, now: now)
    guard now <= end else { return wanted }
    let service = SampleSums(
      count: Double(seen.finished), sum: Double(seen.serviceTime) / 1e6, squares: seen.squaredServiceSeconds)
    look(
      model,
      LoadSample(
        held: seen.held, inFlight: seen.inFlight, requestsTotal: seen.requests,
        concurrencySeconds: Double(seen.concurrency) / 1e6, service: ServiceTotals(occupied: service)),
      wanted: wanted, now: now)
    return wanted
  }

  mutating func nextDecision(model: Int, after now: Int64) -> Int64 { policy.nextDecision(model: model, after: now) }
  mutating func becameIdle(model: Int, now: Int64) -> Int64? { policy.becameIdle(model: model, now: now) }
  mutating func becameBusy(model: Int, idleSince: Int64, now: Int64) -> Int64? {
    policy.becameBusy(model: model, idleSince: idleSince, now: now)
  }
}
