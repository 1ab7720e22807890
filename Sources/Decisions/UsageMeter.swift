/// Integrates the replicas of one model over time, and compares them with never sleeping.
public struct UsageMeter: Hashable, Sendable {
  public private(set) var dedicatedSeconds: Double
  public private(set) var burstSeconds: Double
  /// Time since counting began.
  public private(set) var elapsedSeconds: Double
  /// The moment with the most replicas in all.
  public private(set) var peakDedicated: Int
  public private(set) var peakBurst: Int
  private var presentDedicated = 0
  private var presentBurst = 0
  private var at: Duration

  /// - Parameters: what an earlier controller counted, to go on from.
  public init(
    at now: Duration, elapsedSeconds: Double = 0, dedicatedSeconds: Double = 0, burstSeconds: Double = 0,
    peakDedicated: Int = 0, peakBurst: Int = 0
  ) {
    at = now
    self.elapsedSeconds = elapsedSeconds
    self.dedicatedSeconds = dedicatedSeconds
    self.burstSeconds = burstSeconds
    self.peakDedicated = peakDedicated
    self.peakBurst = peakBurst
  }

  /// Counts the replicas present until now, and notes how many there are from now on.
  public mutating func advance(to now: Duration, dedicated: Int, burst: Int) {
    let passed = max(0, (now - at).inSeconds)
    dedicatedSeconds += Double(presentDedicated) * passed
    burstSeconds += Double(presentBurst) * passed
    elapsedSeconds += passed
    at = max(at, now)
    presentDedicated = dedicated
    presentBurst = burst
    if dedicated + burst > peakDedicated + peakBurst {
      peakDedicated = dedicated
      peakBurst = burst
    }
  }

  public var dedicatedHours: Double { dedicatedSeconds / 3600 }
  public var burstHours: Double { burstSeconds / 3600 }

  /// What was used, against keeping the peak on for the whole time. A model that never ran is compared with one replica.
  public func savings(_ economics: Economics) -> Savings {
    let hours = elapsedSeconds / 3600
    let (dedicated, burst) = peakDedicated + peakBurst > 0 ? (peakDedicated, peakBurst) : (0, 1)
    let used = economics.bill(dedicatedHours: dedicatedHours, burstHours: burstHours)
    let baseline = economics.bill(dedicatedHours: Double(dedicated) * hours, burstHours: Double(burst) * hours)
    let baselineHours = Double(dedicated + burst) * hours
    var percent: Double?
    if let cost = used.cost, let always = baseline.cost, always > 0 {
      percent = (1 - cost / always) * 100
    } else if baselineHours > 0 {
      percent = (1 - (dedicatedHours + burstHours) / baselineHours) * 100
    }
    return Savings(
      used: used, baselineReplicaHours: baselineHours,
      saved: Bill(
        cost: difference(baseline.cost, used.cost), energyKWh: difference(baseline.energyKWh, used.energyKWh),
        carbonKg: difference(baseline.carbonKg, used.carbonKg)),
      percent: percent.map { Int($0.rounded(.towardZero)) })
  }

  private func difference(_ baseline: Double?, _ used: Double?) -> Double? {
    guard let baseline, let used else { return nil }
    return baseline - used
  }
}

/// A bill, and what it is less than.
public struct Savings: Hashable, Sendable {
  /// Name of the baseline: as many replicas as at the peak, all the time.
  public static let baseline = "AlwaysOnPeak"
  public var used: Bill
  public var baselineReplicaHours: Double
  public var saved: Bill
  /// Of the baseline's cost where prices are known, else of its replica-hours; nil: no time has passed.
  public var percent: Int?
}
