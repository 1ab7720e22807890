import Decisions
import Testing

@Suite struct UsageMeterTests {
  @Test("Replicas are integrated, and compared with the peak kept on all the time")
  func savings() {
    var meter = UsageMeter(at: .seconds(0))
    meter.advance(to: .seconds(0), dedicated: 1, burst: 0)
    meter.advance(to: .seconds(3600), dedicated: 1, burst: 3)
    meter.advance(to: .seconds(7200), dedicated: 1, burst: 0)
    meter.advance(to: .seconds(36_000), dedicated: 1, burst: 0)
    #expect(meter.dedicatedHours == 10)
    #expect(meter.burstHours == 3)
    let economics = Economics(dedicated: ReplicaPrice(perHour: 1), burst: ReplicaPrice(perHour: 2, powerWatts: 100))
    let savings = meter.savings(economics)
    #expect(savings.baselineReplicaHours == 40)
    #expect(savings.used.cost == 16)
    #expect(savings.saved.cost == 54)
    #expect(savings.percent == 77)
    #expect(savings.saved.energyKWh == nil)
    #expect(meter.savings(Economics()).percent == 67)
  }

  @Test("A model that never ran is compared with one replica, and counting goes on from an earlier count")
  func continues() {
    var idle = UsageMeter(at: .seconds(5))
    idle.advance(to: .seconds(3605), dedicated: 0, burst: 0)
    #expect(idle.savings(Economics()).percent == 100)
    #expect(idle.savings(Economics()).baselineReplicaHours == 1)
    var later = UsageMeter(at: .zero, elapsedSeconds: 3600, burstSeconds: 1800, peakBurst: 2)
    later.advance(to: .seconds(3600), dedicated: 0, burst: 1)
    later.advance(to: .seconds(7200), dedicated: 0, burst: 0)
    #expect(later.burstHours == 1.5)
    #expect(later.savings(Economics()).baselineReplicaHours == 6)
  }
}
