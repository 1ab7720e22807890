import KubernetesAPI
import Testing

@testable import InferenceAPI

/// A spec that is refused, and the API server's words.
struct Refusal: Sendable, CustomTestStringConvertible {
  let spec: JSONValue
  let complaints: [String]
  init(_ spec: JSONValue, _ complaints: String...) {
    self.spec = spec
    self.complaints = complaints
  }
  var testDescription: String { spec.text }

  static let hidden =
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
    + "existing errors to complete validation"
}

/// Wordings and order are those of kube-apiserver 1.36.
struct RefusedFieldTests {
  @Test(
    "Durations and prices say what is wrong with them",
    arguments: [
      Refusal(
        ["burst": ["sleepAfter": "ten minutes"]],
        "spec.burst.sleepAfter: Invalid value: \"ten minutes\": must be Auto or a duration such as 90s, 10m or 1h30m, from 1s to 168h"
      ),
      Refusal(
        ["timeouts": ["drain": "25h", "startup": "1s"]],
        "spec.timeouts.drain: Invalid value: \"25h\": must be a duration such as 90s, 10m or 1h30m, from 0s to 24h",
        "spec.timeouts.startup: Invalid value: \"1s\": must be a duration such as 90s, 10m or 1h30m, from 10s to 24h"),
      Refusal(
        ["queue": ["maxWait": ""]],
        "spec.queue.maxWait: Invalid value: \"\": spec.queue.maxWait in body should be at least 1 chars long",
        "spec.queue.maxWait: Invalid value: \"\": must be a duration such as 90s, 10m or 1h30m, from 0s to 1h"),
      Refusal(
        ["burst": ["sleepAfter": "Auto"], "economics": ["waitingHourlyPrice": "20"]],
        "spec.burst.sleepAfter: Invalid value: Auto needs spec.economics.waitingHourlyPrice and spec.economics.burst.hourlyPrice"
      ),
      Refusal(
        ["economics": ["currency": "dollars", "dedicated": ["hourlyPrice": "2,99"]]],
        "spec.economics.currency: Invalid value: \"dollars\": must be a three-letter code such as USD or EUR",
        "spec.economics.dedicated.hourlyPrice: Invalid value: \"2,99\": must be a decimal such as \"2.99\", without currency"
      ),
      Refusal(
        ["scaling": ["panicWindow": "1m", "stableWindow": "30s"]],
        "spec.scaling.panicWindow: Invalid value: panicWindow must be shorter than stableWindow"),
    ])
  func refusesDurationsAndPrices(_ refusal: Refusal) {
    #expect(Sample.complaints(Sample.object(refusal.spec)) == refusal.complaints)
  }

  @Test(
    "Wrong types, words and missing fields hide the rules and say so",
    arguments: [
      Refusal(
        ["burst": ["sleepAfter": 300]],
        "spec.burst.sleepAfter: Invalid value: \"integer\": spec.burst.sleepAfter in body must be of type string: \"integer\"",
        Refusal.hidden),
      Refusal(
        ["economics": ["burst": ["hourlyPrice": 1.5]]],
        "spec.economics.burst.hourlyPrice: Invalid value: \"number\": spec.economics.burst.hourlyPrice in body must be of type string: \"number\"",
        Refusal.hidden),
      Refusal(
        ["scaling": ["mode": false]],
        "spec.scaling.mode: Invalid value: \"boolean\": spec.scaling.mode in body must be of type string: \"boolean\"",
        "spec.scaling.mode: Unsupported value: false: supported values: \"Reactive\", \"Predictive\"", Refusal.hidden),
      Refusal(
        ["dedicated": ["schedules": [["name": "x", "start": "8:00", "end": "9", "replicas": 1, "days": ["Sonntag"]]]]],
        "spec.dedicated.schedules[0].days[0]: Unsupported value: \"Sonntag\": supported values: \"Mon\", \"Tue\", \"Wed\", \"Thu\", \"Fri\", \"Sat\", \"Sun\"",
        Refusal.hidden),
      Refusal(
        ["template": ["spec": ["containers": [["image": "x"]]]]],
        "spec.template.spec.containers[0].name: Required value", Refusal.hidden),
      Refusal(["template": [:]], "spec.template.spec: Required value", Refusal.hidden),
      Refusal(
        ["model": ["port": true]],
        "spec.model.port: Invalid value: \"boolean\": spec.model.port in body must be of type integer,string: \"boolean\"",
        Refusal.hidden),
      Refusal(
        ["model": ["name": .string(String(repeating: "n", count: 254))]],
        "spec.model.name: Too long: may not be more than 253 bytes", Refusal.hidden),
      Refusal(
        ["dedicated": ["overrides": ["topologySpreadConstraints": .array(Array(repeating: [:], count: 9))]]],
        "spec.dedicated.overrides.topologySpreadConstraints: Too many: 9: must have at most 8 items", Refusal.hidden),
      Refusal(
        ["model": ["aliases": ["a", .null]]],
        "spec.model.aliases[1]: Invalid value: \"null\": spec.model.aliases[1] in body must be of type string: \"null\"",
        Refusal.hidden),
    ])
  func refusesShapes(_ refusal: Refusal) {
    #expect(Sample.complaints(Sample.object(refusal.spec)) == refusal.complaints)
  }

  @Test(
    "Bounds and duplicates do not hide the rules",
    arguments: [
      Refusal(
        ["burst": ["maxReplicas": -2], "rollout": ["maxSurge": 0]],
        "spec.burst.maxReplicas: Invalid value: -2: spec.burst.maxReplicas in body should be greater than or equal to 0",
        "spec.rollout.maxUnavailable: Invalid value: maxSurge and maxUnavailable cannot both be 0: no replica could ever be replaced"
      ),
      Refusal(
        ["scaling": ["panicThresholdPercent": 1001]],
        "spec.scaling.panicThresholdPercent: Invalid value: 1001: spec.scaling.panicThresholdPercent in body should be less than or equal to 1000"
      ),
      Refusal(
        ["template": ["spec": ["containers": []]]],
        "spec.template.spec.containers: Invalid value: 0: spec.template.spec.containers in body should have at least 1 items"
      ),
      Refusal(
        ["model": ["aliases": ["a", "b", "a", "a"], "adapters": [["name": "c"], ["name": "c"]]]],
        "spec.model.adapters[1]: Duplicate value: {\"name\":\"c\"}", "spec.model.aliases[2]: Duplicate value: \"a\""),
      Refusal(
        ["access": ["jwt": ["issuer": "idp.example.com", "audiences": []]]],
        "spec.access.jwt.audiences: Invalid value: 0: spec.access.jwt.audiences in body should have at least 1 items",
        "spec.access.jwt.issuer: Invalid value: \"idp.example.com\": must be an https URL"),
      Refusal(
        ["overflow": [["name": "o", "provider": "OpenAI", "url": "https://x", "price": [:]]]],
        "spec.overflow[0].price: Invalid value: 1: spec.overflow[0].price in body should have at least 1 properties"),
    ])
  func refusesBounds(_ refusal: Refusal) {
    #expect(Sample.complaints(Sample.object(refusal.spec)) == refusal.complaints)
  }
}
