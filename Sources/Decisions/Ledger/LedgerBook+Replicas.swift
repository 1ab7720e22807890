/// What the API server says of one pod's life. Wall times in milliseconds since 1970.
public struct PodTimes: Hashable, Sendable {
  public var uid: String
  public var pool: String
  /// When it got a node; nil: it has none, and nobody pays for it.
  public var scheduled: Int?
  public var isReady: Bool
  /// Since when it is ready, or not ready.
  public var readinessSince: Int?
  /// Since when it is to go; nil: it is not.
  public var drainingSince: Int?
  /// When its deletion must be over; nil: it is not being deleted.
  public var deadline: Int?
  /// When its last container ended; nil: it runs.
  public var ended: Int?

  public init(
    uid: String, pool: String, scheduled: Int?, isReady: Bool = false, readinessSince: Int? = nil,
    drainingSince: Int? = nil, deadline: Int? = nil, ended: Int? = nil
  ) {
    self.uid = uid
    self.pool = pool
    self.scheduled = scheduled
    self.isReady = isReady
    self.readinessSince = readinessSince
    self.drainingSince = drainingSince
    self.deadline = deadline
    self.ended = ended
  }
}

/// One look at a model.
public struct LedgerObservation: Hashable, Sendable {
  public var model: String
  /// When its object was created.
  public var created: Int
  public var pods: [PodTimes]
  /// Replicas wanted, over both pools.
  public var wanted: Int
  /// The fewest replicas that its requests need, over both pools: see ``ReplicaSlots/replicas(for:)``.
  public var needed: Int
  /// Dedicated replicas that the owner asks for.
  public var floor: Int
  /// Rates by pool; a pool that is missing keeps those that it had.
  public var rates: [String: LedgerRates]
  /// What is advised of a replica's load now; nil: nothing.
  public var advice: CapacityAdvice?
  /// The service is no more; its last pods may still be there.
  public var isGone = false

  public init(
    model: String, created: Int, pods: [PodTimes], wanted: Int, needed: Int, floor: Int,
    rates: [String: LedgerRates], advice: CapacityAdvice? = nil
  ) {
    self.model = model
    self.created = created
    self.pods = pods
    self.wanted = wanted
    self.needed = needed
    self.floor = floor
    self.rates = rates
    self.advice = advice
  }
}

extension LedgerBook {
  /// A model that is older than this when it is first counted is counted from now on only.
  static let newModelAge = 600_000

  /// Counts a model's replicas until now.
  public mutating func advance(_ seen: LedgerObservation, now: Int) {
    to = max(to, now)
    if models[seen.model] == nil {
      models[seen.model] = Model(since: now - seen.created > Self.newModelAge ? now : min(now, seen.created))
    }
    if models[seen.model]?.isGone == true, !seen.isGone {
      models[seen.model]?.restart(at: min(now, seen.created))
    }
    if seen.isGone { models[seen.model]?.isGone = true }
    for (pool, rates) in seen.rates.sorted(by: { $0.key < $1.key }) {
      rateInForce[seen.model, default: [:]][pool] = index(of: rates)
    }
    if let advice = seen.advice, advice.isNews(after: models[seen.model]?.capacity?.advice.target) {
      models[seen.model]?.capacity = CapacityNote(advice: advice, at: now)
    }
    countDemand(seen, now: now)
    var present: Set<String> = []
    for pod in seen.pods {
      present.insert(pod.uid)
      count(pod, of: seen.model, now: now)
    }
    let vanished = pods.filter { $0.value.model == seen.model && !present.contains($0.key) }
    for uid in vanished.keys.sorted() { countVanished(uid, now: now) }
  }

  // MARK: - Pods

  private mutating func count(_ pod: PodTimes, of model: String, now: Int) {
    guard let scheduled = pod.scheduled, pods[pod.uid]?.hasEnded != true else { return }
    let end = min(now, pod.ended ?? now)
    if pods[pod.uid] == nil {
      // One that ended before this book began was counted by an earlier one.
      if let ended = pod.ended, ended <= from { return }
      let midnight = day * Self.hoursPerDay * Self.millisecondsPerHour
      let start = min(max(scheduled, midnight), now)
      pods[pod.uid] = PodRecord(model: model, pool: pod.pool, phase: .loading, counted: start)
      if scheduled >= midnight { bookStart(of: model, pod.pool, at: start) }
    }
    let (phase, since) = Self.phase(of: pod)
    if let record = pods[pod.uid], record.phase != phase {
      let change = min(end, max(record.counted, since ?? end))
      book(pod.uid, until: change)
      // What it was ready for before it was named to go may not have been seen.
      pods[pod.uid]?.phase = phase
    }
    pods[pod.uid]?.deadline = pod.deadline
    book(pod.uid, until: end)
    settle(pod.uid, now: now)
    // Kept until its object goes: it must not be counted again.
    if pod.ended != nil { pods[pod.uid]?.hasEnded = true }
  }

  private static func phase(of pod: PodTimes) -> (ReplicaPhase, since: Int?) {
    if let since = pod.drainingSince { return (.draining, since) }
    return (pod.isReady ? .ready : .loading, pod.readinessSince)
  }

  /// A pod is gone and was not seen to end: it is paid for until now, or until its deletion had to be over. Where nobody
  /// watched, that is a bound and not a measure, and the ledger says so.
  private mutating func countVanished(_ uid: String, now: Int) {
    guard let record = pods[uid] else { return }
    guard !record.hasEnded else {
      settle(uid, now: now)
      pods[uid] = nil
      return
    }
    let end = max(record.counted, min(now, record.deadline ?? now))
    if let resumedAt, record.counted <= resumedAt { note(Gap(from: record.counted, to: end)) }
    book(uid, until: end)
    settle(uid, now: now)
    pods[uid] = nil
  }

  private mutating func note(_ gap: Gap) {
    guard gap.to > gap.from else { return }
    // Joined where they overlap; bounded, because a cluster may lose pods for days.
    if let last = gaps.last, gap.from <= last.to || gaps.count >= 64 {
      gaps[gaps.count - 1] = Gap(from: min(last.from, gap.from), to: max(last.to, gap.to))
    } else {
      gaps.append(gap)
    }
  }

  private mutating func bookStart(of model: String, _ pool: String, at moment: Int) {
    let rate = rateIndex(model, pool)
    let key = ReplicaKey(hour: Self.hour(of: moment), pool: pool, rate: rate)
    models[model]?.replicas[key, default: ReplicaTime()].starts += 1
    models[model]?.total[PoolRate(pool: pool, rate: rate), default: ReplicaTime()].starts += 1
  }

  /// Counts a pod's time in its present phase, hour by hour.
  private mutating func book(_ uid: String, until end: Int) {
    guard let record = pods[uid], end > record.counted else { return }
    let rate = rateIndex(record.model, record.pool)
    for (hour, milliseconds) in Self.hours(from: record.counted, to: end) {
      models[record.model]?.replicas[ReplicaKey(hour: hour, pool: record.pool, rate: rate), default: ReplicaTime()]
        .add(milliseconds, record.phase)
      models[record.model]?.total[PoolRate(pool: record.pool, rate: rate), default: ReplicaTime()]
        .add(milliseconds, record.phase)
    }
    if record.phase == .ready { pods[uid]?.credit += end - record.counted }
    pods[uid]?.counted = end
  }

  /// Books what gateways have said of a pod's busy time, as far as it was ready.
  private mutating func settle(_ uid: String, now: Int) {
    guard let record = pods[uid], !record.pending.isEmpty, record.credit > 0 else { return }
    let union = Self.union(record.pending.values.sorted(), within: record.credit)
    let booked = min(union, record.credit)
    guard booked > 0 else { return }
    pods[uid]?.credit -= booked
    // More than one gateway: their overlap is settled now; one alone keeps what had no room yet.
    pods[uid]?.pending = record.pending.count == 1 && union > booked ? record.pending.mapValues { $0 - booked } : [:]
    bookBusy(booked, of: record, now: now)
  }

  /// Time in which some gateway had a request in flight, from what each says alone. It lies between the largest and the sum;
  /// gateways that send independently of each other overlap by chance: `within x (1 - product(1 - busy / within))`.
  package static func union(_ parts: [Int], within: Int) -> Int {
    guard parts.count > 1, within > 0 else { return parts.first ?? 0 }
    let window = Double(within)
    let free = parts.reduce(1.0) { $0 * (1 - min(1, Double($1) / window)) }
    return max(parts.max() ?? 0, min(parts.reduce(0, +), Int((window * (1 - free)).rounded())))
  }

  /// Busy time comes a second late: what its hour has no room for was of an hour before.
  private mutating func bookBusy(_ milliseconds: Int, of record: PodRecord, now: Int) {
    var left = milliseconds
    let keys = (models[record.model]?.replicas.keys.filter { $0.pool == record.pool } ?? []).sorted(by: >)
    for key in keys where left > 0 {
      guard let time = models[record.model]?.replicas[key] else { continue }
      let part = min(left, time.ready - time.busy)
      guard part > 0 else { continue }
      models[record.model]?.replicas[key]?.busy += part
      models[record.model]?.total[PoolRate(pool: key.pool, rate: key.rate)]?.busy += part
      left -= part
    }
    // Rows of the ready time may be in an earlier book: the total knows it still.
    guard left > 0 else { return }
    let rate = rateIndex(record.model, record.pool)
    models[record.model]?.total[PoolRate(pool: record.pool, rate: rate)]?.busy += left
  }

  // MARK: - Demand

  private mutating func countDemand(_ seen: LedgerObservation, now: Int) {
    guard var model = models[seen.model] else { return }
    let needed = seen.wanted > 0 ? seen.needed : 0
    if let course = model.course, course.wanted > 0, now > course.at {
      // Where nobody looked, the less of before and after counts.
      let isWatched = resumedAt.map { course.at > $0 } ?? true
      let held = isWatched ? course.needed : min(course.needed, needed)
      for (hour, milliseconds) in Self.hours(from: course.at, to: now) {
        model.demand[hour, default: BaselineDemand()].hold(held, floor: course.floor, for: milliseconds)
      }
    }
    if seen.wanted > 0 {
      model.demand[Self.hour(of: now), default: BaselineDemand()].hold(needed, floor: seen.floor, for: 0)
      model.peak = max(model.peak, needed, seen.floor)
    }
    model.course = Course(
      at: max(now, model.course?.at ?? now), wanted: seen.wanted, floor: seen.floor, needed: needed)
    models[seen.model] = model
  }

  // MARK: - Rates

  mutating func index(of rates: LedgerRates) -> Int {
    if let known = self.rates.lastIndex(of: rates) { return known }
    self.rates.append(rates)
    return self.rates.count - 1
  }

  private mutating func rateIndex(_ model: String, _ pool: String) -> Int {
    if let known = rateInForce[model]?[pool] { return known }
    // A new leader has not seen the service yet: as it was.
    if let last = models[model]?.total.keys.filter({ $0.pool == pool }).max() { return last.rate }
    return index(of: LedgerRates())
  }

  /// The rates in force for a pool; nil: none were told.
  public func rates(of model: String, _ pool: String) -> LedgerRates? {
    rateInForce[model]?[pool].map { rates[$0] }
  }

  /// The parts of a time by hour.
  static func hours(from start: Int, to end: Int) -> [(hour: Int, milliseconds: Int)] {
    var parts: [(hour: Int, milliseconds: Int)] = []
    var at = start
    while at < end {
      let hour = hour(of: at)
      let next = min(end, (hour + 1) * millisecondsPerHour)
      parts.append((hour, next - at))
      at = next
    }
    return parts
  }
}

extension LedgerBook.Model {
  /// Another service has its name now: rows stay, what is summed up since its beginning does not.
  fileprivate mutating func restart(at since: Int) {
    (isGone, self.since, total, totalCounts, peak, course) = (false, since, [:], LedgerCounts(), 0, nil)
    note = ""
    capacity = nil
  }
}
