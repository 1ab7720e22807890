import Testing

@testable import Decisions

@Suite struct LedgerRatesTests {
  private let rates = LedgerRates(
    currency: "EUR", hourlyPrice: 3, priceMethod: .spec, idleWatts: 100, busyWatts: 700, powerMethod: .table,
    effectiveness: 1.2, effectivenessMethod: .settings, carbonGramsPerKWh: 50, carbonMethod: .spec)
  private let hour = 3_600_000

  @Test("By hand: all paid time costs the same, busy time draws more")
  func bill() throws {
    // 1 h loading, 4 h ready of which 2 h busy, 1 h draining.
    let bill = rates.bill(ReplicaTime(loading: hour, ready: 4 * hour, draining: hour, busy: 2 * hour))
    #expect(bill.cost == 18)
    // (100 x 6 + 600 x 2) x 1.2 / 1000
    let energy = try #require(bill.energyKWh)
    #expect(abs(energy - 2.16) < 1e-12)
    #expect(abs((bill.carbonKg ?? 0) - 0.108) < 1e-12)
    #expect(rates.idleBill(milliseconds: 2 * hour) == rates.bill(ReplicaTime(ready: 2 * hour)))
  }

  @Test("What is not known is left out, and idle watts that are not known count as busy ones")
  func unknown() {
    let time = ReplicaTime(ready: hour)
    #expect(LedgerRates().bill(time) == Bill())
    var some = rates
    some.idleWatts = nil
    #expect(abs((some.bill(time).energyKWh ?? 0) - 0.84) < 1e-12)
    some.busyWatts = nil
    #expect(some.bill(time).energyKWh == nil && some.bill(time).carbonKg == nil && some.bill(time).cost == 3)
    some = rates
    some.carbonGramsPerKWh = nil
    #expect(some.bill(time).energyKWh != nil && some.bill(time).carbonKg == nil)
    some.hourlyPrice = nil
    #expect(some.bill(time).cost == nil)
  }

  @Test("Embodied emissions are of all paid time, whatever a replica does; without a figure they are not known")
  func embodied() {
    var some = rates
    (some.embodiedGramsPerHour, some.embodiedMethod) = (5, .settings)
    let bill = some.bill(ReplicaTime(loading: hour, ready: 4 * hour, draining: hour, busy: 2 * hour))
    #expect(bill.embodiedKg == 0.03)
    #expect(
      bill.carbonKg == rates.bill(ReplicaTime(loading: hour, ready: 4 * hour, draining: hour, busy: 2 * hour)).carbonKg)
    #expect(rates.bill(ReplicaTime(ready: hour)).embodiedKg == nil)
    #expect((bill + bill).embodiedKg == 0.06 && (bill - bill).embodiedKg == 0 && (bill + Bill()).embodiedKg == nil)
    #expect(LedgerRates().completed(by: some).embodiedGramsPerHour == 5)
    some.embodiedGramsPerHour = 1
    #expect(some.completed(by: rates).embodiedGramsPerHour == 1)
  }

  @Test("Bills add up and are taken off part by part, where both know the part")
  func sums() {
    let (one, other) = (Bill(cost: 3, energyKWh: 2, carbonKg: nil), Bill(cost: 1, energyKWh: nil, carbonKg: nil))
    #expect(one + other == Bill(cost: 4, energyKWh: nil, carbonKg: nil))
    #expect(one - other == Bill(cost: 2, energyKWh: nil, carbonKg: nil))
    #expect(Bill.zero + one == Bill(cost: 3, energyKWh: 2, carbonKg: nil))
  }

  @Test(
    "Rates that lack something take it from those of now, with the currency and the power's site share; what they know stays"
  )
  func completed() {
    let bare = LedgerRates(currency: "USD", effectiveness: 1.58, effectivenessMethod: .table).completed(by: rates)
    #expect(bare.hourlyPrice == 3 && bare.currency == "EUR" && bare.busyWatts == 700 && bare.effectiveness == 1.2)
    #expect(bare.carbonGramsPerKWh == 50)
    let own = LedgerRates(currency: "USD", hourlyPrice: 9, busyWatts: 300, effectiveness: 2, carbonGramsPerKWh: 1)
    #expect(own.completed(by: rates) == own)
  }

  @Test("Shares of a time by weight: none is lost, none is off by more than a millisecond, and nobody's is empty")
  func split() {
    let time = ReplicaTime(loading: 1001, ready: 9_999_999, draining: 7, busy: 5_000_001, starts: 41)
    for weights in [[1], [1, 1], [0, 5], [3, 0, 9, 1, 1_000_000_007], Array(1...97)] {
      let parts = time.split(by: weights)
      #expect(parts.reduce(into: ReplicaTime()) { $0 += $1 } == time)
      let sum = weights.reduce(0, +)
      for (part, weight) in zip(parts, weights) {
        #expect(abs(Double(part.ready) - Double(time.ready) * Double(weight) / Double(sum)) <= 1)
        if weight == 0 { #expect(part.paid <= 1) }
      }
    }
    #expect(time.split(by: [0, 0]).allSatisfy { $0 == ReplicaTime() })
  }
}
