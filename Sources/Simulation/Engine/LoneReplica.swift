/// One model that has at most one replica: what runs there, what waits, and until when.
///
/// Ends are known as soon as a request starts, so nothing happens between two requests that would have to be stepped through.
struct LoneReplica: Sendable {
  /// Ends of what runs, or will run once the replica is loaded: a heap whose first is the earliest.
  private var ends: [Int64] = []
  private var pending = PendingQueue()
  /// Nothing starts before: the end of the last load.
  var startsAt: Int64 = 0
  /// When the present or the last busy period began.
  private(set) var busySince: Int64 = 0
  /// When the last request that has started ends.
  private(set) var latestEnd: Int64 = 0
  /// It had a request before.
  private(set) var hasRun = false
  /// What was planned for this idle period, if plans are made when it begins.
  var plan: IdlePlan?

  /// Nothing runs or waits; holds after ``settle(to:)``.
  @inline(__always)
  var isIdle: Bool { ends.isEmpty }

  /// The earliest moment at which it may be idle, as far as is known.
  var nextCheck: Int64 { pending.isEmpty ? latestEnd : ends.first ?? latestEnd }

  /// Ends what ends until `now`, and starts what waited for its place.
  @inline(__always)
  mutating func settle(
    to now: Int64, _ service: ServiceTimes, _ notes: inout some CourseNotes, _ account: inout ModelAccount
  ) {
    if ends.isEmpty { return }
    if pending.isEmpty, latestEnd <= now { return ends.removeAll(keepingCapacity: true) }
    while let end = ends.first, end <= now {
      popEnd()
      if let next = pending.popFirst() { start(next, at: end, service, &notes, &account) }
    }
  }

  /// Takes a request; it starts now, at the end of the load, or when a place is free.
  @inline(__always)
  mutating func take(
    _ request: PendingRequest, limit: Int, _ service: ServiceTimes, _ notes: inout some CourseNotes,
    _ account: inout ModelAccount
  ) {
    hasRun = true
    if ends.count < limit {
      let begin = max(request.arrival, startsAt)
      if ends.isEmpty { busySince = begin }
      start(request, at: begin, service, &notes, &account)
    } else {
      pending.append(request)
    }
  }

  @inline(__always)
  private mutating func start(
    _ request: PendingRequest, at begin: Int64, _ service: ServiceTimes, _ notes: inout some CourseNotes,
    _ account: inout ModelAccount
  ) {
    let end =
      begin
      + service.service(
        promptTokens: request.promptTokens, outputTokens: request.outputTokens, duration: request.duration,
        batch: ends.count + 1)
    pushEnd(end)
    latestEnd = max(latestEnd, end)
    let wait = begin - request.arrival
    notes.note(request, wait: wait, in: &account)
    if wait > 0 { notes.addHeld(from: request.arrival, to: begin) }
  }

  /// Starts the replica, which has gone, for a request that comes now.
  mutating func wake(
    at now: Int64, _ loadTime: Int64, _ notes: inout some CourseNotes, _ account: inout ModelAccount
  ) {
    account.coldStarts += 1
    account.burst.loading += loadTime
    startsAt = now + loadTime
    notes.addReplica(from: now, to: now + loadTime)
  }

  /// Counts the busy period that has ended.
  func countBusy(_ notes: inout some CourseNotes, _ account: inout ModelAccount) {
    account.burst.busy += latestEnd - busySince
    notes.addReplica(from: busySince, to: latestEnd)
  }

  /// Counts a replica that is there without a request.
  @inline(__always)
  static func countIdle(
    from: Int64, to: Int64, _ notes: inout some CourseNotes, _ account: inout ModelAccount
  ) {
    guard to > from else { return }
    account.burst.idle += to - from
    notes.addReplica(from: from, to: to)
  }

  @inline(__always)
  private mutating func pushEnd(_ end: Int64) {
    ends.append(end)
    var child = ends.count - 1
    while child > 0, end < ends[(child - 1) / 2] {
      ends[child] = ends[(child - 1) / 2]
      child = (child - 1) / 2
    }
    ends[child] = end
  }

  @inline(__always)
  private mutating func popEnd() {
    let last = ends.removeLast()
    if ends.isEmpty { return }
    var parent = 0
    while true {
      var least = 2 * parent + 1
      if least >= ends.count { break }
      if least + 1 < ends.count, ends[least + 1] < ends[least] { least += 1 }
      if last <= ends[least] { break }
      ends[parent] = ends[least]
      parent = least
    }
    ends[parent] = last
  }
}
