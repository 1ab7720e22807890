import Decisions
import KubernetesAPI
import Testing

@testable import InferenceAPI

struct TypedSpecTests {
  @Test("An object with nothing but a template gets every default")
  func readsDefaults() throws {
    let service = try Sample.service()
    #expect(service.port == 8000)
    #expect(service.modelName == "sample")
    #expect(service.callerNames == ["sample"])
    #expect(service.spec.model.healthPath == nil)
    #expect(service.target == 8)
    #expect(service.maxConcurrency == 16)
    #expect(service.scalingPolicy == ScalingPolicy())
    #expect(service.economics == Economics())
    #expect(service.spec.timeouts.startup == .seconds(1800))
    #expect(service.spec.timeouts.drain == .seconds(300))
    #expect(service.spec.queue.maxRequests == 1000)
    #expect(service.spec.routing.order == [.dedicated, .burst, .overflow])
    #expect(service.spec.rollout.maxSurge == .count(1))
    #expect(UnsupportedFields.reasons(in: service.spec).isEmpty)
  }

  @Test("Every block of a full spec is read")
  func readsEverything() throws {
    let spec = try Sample.service([
      "suspend": true,
      "model": ["name": "org/m", "aliases": ["m"], "adapters": [["name": "sql"]], "protocol": "KServeV1"],
      "dedicated": [
        "replicas": 2, "maxConcurrency": 4,
        "schedules": [["name": "d", "start": "22:15", "end": "24:00", "replicas": 3, "days": ["Sat"]]],
      ],
      "burst": ["maxReplicas": 5, "spareReplicas": 1, "sleepAfter": "1h30m", "overrides": ["image": "y"]],
      "overflow": [
        [
          "name": "o", "provider": "VertexAI", "url": "https://x", "credentialsSecretRef": ["name": "s", "key": "k"],
          "when": ["Waking"], "allowedDataClasses": ["public"], "price": ["perRequest": "0.01"],
          "budget": ["amount": "50"],
        ]
      ],
      "scaling": [
        "metric": "TokensPerSecond", "target": 2000, "mode": "Predictive", "objective": ["timeToFirstToken": "1500ms"],
      ],
      "routing": [
        "order": ["Burst"],
        "rules": [
          ["name": "r", "match": ["headers": [["name": "a", "value": "b"]], "stream": true], "maxWait": "5s"]
        ],
      ],
      "rollout": ["strategy": "Canary", "maxSurge": "25%", "steps": [["trafficPercent": 5, "pause": "10m"]]],
      "access": ["apiKeysSecretRef": ["name": "keys"], "rateLimits": [["tenant": "*", "tokensPerMinute": 9]]],
      "economics": ["burst": ["hourlyPrice": "2.99", "powerWatts": 700], "carbonGramsPerKWh": 363],
    ]).spec
    #expect(spec.suspend && spec.model.aliases == ["m"] && spec.model.adapters == ["sql"])
    #expect(spec.dedicated.schedules.first?.startMinute == 1335 && spec.dedicated.schedules.first?.endMinute == 1440)
    #expect(spec.dedicated.schedules.first?.days == [.saturday] && spec.dedicated.schedules.first?.timeZone == "UTC")
    #expect(spec.burst.sleepAfter == .after(.seconds(5400)) && spec.burst.overrides == ["image": "y"])
    #expect(spec.overflow.first?.provider == .vertexAI && spec.overflow.first?.credentialsSecretRef?.key == "k")
    #expect(spec.overflow.first?.budget?.amount == Price(micros: 50_000_000))
    #expect(spec.overflow.first?.budget?.period == .month && spec.overflow.first?.when == [.waking])
    #expect(spec.scaling.objective?.timeToFirstToken == .milliseconds(1500) && spec.scaling.objective?.percentile == 95)
    #expect(spec.routing.rules.first?.match?.headers.first?.value == "b" && spec.routing.rules.first?.urgency == 3)
    #expect(spec.rollout.maxSurge == .percent(25) && spec.rollout.steps.first?.pause == .seconds(600))
    #expect(spec.access?.apiKeysSecretName == "keys" && spec.access?.rateLimits.first?.tokensPerMinute == 9)
    #expect(spec.economics?.burst.hourlyPrice?.doubleValue == 2.99 && spec.economics?.carbonGramsPerKWh == 363)
  }

  @Test(
    "Target and concurrency follow from each other where one is missing",
    arguments: [
      ([:], 8, 16), (["target": 5], 5, 10), (["maxConcurrency": 4], 4, 4), (["maxConcurrency": 40], 8, 40),
      (["metric": "RequestsPerSecond", "target": 5], 5, 64),
    ] as [(JSONValue, Int, Int)])
  func derivesConcurrency(_ scaling: JSONValue, _ target: Int, _ maxConcurrency: Int) throws {
    let service = try Sample.service(["scaling": scaling, "dedicated": ["maxConcurrency": 2]])
    #expect(service.target == target)
    #expect(service.maxConcurrency == maxConcurrency)
    #expect(service.dedicatedTarget == Double(target) * 2 / Double(maxConcurrency))
  }

  @Test(
    "The port is a number, a named port of any container, or the first",
    arguments: [(9, 9), ("side", 81), (nil, 80)] as [(JSONValue?, Int)])
  func resolvesPort(_ port: JSONValue?, _ number: Int) throws {
    var spec: JSONValue = [
      "template": [
        "spec": [
          "containers": [
            ["name": "a", "ports": [["containerPort": 80]]],
            ["name": "b", "ports": [["name": "side", "containerPort": 81]]],
          ]
        ]
      ]
    ]
    if let port { spec["model"] = ["port": port] }
    #expect(try Sample.service(spec).port == number)
  }

  @Test("An object that breaks a rule is not read")
  func refusesInvalid() {
    #expect(throws: InvalidInferenceService.self) { try Sample.service(["access": [:]]) }
    #expect(throws: InvalidInferenceService.self) {
      try InferenceService(KubernetesObject(["metadata": ["name": "x"]]))
    }
  }

  @Test("Auto sleeps by the prices of waiting and of a replica")
  func wakePrice() throws {
    let auto = try Sample.service([
      "burst": ["sleepAfter": "Auto"], "economics": ["waitingHourlyPrice": "30", "burst": ["hourlyPrice": "2.5"]],
    ])
    #expect(auto.wakePrice == WakePrice(waitingPerHour: 30, replicaPerHour: 2.5))
    #expect(auto.scalingPolicy != nil)
    #expect(UnsupportedFields.reasons(in: auto.spec).isEmpty)
    let fixed = try Sample.service(["burst": ["sleepAfter": "90s"], "economics": ["waitingHourlyPrice": "30"]])
    #expect(fixed.wakePrice == nil)
    #expect(fixed.scalingPolicy?.sleepAfter == .seconds(90))
  }

  @Test("With an objective and no target, only what has no slot asks for another replica")
  func targetWithObjective() throws {
    func policy(_ scaling: JSONValue) throws -> ScalingPolicy {
      try #require(try Sample.service(["scaling": scaling]).scalingPolicy)
    }
    let alone = try policy(["objective": ["timeToFirstToken": "2s", "percentile": 99]])
    #expect(alone.target == 16 && alone.maxConcurrency == 16)
    #expect(alone.objective == Decisions.LatencyObjective(timeToFirstToken: .seconds(2), percentile: 99))
    let wide = try policy(["objective": ["timeToFirstToken": "2s"], "maxConcurrency": 64])
    #expect(wide.target == 64 && wide.maxConcurrency == 64 && wide.objective?.percentile == 95)
    let both = try policy(["objective": ["timeToFirstToken": "2s"], "target": 5])
    #expect(both.target == 5 && both.maxConcurrency == 10)
    #expect(try policy(["metric": "TokensPerSecond", "target": 900]).metric == .tokensPerSecond)
  }

  @Test(
    "A field that this version does not act on is named with what to do",
    arguments: [
      (["overflow": [["name": "o", "provider": "HTTP", "url": "https://x"]]], "spec.overflow"),
      (["scaling": ["mode": "Predictive"]], "spec.scaling.mode: Predictive without burst.sleepAfter: Auto"),
      (
        ["routing": ["rules": [["name": "r", "reservedDedicatedPercent": 10]]]],
        "spec.routing.rules[].reservedDedicatedPercent"
      ),
      (["routing": ["rules": [["name": "r", "dataClass": "eu"]]]], "spec.routing.rules[].dataClass"),
      (["access": ["apiKeysSecretRef": ["name": "k"]]], "spec.access"),
    ] as [(JSONValue, String)])
  func namesUnsupported(_ spec: JSONValue, _ path: String) throws {
    let reasons = UnsupportedFields.reasons(in: try Sample.service(spec).spec)
    #expect(reasons.map(\.path) == [path])
    #expect(reasons.first?.message.hasPrefix("\(path) is not acted on by this version; ") == true)
  }
}
