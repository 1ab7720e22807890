import Testing

@testable import TimeZones

@Suite struct ZoneRuleTests {
  @Test(
    "A rule says when clocks change",
    arguments: [
      // Central Europe, at 01:00 UTC both times.
      (Zone.berlin, 2026, seconds(2026, 3, 29, 1), seconds(2026, 10, 25, 1), 3600, 7200),
      (Zone.newYork, 2026, seconds(2026, 3, 8, 7), seconds(2026, 11, 1, 6), -18_000, -14_400),
      (Zone.nuuk, 2026, seconds(2026, 3, 29, 1), seconds(2026, 10, 25, 1), -7200, -3600),
      // Half an hour, and the year turns in summer.
      (Zone.lordHowe, 2026, seconds(2026, 10, 3, 15, 30), seconds(2026, 4, 4, 15), 37_800, 39_600),
      // Negative: standard time is that of summer.
      ("IST-1GMT0,M10.5.0,M3.5.0/1", 2026, seconds(2026, 10, 25, 1), seconds(2026, 3, 29, 1), 3600, 0),
      // Hours of a later day: Saturday after the fourth Thursday, 02:00.
      ("EET-2EEST,M3.4.4/50,M10.4.4/50", 2026, seconds(2026, 3, 28, 0), seconds(2026, 10, 23, 23), 7200, 10_800),
      // Days of the year: with and without the 29th of February.
      ("AAA0BBB,J60/0,J300/0", 2024, seconds(2024, 3, 1), seconds(2024, 10, 26, 23), 0, 3600),
      ("AAA0BBB,59/0,299/0", 2024, seconds(2024, 2, 29), seconds(2024, 10, 25, 23), 0, 3600),
      ("AAA0BBB,59/0,299/0", 2023, seconds(2023, 3, 1), seconds(2023, 10, 26, 23), 0, 3600),
    ])
  func changes(text: String, year: Int, start: Int, end: Int, standard: Int, daylight: Int) throws {
    let zone = try Zone(rule: text)
    #expect(zone.offset(at: start - 1) == standard && zone.offset(at: start) == daylight, "\(text): start")
    #expect(zone.offset(at: end - 1) == daylight && zone.offset(at: end) == standard, "\(text): end")
  }

  @Test("A rule may keep daylight saving time all year, across the turn of the year")
  func allYear() throws {
    // RFC 9636, 3.3.2.
    let zone = try Zone(rule: "EST5EDT,0/0,J365/25")
    for year in 2023...2028 {
      for instant in [seconds(year, 1, 1, 4, 59, 59), seconds(year, 1, 1, 5), seconds(year, 7, 1)] {
        #expect(zone.offset(at: instant) == -14_400, "\(instant)")
      }
    }
  }

  @Test("A rule without daylight saving time has one offset", arguments: [("<+0545>-5:45", 20_700), ("UTC0", 0)])
  func constant(text: String, offset: Int) throws {
    let zone = try Zone(rule: text)
    for year in stride(from: 1900, through: 2100, by: 25) { #expect(zone.offset(at: seconds(year, 5, 5)) == offset) }
  }

  @Test("Gregorian dates repeat after 400 years, and so do rules, in both directions", arguments: [-2, -1, 1, 3])
  func gregorianCycle(cycles: Int) throws {
    let zone = try Zone(rule: Zone.lordHowe)
    for instant in stride(from: seconds(2026, 1, 1), to: seconds(2027, 1, 1), by: 12_345) {
      #expect(zone.offset(at: instant + cycles * 146_097 * 86_400) == zone.offset(at: instant))
    }
  }

  @Test(
    "What is no rule is refused, and where",
    arguments: [
      ("CE-1", "has no name at octet 0"), ("<+0", "has no name at octet 1"), ("<+03-3", "has no \">\" at octet 6"),
      ("CET", "has no number from 0 to 24 at octet 3"), ("CET-25", "has no number from 0 to 24 at octet 4"),
      ("CET-1:60", "has no number from 0 to 59 at octet 6"), ("CET-1CEST", "has no \",\" at octet 9"),
      ("CET-1CEST,M3.5.0", "has no \",\" at octet 16"), ("CET-1CEST,M13.5.0,M10.5.0", "from 1 to 12 at octet 11"),
      ("CET-1CEST,M3.6.0,M10.5.0", "from 1 to 5 at octet 13"), ("CET-1CEST,M3.5.7,M10.5.0", "from 0 to 6 at octet 15"),
      ("CET-1CEST,J0,J9", "from 1 to 365 at octet 11"), ("CET-1CEST,366,9", "from 0 to 365 at octet 10"),
      ("CET-1CEST,1/168,9", "from 0 to 167 at octet 12"), ("CET-1CEST,1,9 ", "has more than a rule"),
    ])
  func refusals(text: String, words: String) {
    let error = #expect(throws: ZoneError.self) { _ = try Zone(rule: text) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
  }
}
