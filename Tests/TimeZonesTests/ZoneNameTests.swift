import Testing

@testable import TimeZones

@Suite struct ZoneNameTests {
  @Test(
    "A name leads nowhere but into the folder of zones",
    arguments: [
      ("UTC", true), ("America/Argentina/Buenos_Aires", true), ("Etc/GMT+5", true), ("", false), ("/etc/passwd", false),
      ("Europe/", false), ("Europe//Berlin", false), ("../UTC", false), ("Europe/../UTC", false),
      ("Europe\\Berlin", false),
      ("Europe/Berlin\0", false), ("Málaga", false),
    ])
  func form(name: String, isWellFormed: Bool) { #expect(ZoneName.isWellFormed(name) == isWellFormed) }

  static let names = [
    "Africa/Bamako", "America/New_York", "Asia/Tokyo", "Europe/Berlin", "Europe/Dublin", "Europe/London", "UTC",
  ]

  @Test(
    "The names that may have been meant, nearest first",
    arguments: [
      ("Europe/Berln", ["Europe/Berlin"]), ("europe/berlin", ["Europe/Berlin"]), ("Berlin", ["Europe/Berlin"]),
      ("Germany/Berlin", ["Europe/Berlin"]), ("Europe/Brelin", ["Europe/Berlin"]),
      ("America/NewYork", ["America/New_York"]),
      ("Europe/Dubiln", ["Europe/Dublin"]), ("UTV", ["UTC"]), ("Mars/Phobos", []),
    ])
  func nearest(name: String, expected: [String]) { #expect(ZoneName.nearest(to: name, among: Self.names) == expected) }
}
