/// Prices and power of one pool's replica; nil: not told.
public struct ReplicaPrice: Hashable, Sendable {
  /// Money per replica and hour, in the currency of the ``Economics`` it belongs to.
  public var perHour: Double?
  /// Watts drawn by one replica.
  public var powerWatts: Double?
  public init(perHour: Double? = nil, powerWatts: Double? = nil) {
    self.perHour = perHour
    self.powerWatts = powerWatts
  }
}

/// What replicas cost: money, power, and the carbon of that power.
public struct Economics: Hashable, Sendable {
  /// ISO 4217 code.
  public var currency: String
  public var dedicated: ReplicaPrice
  public var burst: ReplicaPrice
  /// Grams of CO2 equivalent per kWh of the grid.
  public var carbonGramsPerKWh: Double?
  public init(
    currency: String = "USD", dedicated: ReplicaPrice = ReplicaPrice(), burst: ReplicaPrice = ReplicaPrice(),
    carbonGramsPerKWh: Double? = nil
  ) {
    self.currency = currency
    self.dedicated = dedicated
    self.burst = burst
    self.carbonGramsPerKWh = carbonGramsPerKWh
  }

  /// The bill for replica-hours of both pools; a part is nil where no price, power or carbon intensity is known.
  public func bill(dedicatedHours: Double, burstHours: Double) -> Bill {
    func sum(_ rate: (ReplicaPrice) -> Double?) -> Double? {
      let (dedicatedRate, burstRate) = (rate(dedicated), rate(burst))
      // A pool without a rate is only an obstacle if it was used.
      if dedicatedRate == nil && burstRate == nil { return nil }
      if dedicatedRate == nil && dedicatedHours > 0 || burstRate == nil && burstHours > 0 { return nil }
      return (dedicatedRate ?? 0) * dedicatedHours + (burstRate ?? 0) * burstHours
    }
    let energy = sum(\.powerWatts).map { $0 / 1000 }
    var carbon: Double?
    if let energy, let carbonGramsPerKWh { carbon = energy * carbonGramsPerKWh / 1000 }
    return Bill(cost: sum(\.perHour), energyKWh: energy, carbonKg: carbon)
  }
}

/// What some replica-hours cost; nil parts could not be computed.
public struct Bill: Hashable, Sendable {
  public var cost: Double?
  public var energyKWh: Double?
  /// Of the energy.
  public var carbonKg: Double?
  /// Share of what making the hardware emitted.
  public var embodiedKg: Double?
  public init(cost: Double? = nil, energyKWh: Double? = nil, carbonKg: Double? = nil, embodiedKg: Double? = nil) {
    self.cost = cost
    self.energyKWh = energyKWh
    self.carbonKg = carbonKg
    self.embodiedKg = embodiedKg
  }
}
