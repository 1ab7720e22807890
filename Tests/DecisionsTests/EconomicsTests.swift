import Decisions
import Testing

@Suite struct EconomicsTests {
  @Test("A bill adds both pools, and is left open where a used pool has no price")
  func bill() {
    let both = Economics(
      dedicated: ReplicaPrice(perHour: 3, powerWatts: 700), burst: ReplicaPrice(perHour: 1, powerWatts: 300),
      carbonGramsPerKWh: 400)
    let bill = both.bill(dedicatedHours: 10, burstHours: 5)
    #expect(bill.cost == 35)
    #expect(bill.energyKWh == 8.5)
    #expect(abs((bill.carbonKg ?? 0) - 3.4) < 1e-9)

    let burstOnly = Economics(burst: ReplicaPrice(perHour: 2))
    #expect(burstOnly.bill(dedicatedHours: 0, burstHours: 4).cost == 8)
    #expect(burstOnly.bill(dedicatedHours: 1, burstHours: 4).cost == nil)
    #expect(burstOnly.bill(dedicatedHours: 0, burstHours: 4).energyKWh == nil)
  }
}
