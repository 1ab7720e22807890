import Testing

@testable import TimeZones

@Suite struct LocalTimeTests {
  @Test("A reading that comes once has one instant")
  func once() throws {
    let zone = try Zone(rule: Zone.berlin)
    for (reading, instant) in [
      (seconds(2026, 1, 5, 8), seconds(2026, 1, 5, 7)), (seconds(2026, 7, 6, 8), seconds(2026, 7, 6, 6)),
      (seconds(2026, 3, 29, 3), seconds(2026, 3, 29, 1)), (seconds(2026, 10, 25, 3), seconds(2026, 10, 25, 2)),
    ] {
      #expect(zone.firstInstant(showing: reading) == instant && zone.lastInstant(showing: reading) == instant)
      #expect(zone.reading(at: instant) == reading)
    }
  }

  @Test("A reading that is left out is reached when clocks go forward")
  func gap() throws {
    for (zone, change, left) in [
      (try Zone(rule: Zone.berlin), seconds(2026, 3, 29, 1), seconds(2026, 3, 29, 2)..<seconds(2026, 3, 29, 3)),
      (
        try Zone(rule: Zone.lordHowe), seconds(2026, 10, 3, 15, 30),
        seconds(2026, 10, 4, 2)..<seconds(2026, 10, 4, 2, 30)
      ),
      // Clocks go forward before midnight: the day begins at 00:00 all the same.
      (try Zone(rule: Zone.nuuk), seconds(2026, 3, 29, 1), seconds(2026, 3, 28, 23)..<seconds(2026, 3, 29)),
      // A whole day.
      (try Zone.apia(), seconds(2011, 12, 30, 10), seconds(2011, 12, 30)..<seconds(2011, 12, 31)),
    ] {
      for reading in [left.lowerBound, left.lowerBound + 1, left.upperBound - 1, left.upperBound] {
        #expect(zone.firstInstant(showing: reading) == change && zone.lastInstant(showing: reading) == change)
      }
      #expect(zone.firstInstant(showing: left.lowerBound - 1) == change - 1)
      #expect(zone.lastInstant(showing: left.upperBound + 1) == change + 1)
    }
  }

  @Test("A reading that comes twice has a first and a last instant")
  func overlap() throws {
    for (zone, change, twice) in [
      (try Zone(rule: Zone.berlin), seconds(2026, 10, 25, 1), seconds(2026, 10, 25, 2)..<seconds(2026, 10, 25, 3)),
      (try Zone(rule: Zone.newYork), seconds(2026, 11, 1, 6), seconds(2026, 11, 1, 1)..<seconds(2026, 11, 1, 2)),
      (try Zone(rule: Zone.lordHowe), seconds(2026, 4, 4, 15), seconds(2026, 4, 5, 1, 30)..<seconds(2026, 4, 5, 2)),
      (try Zone.casablanca(), seconds(2026, 2, 15, 2), seconds(2026, 2, 15, 2)..<seconds(2026, 2, 15, 3)),
    ] {
      let length = twice.upperBound - twice.lowerBound
      for reading in [twice.lowerBound, twice.lowerBound + 1, twice.upperBound - 1] {
        let first = change - length + reading - twice.lowerBound
        #expect(zone.firstInstant(showing: reading) == first)
        #expect(zone.lastInstant(showing: reading) == first + length)
      }
      #expect(zone.lastInstant(showing: twice.lowerBound - 1) == change - length - 1)
      #expect(zone.firstInstant(showing: twice.upperBound) == change + length)
    }
  }

  @Test("Weeks look alike in UTC, however far away")
  func weeks() {
    for week in [-4000, -1, 0, 1, 2000, 100_000] {
      let reading = seconds(2026, 6, 1, 8) + week * 604_800
      #expect(Zone.utc.firstInstant(showing: reading) == reading && Zone.utc.lastInstant(showing: reading) == reading)
      #expect(CivilDay.weekday(of: CivilDay.containing(reading)) == 1)
    }
  }

  @Test("What is beyond every clock is held at its bounds")
  func bounds() throws {
    let zone = try Zone(rule: Zone.berlin)
    #expect(zone.firstInstant(showing: .max) == zone.firstInstant(showing: 1 << 59))
    #expect(zone.lastInstant(showing: .min) == zone.lastInstant(showing: -(1 << 59)))
    #expect(zone.reading(at: .max) == (1 << 59) + zone.offset(at: .max))
  }
}
