/// Where a rate comes from, by closeness to the service.
public enum RateMethod: String, Hashable, Sendable {
  /// `spec.economics` of the service.
  case spec
  /// The installation's settings: of the nodes, the namespace, or all.
  case settings
  /// A table shipped with Pilotlight.
  case table
  /// Nobody says; the figure is left out.
  case none
}

/// What one pool's replica cost at a time, each figure with its source.
public struct LedgerRates: Hashable, Sendable {
  /// ISO 4217 code.
  public var currency: String
  /// Money per replica and hour.
  public var hourlyPrice: Double?
  public var priceMethod: RateMethod
  /// Watts of a replica that has no request.
  public var idleWatts: Double?
  /// Watts of a replica under load.
  public var busyWatts: Double?
  public var powerMethod: RateMethod
  /// Power usage effectiveness (ISO/IEC 30134-2): the site's energy per energy of its computers.
  public var effectiveness: Double
  public var effectivenessMethod: RateMethod
  /// Grams of CO2 equivalent per kWh of the grid, by location.
  public var carbonGramsPerKWh: Double?
  public var carbonMethod: RateMethod
  /// Grams of CO2 equivalent that making a replica's hardware emitted, per hour of its life (ISO/IEC 21031: `TE / EL`).
  public var embodiedGramsPerHour: Double?
  public var embodiedMethod: RateMethod
  /// Money per hour of one waiting request (`spec.economics.waitingHourlyPrice`).
  public var waitingHourlyPrice: Double?

  public init(
    currency: String = "USD", hourlyPrice: Double? = nil, priceMethod: RateMethod = .none, idleWatts: Double? = nil,
    busyWatts: Double? = nil, powerMethod: RateMethod = .none, effectiveness: Double = 1,
    effectivenessMethod: RateMethod = .none, carbonGramsPerKWh: Double? = nil, carbonMethod: RateMethod = .none,
    embodiedGramsPerHour: Double? = nil, embodiedMethod: RateMethod = .none, waitingHourlyPrice: Double? = nil
  ) {
    self.currency = currency
    self.hourlyPrice = hourlyPrice
    self.priceMethod = priceMethod
    self.idleWatts = idleWatts
    self.busyWatts = busyWatts
    self.powerMethod = powerMethod
    self.effectiveness = effectiveness
    self.effectivenessMethod = effectivenessMethod
    self.carbonGramsPerKWh = carbonGramsPerKWh
    self.carbonMethod = carbonMethod
    self.embodiedGramsPerHour = embodiedGramsPerHour
    self.embodiedMethod = embodiedMethod
    self.waitingHourlyPrice = waitingHourlyPrice
  }

  /// What the time costs: money, kWh with the site's share, kg of CO2 equivalent; nil parts are not known.
  ///
  /// Energy is `idle watts x paid time + (busy - idle watts) x busy time`, times the effectiveness. Loading and draining
  /// replicas count as idle ones but for what of their time is known to be busy.
  public func bill(_ time: ReplicaTime) -> Bill {
    let (paid, busy) = (Double(time.paid) / 3_600_000, Double(time.busy) / 3_600_000)
    var energy: Double?
    if let busyWatts {
      let idle = idleWatts ?? busyWatts
      energy = (idle * paid + (busyWatts - idle) * busy) * effectiveness / 1000
    }
    var carbon: Double?
    if let energy, let carbonGramsPerKWh { carbon = energy * carbonGramsPerKWh / 1000 }
    return Bill(
      cost: hourlyPrice.map { $0 * paid }, energyKWh: energy, carbonKg: carbon,
      embodiedKg: embodiedGramsPerHour.map { $0 * paid / 1000 })
  }

  /// What so much waiting is worth to callers; nil: nobody says what an hour of it is.
  public func waiting(milliseconds: Int) -> WaitingWorth? {
    waitingHourlyPrice.map { price in
      let cost = price * Double(milliseconds) / 3_600_000
      return WaitingWorth(
        hourlyPrice: price, cost: cost, replicaSeconds: hourlyPrice.flatMap { $0 > 0 ? cost / $0 * 3600 : nil })
    }
  }

  /// The bill for replicas that stand idle: what a baseline has beyond what ran.
  public func idleBill(milliseconds: Int) -> Bill { bill(ReplicaTime(ready: milliseconds)) }
}

/// What callers' waiting is worth, in money and in time of a replica: the second is what a cold start is weighed by.
public struct WaitingWorth: Hashable, Sendable {
  /// Money per hour of one waiting request.
  public var hourlyPrice: Double
  public var cost: Double
  /// How long a replica runs for the same money; nil: its price is not known, or 0.
  public var replicaSeconds: Double?
}

extension Bill {
  /// A part is known where both know it.
  public static func + (left: Bill, right: Bill) -> Bill {
    func sum(_ part: (Bill) -> Double?) -> Double? {
      guard let one = part(left), let other = part(right) else { return nil }
      return one + other
    }
    return Bill(
      cost: sum(\.cost), energyKWh: sum(\.energyKWh), carbonKg: sum(\.carbonKg), embodiedKg: sum(\.embodiedKg))
  }

  public static func - (left: Bill, right: Bill) -> Bill {
    left
      + Bill(
        cost: right.cost.map(-), energyKWh: right.energyKWh.map(-), carbonKg: right.carbonKg.map(-),
        embodiedKg: right.embodiedKg.map(-))
  }

  /// Nothing at all, all of it known.
  public static let zero = Bill(cost: 0, energyKWh: 0, carbonKg: 0, embodiedKg: 0)
}
