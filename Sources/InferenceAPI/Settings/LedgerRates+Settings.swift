import Decisions

/// What a pool's replicas run on, as its pod template says.
public struct ReplicaHardware: Hashable, Sendable {
  /// `nodeSelector` of its pods.
  public var nodes: [String: String]
  /// Devices of a replica (`nvidia.com/gpu`).
  public var accelerators: Int

  public init(nodes: [String: String] = [:], accelerators: Int = 0) {
    self.nodes = nodes
    self.accelerators = accelerators
  }

  /// The device that its nodes' labels name; nil: none that the table has.
  var accelerator: AcceleratorPower? {
    AcceleratorPower.labels.lazy.compactMap { nodes[$0].flatMap(AcceleratorPower.named) }.first
  }
}

extension InstallationSettings {
  /// What a replica of a pool costs: by the service's own `spec.economics`, then by what is set for the nodes that the pool asks
  /// for, for its namespace, and for all, then by the tables shipped. Each figure names its source. Prices of another currency
  /// than the service's own are left out: no rate of exchange is known.
  public func rates(
    of service: InferenceService, _ own: EconomicsSpec.ReplicaCost?, _ hardware: ReplicaHardware
  ) -> LedgerRates {
    let currency = service.spec.economics?.currency ?? self.currency
    let layers = [
      nodes.first { hardware.nodes[$0.label] == $0.value }?.rates, namespaces[service.key.namespace], fallback,
    ].compactMap(\.self)
    var rates = LedgerRates(currency: currency)
    if let price = own?.hourlyPrice?.doubleValue {
      (rates.hourlyPrice, rates.priceMethod) = (price, .spec)
    } else if currency == self.currency, let price = layers.lazy.compactMap(\.hourlyPrice).first {
      (rates.hourlyPrice, rates.priceMethod) = (price, .settings)
    }
    setPower(&rates, own, hardware, layers)
    rates.waitingHourlyPrice = service.spec.economics?.waitingHourlyPrice?.doubleValue
    if let grams = service.spec.economics?.carbonGramsPerKWh {
      (rates.carbonGramsPerKWh, rates.carbonMethod) = (Double(grams), .spec)
    } else {
      // A region that is told closer holds before a figure that is told farther off.
      let layer = layers.first { $0.grams != nil }
      rates.carbonGramsPerKWh = layer?.grams ?? GridRegion.world.grams
      rates.carbonMethod = layer?.carbonGramsPerKWh != nil ? .settings : .table
    }
    if let effectiveness = layers.lazy.compactMap(\.effectiveness).first {
      (rates.effectiveness, rates.effectivenessMethod) = (effectiveness, .settings)
    } else {
      let region = layers.lazy.compactMap(\.region).first ?? .world
      (rates.effectiveness, rates.effectivenessMethod) = (region.effectiveness, .table)
    }
    if let embodied = layers.lazy.compactMap(\.embodiedGramsPerHour).first {
      (rates.embodiedGramsPerHour, rates.embodiedMethod) = (embodied, .settings)
    }
    return rates
  }

  /// Watts under load; idle watts are the table's share of them where the accelerator is known, else the same.
  private func setPower(
    _ rates: inout LedgerRates, _ own: EconomicsSpec.ReplicaCost?, _ hardware: ReplicaHardware, _ layers: [Rates]
  ) {
    let device = hardware.accelerator
    let idleShare = device.map { $0.idleWatts / $0.busyWatts } ?? 1
    func set(_ busy: Double, _ method: RateMethod) {
      (rates.busyWatts, rates.idleWatts, rates.powerMethod) = (busy, busy * idleShare, method)
    }
    if let watts = own?.powerWatts {
      set(Double(watts), .spec)
    } else if let watts = layers.lazy.compactMap(\.powerWatts).first {
      set(watts, .settings)
    } else if let device, hardware.accelerators > 0 {
      set(device.busyWatts * Double(hardware.accelerators), .table)
    }
  }
}
