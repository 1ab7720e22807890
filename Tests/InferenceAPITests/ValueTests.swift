import KubernetesAPI
import Testing

@testable import InferenceAPI

struct ValueTests {
  @Test(
    "Durations are read and written as the Gateway API has them",
    arguments: [
      ("1h30m", Duration.seconds(5400), "1h30m"), ("90s", .seconds(90), "1m30s"),
      ("500ms", .milliseconds(500), "500ms"),
      ("0s", .zero, "0s"), ("5m5ms", .seconds(300) + .milliseconds(5), "5m5ms"), ("60m", .seconds(3600), "1h"),
      ("1s1s", .seconds(2), "2s"), ("99999h", .seconds(99999 * 3600), "99999h"),
    ])
  func durations(_ text: String, _ duration: Duration, _ canonical: String) {
    #expect(GatewayDuration.parse(text) == duration)
    #expect(GatewayDuration.text(duration) == canonical)
  }

  @Test(
    "What is no duration is not read",
    arguments: ["", "1", "s", "1.5s", "-1s", "1d", "1 s", "100000s", "1s1s1s1s1s", "1S"])
  func refusesDurations(_ text: String) {
    #expect(GatewayDuration.parse(text) == nil)
  }

  @Test(
    "Prices are exact",
    arguments: [
      ("2.99", 2_990_000, "2.99"), ("0", 0, "0"), ("007.10", 7_100_000, "7.1"),
      ("999999999.999999", 999_999_999_999_999, "999999999.999999"),
      ("0.000001", 1, "0.000001"),
    ])
  func prices(_ text: String, _ micros: Int, _ canonical: String) {
    #expect(Price(parsing: text)?.micros == Int64(micros))
    #expect(Price(parsing: text)?.description == canonical)
  }

  @Test(
    "A share of replicas is a count or a percentage",
    arguments: [
      (1, .count(1)), (0, .count(0)), ("25%", .percent(25)), ("100%", .percent(100)), ("101%", nil), (-1, nil),
      ("+5%", nil), ("5", nil), (1.5, nil),
    ] as [(JSONValue, IntOrPercent?)])
  func shares(_ json: JSONValue, _ share: IntOrPercent?) {
    #expect(IntOrPercent(json: json) == share)
    if let share { #expect(share.json == json) }
  }
}
