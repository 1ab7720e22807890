/// A model's account since it is counted: what its status shows.
public struct LedgerSummary: Hashable, Sendable {
  /// Wall time in milliseconds since 1970.
  public var since: Int
  public var elapsed: Int
  public var dedicated: ReplicaTime
  /// With the canary's.
  public var burst: ReplicaTime
  public var counts: LedgerCounts
  public var currency: String
  public var used: Bill
  /// Of the baseline ``Baseline/alwaysOnPeak``.
  public var baselineMilliseconds: Int
  public var saved: Bill

  public init(
    since: Int, elapsed: Int, dedicated: ReplicaTime = ReplicaTime(), burst: ReplicaTime = ReplicaTime(),
    counts: LedgerCounts = LedgerCounts(), currency: String = "USD", used: Bill = Bill(),
    baselineMilliseconds: Int = 0, saved: Bill = Bill()
  ) {
    self.since = since
    self.elapsed = elapsed
    self.dedicated = dedicated
    self.burst = burst
    self.counts = counts
    self.currency = currency
    self.used = used
    self.baselineMilliseconds = baselineMilliseconds
    self.saved = saved
  }

  /// What was saved in percent of the baseline: of its cost, or of its time where there is no price; nil: no time has passed.
  public var percent: Int? {
    if let cost = used.cost, let saved = saved.cost, cost + saved > 0 {
      return Int((saved / (cost + saved) * 100).rounded(.towardZero))
    }
    guard baselineMilliseconds > 0 else { return nil }
    let share = 1 - Double(dedicated.paid + burst.paid) / Double(baselineMilliseconds)
    return Int((share * 100).rounded(.towardZero))
  }
}

extension LedgerBook {
  /// A model's account until now; nil: nothing was counted of it. What had no price, no power or no carbon intensity when it
  /// was used counts at the present rates.
  public func summary(of name: String, now: Int) -> LedgerSummary? {
    guard let model = models[name] else { return nil }
    let present = Dictionary(
      ["dedicated", "burst", "canary"].map { ($0, rates(of: name, $0) ?? LedgerRates()) }, uniquingKeysWith: { $1 })
    var summary = LedgerSummary(since: model.since, elapsed: max(0, now - model.since), counts: model.totalCounts)
    summary.currency = (present["burst"] ?? LedgerRates()).currency
    var used = Bill.zero
    for (key, time) in model.total.sorted(by: { $0.key < $1.key }) {
      if key.pool == "dedicated" { summary.dedicated += time } else { summary.burst += time }
      let rates = rates[key.rate].completed(by: present[key.pool] ?? LedgerRates())
      if time.paid > 0 { used = used + rates.bill(time) }
    }
    let floor = model.course?.floor ?? 0
    let baseline = BaselineDemand(peak: model.peak, floor: floor, dedicated: floor * summary.elapsed)
      .replicaTime(of: .alwaysOnPeak, over: summary.elapsed)
    summary.baselineMilliseconds = baseline.dedicated + baseline.burst
    summary.used = used
    summary.saved =
      Self.baselineBill(
        used: used, dedicated: baseline.dedicated - summary.dedicated.paid,
        burst: baseline.burst - summary.burst.paid, present)
      - used
    // Without a rate for anything that counts, nothing is known, not even zero.
    if present["dedicated"]?.hourlyPrice == nil, present["burst"]?.hourlyPrice == nil { summary.used.cost = nil }
    if present["dedicated"]?.busyWatts == nil, present["burst"]?.busyWatts == nil {
      (summary.used.energyKWh, summary.used.carbonKg) = (nil, nil)
    } else if present["burst"]?.carbonGramsPerKWh == nil, present["dedicated"]?.carbonGramsPerKWh == nil {
      summary.used.carbonKg = nil
    }
    if present["dedicated"]?.embodiedGramsPerHour == nil, present["burst"]?.embodiedGramsPerHour == nil {
      summary.used.embodiedKg = nil
    }
    return summary
  }

  /// The bill of a baseline: of what ran, and of what it has beyond that by pool, which stands idle.
  static func baselineBill(used: Bill, dedicated: Int, burst: Int, _ rates: [String: LedgerRates]) -> Bill {
    var bill = used
    for (pool, milliseconds) in [("dedicated", dedicated), ("burst", burst)] where milliseconds != 0 {
      bill = bill + (rates[pool] ?? LedgerRates()).idleBill(milliseconds: milliseconds)
    }
    return bill
  }
}

extension LedgerRates {
  /// These rates, and for what they do not know another's of the same currency.
  func completed(by other: LedgerRates) -> LedgerRates {
    var rates = self
    if hourlyPrice == nil { (rates.hourlyPrice, rates.currency) = (other.hourlyPrice, other.currency) }
    if busyWatts == nil {
      (rates.busyWatts, rates.idleWatts) = (other.busyWatts, other.idleWatts)
      rates.effectiveness = other.effectiveness
    }
    if carbonGramsPerKWh == nil { rates.carbonGramsPerKWh = other.carbonGramsPerKWh }
    if embodiedGramsPerHour == nil { rates.embodiedGramsPerHour = other.embodiedGramsPerHour }
    return rates
  }
}
