import FoundationEssentials
import KubernetesAPI
import Testing

@Suite("Timestamps")
struct TimestampTests {
  @Test(
    "Times are read in any form of RFC 3339 and written in UTC",
    arguments: [
      ("1970-01-01T00:00:00Z", 0.0), ("2024-02-29T23:59:59Z", 1_709_251_199),
      ("2026-01-02T03:04:05+02:00", 1_767_315_845),
      ("1969-12-31T23:59:59Z", -1), ("2026-01-02T03:04:05.25Z", 1_767_323_045.25),
      ("2000-03-01T00:00:00Z", 951_868_800),
    ])
  func parsing(text: String, seconds: Double) throws {
    let date = try #require(Timestamp.parse(text))
    #expect(date.timeIntervalSince1970 == seconds)
    #expect(Timestamp.parse(Timestamp.microseconds(date)) == date)
  }

  @Test("Seconds drop the fraction, microseconds keep it")
  func writing() {
    let date = Date(timeIntervalSince1970: 1_767_323_045.250001)
    #expect(Timestamp.seconds(date) == "2026-01-02T03:04:05Z")
    #expect(Timestamp.microseconds(date) == "2026-01-02T03:04:05.250001Z")
  }

  @Test(
    "What is no time is refused",
    arguments: [
      "", "2026-01-02", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02T25:04:05Z",
    ])
  func refusals(text: String) { #expect(Timestamp.parse(text) == nil) }
}
