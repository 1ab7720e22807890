/// One line of a report: what one tenant had of one pool of one model in one hour, at one set of rates.
public struct LedgerLine: Hashable, Sendable {
  public var namespace: String
  public var model: String
  public var pool: String
  /// ``LedgerReport/nobody``: time in an hour in which nobody was served.
  public var tenant: String
  /// Hours since 1970 (UTC).
  public var hour: Int
  public var time: ReplicaTime
  public var counts: LedgerCounts
  /// Nil: no replica time, only counts.
  public var rates: LedgerRates?
  /// Money, energy and carbon of ``time``; overflow not included.
  public var bill: Bill
}

/// What a baseline would have used in the period, and what was saved against it.
public struct LedgerComparison: Hashable, Sendable {
  public var baseline: Baseline
  public var milliseconds: Int
  public var saved: Bill
}

/// One model over the period.
public struct LedgerModelReport: Hashable, Sendable {
  public var namespace: String
  public var model: String
  /// Time of the period in which the model was there and counted.
  public var covered: Int
  /// The part of ``covered`` of which something is not known.
  public var unknown: Int
  public var time: ReplicaTime
  public var counts: LedgerCounts
  /// Nil: nothing ran.
  public var currency: String?
  public var bill: Bill
  public var comparisons: [LedgerComparison]

  /// The last advice on what a replica carries; nil: nothing was learned.
  public var capacity: LedgerBook.CapacityNote?
  /// What the waits of the period are worth at the last prices; nil: nobody says what an hour of waiting is.
  public var waiting: WaitingWorth?
  /// Replicas that were started beside the dedicated pool: at a wake, at a peak, or ahead of a request.
  public var burstStarts = 0

  /// What waiting is worth for each of ``burstStarts``, in replica-seconds: where each of them was a wake, what `pilotlight simulate
  /// --cold-start-price` asks for; nil: there was none, or no price is known.
  public var waitingPerStart: Double? {
    guard burstStarts > 0, let worth = waiting?.replicaSeconds else { return nil }
    return worth / Double(burstStarts)
  }

  /// ISO/IEC 21031 (SCI) per request, `(E x I + M) / R`, in grams of CO2 equivalent; nil: no request, or no known emissions of the
  /// energy. Embodied emissions (`M`) are in it where they are known for all replica time: ``includesEmbodied``.
  public var intensityPerRequest: Double? {
    guard let carbon = bill.carbonKg, counts.requests > 0 else { return nil }
    return (carbon + (bill.embodiedKg ?? 0)) * 1000 / Double(counts.requests)
  }

  /// ``intensityPerRequest`` has embodied emissions in it.
  public var includesEmbodied: Bool { bill.embodiedKg != nil && time.paid > 0 }
}

/// What the books say of a period.
public struct LedgerReport: Hashable, Sendable {
  /// The tenant of replica time that nobody was served in.
  public static let nobody = "none"

  public var from: Int
  public var to: Int
  /// Sorted by namespace, model, hour, pool, tenant.
  public var lines: [LedgerLine] = []
  public var models: [LedgerModelReport] = []
  /// Milliseconds of the period without data, by namespace: before its first book, and after its last one unless all slept.
  public var missing: [String: Int] = [:]

  /// - Parameters:
  ///   - books: all stored books that may have rows of the period.
  ///   - now: time that has not passed yet has no data and misses none.
  public init(_ books: [LedgerBook], from: Int, to: Int, now: Int) {
    self.from = from
    self.to = min(to, max(from, now))
    let byNamespace = Dictionary(grouping: books, by: \.namespace)
    for (namespace, books) in byNamespace.sorted(by: { $0.key < $1.key }) {
      let days = Dictionary(grouping: books, by: \.day).sorted { $0.key < $1.key }
      add(namespace, days.compactMap { LedgerBook.joined($0.value) }, now: now)
    }
  }

  private mutating func add(_ namespace: String, _ books: [LedgerBook], now: Int) {
    guard let first = books.first, let last = books.last else { return }
    let begin = max(from, first.from)
    let end = min(to, last.isAtRest ? max(last.to, now) : last.to)
    missing[namespace] = (to - from) - max(0, end - begin)
    let unknown = books.flatMap(\.gaps).reduce(0) { $0 + max(0, min($1.to, end) - max($1.from, begin)) }
    var merged: [String: ModelRows] = [:]
    for book in books {
      for (name, model) in book.models { merged[name, default: ModelRows()].add(model, book) }
    }
    let hours = LedgerBook.hour(of: from)...LedgerBook.hour(of: max(from, to - 1))
    for (name, rows) in merged.sorted(by: { $0.key < $1.key }) {
      let lines = rows.lines(namespace, name, hours)
      let covered = max(0, end - max(begin, rows.since))
      guard covered > 0 || !lines.isEmpty else { continue }
      self.lines += lines
      models.append(
        rows.report(namespace, name, hours, lines, covered: covered, unknown: min(unknown, covered)))
    }
  }
}

/// A model's rows of several books.
private struct ModelRows {
  var since = Int.max
  var replicas: [LedgerBook.UsageKey: [(rates: LedgerRates, time: ReplicaTime)]] = [:]
  var usage: [LedgerBook.UsageKey: LedgerCounts] = [:]
  var demand: [Int: BaselineDemand] = [:]
  var latest: [String: LedgerRates] = [:]
  var capacity: LedgerBook.CapacityNote?

  mutating func add(_ model: LedgerBook.Model, _ book: LedgerBook) {
    since = min(since, model.since)
    if let found = model.capacity, found.at >= capacity?.at ?? found.at { capacity = found }
    for (key, time) in model.replicas.sorted(by: { $0.key < $1.key }) {
      let place = LedgerBook.UsageKey(hour: key.hour, pool: key.pool, tenant: "")
      let rates = book.rates[key.rate]
      latest[key.pool] = rates
      if let index = replicas[place]?.firstIndex(where: { $0.rates == rates }) {
        replicas[place]?[index].time += time
      } else {
        replicas[place, default: []].append((rates, time))
      }
    }
    for (key, counts) in model.usage { usage[key, default: LedgerCounts()] += counts }
    for (hour, demand) in model.demand { self.demand[hour, default: BaselineDemand()].merge(demand) }
  }

  func lines(_ namespace: String, _ name: String, _ hours: ClosedRange<Int>) -> [LedgerLine] {
    var lines: [LedgerLine] = []
    let places = Set(replicas.keys).union(
      usage.keys.map { LedgerBook.UsageKey(hour: $0.hour, pool: $0.pool, tenant: "") })
    for place in places.sorted() where hours.contains(place.hour) {
      let tenants = usage.filter { $0.key.hour == place.hour && $0.key.pool == place.pool }
        .map { (tenant: $0.key.tenant, counts: $0.value) }.sorted { $0.tenant < $1.tenant }
      let rows = replicas[place] ?? []
      var line = LedgerLine(
        namespace: namespace, model: name, pool: place.pool, tenant: LedgerReport.nobody, hour: place.hour,
        time: ReplicaTime(), counts: LedgerCounts(), rates: nil, bill: .zero)
      guard !tenants.isEmpty else {
        for row in rows { lines.append(line.with(row.rates, row.time)) }
        continue
      }
      let weights = tenants.map(\.counts.servingMilliseconds)
      for (index, row) in rows.enumerated() {
        for (part, tenant) in zip(row.time.split(by: weights), tenants) where index == 0 || part.paid > 0 {
          line.tenant = tenant.tenant
          line.counts = index == 0 ? tenant.counts : LedgerCounts()
          lines.append(line.with(row.rates, part))
        }
        // Nobody was served in all of the hour: the time stays nobody's.
        if weights.allSatisfy({ $0 == 0 }) {
          line.tenant = LedgerReport.nobody
          line.counts = LedgerCounts()
          lines.append(line.with(row.rates, row.time))
        }
      }
      if rows.isEmpty {
        for tenant in tenants {
          line.tenant = tenant.tenant
          line.counts = tenant.counts
          lines.append(line)
        }
      }
    }
    return lines
  }

  func report(
    _ namespace: String, _ name: String, _ hours: ClosedRange<Int>, _ lines: [LedgerLine], covered: Int, unknown: Int
  ) -> LedgerModelReport {
    let time = lines.reduce(into: ReplicaTime()) { $0 += $1.time }
    let counts = lines.reduce(into: LedgerCounts()) { $0 += $1.counts }
    let bill = lines.reduce(Bill.zero) { $1.time.paid > 0 ? $0 + $1.bill : $0 }
    let demand = self.demand.filter { hours.contains($0.key) }.reduce(into: BaselineDemand()) { $0.merge($1.value) }
    let dedicated = lines.reduce(0) { $1.pool == "dedicated" ? $0 + $1.time.paid : $0 }
    // A pool that never ran has the other's rates: it is of the same model.
    let rates = ["dedicated": latest["dedicated"] ?? latest["burst"], "burst": latest["burst"] ?? latest["dedicated"]]
      .compactMapValues(\.self)
    let comparisons = Baseline.allCases.map { baseline in
      let replicas = demand.replicaTime(of: baseline, over: covered)
      let cost = LedgerBook.baselineBill(
        used: bill, dedicated: replicas.dedicated - dedicated, burst: replicas.burst - (time.paid - dedicated), rates)
      return LedgerComparison(
        baseline: baseline, milliseconds: replicas.dedicated + replicas.burst, saved: cost - bill)
    }
    return LedgerModelReport(
      namespace: namespace, model: name, covered: covered, unknown: unknown, time: time, counts: counts,
      currency: rates["burst"]?.currency, bill: bill, comparisons: comparisons, capacity: capacity,
      waiting: rates["burst"]?.waiting(milliseconds: counts.waitMilliseconds),
      burstStarts: lines.reduce(0) { $1.pool == "dedicated" ? $0 : $0 + $1.time.starts })
  }
}

extension LedgerLine {
  fileprivate func with(_ rates: LedgerRates, _ time: ReplicaTime) -> LedgerLine {
    var line = self
    line.rates = rates
    line.time = time
    line.bill = rates.bill(time)
    return line
  }
}

extension ReplicaTime {
  /// The time in parts by weight; parts sum up to the whole. All weights 0: all parts are empty.
  public func split(by weights: [Int]) -> [ReplicaTime] {
    let (loading, ready) = (Self.split(loading, by: weights), Self.split(ready, by: weights))
    let (draining, busy) = (Self.split(draining, by: weights), Self.split(busy, by: weights))
    let starts = Self.split(starts, by: weights)
    return weights.indices.map {
      ReplicaTime(loading: loading[$0], ready: ready[$0], draining: draining[$0], busy: busy[$0], starts: starts[$0])
    }
  }

  /// Cumulative shares, rounded down: no part is off by more than one, and none is lost.
  private static func split(_ whole: Int, by weights: [Int]) -> [Int] {
    let sum = weights.reduce(0.0) { $0 + Double($1) }
    guard sum > 0 else { return weights.map { _ in 0 } }
    var (cumulative, given) = (0.0, 0)
    return weights.indices.map { index in
      cumulative += Double(weights[index])
      let until = index == weights.count - 1 ? whole : Int((Double(whole) * (cumulative / sum)).rounded(.down))
      defer { given = until }
      return until - given
    }
  }
}
