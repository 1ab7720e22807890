import KubernetesAPI
import Testing

@testable import InferenceAPI

/// Fields that are good by themselves, but not together. Wordings are those of kube-apiserver 1.36.
struct RefusedCombinationTests {
  @Test(
    "Fields that do not fit together are refused at the field to change",
    arguments: [
      Refusal(
        [
          "template": [
            "spec": ["containers": [["name": "a", "ports": []], ["name": "b", "ports": [["containerPort": 1]]]]]
          ]
        ],
        "spec.template.spec.containers: Invalid value: no port to send requests to: give the first container ports: [{containerPort: 8000}], or set spec.model.port"
      ),
      Refusal(["model": ["port": "metrics"]], "spec.model.port: Invalid value: no container has a port of this name"),
      Refusal(
        ["model": ["port": 65536]],
        "spec.model.port: Invalid value: 65536: must be the name of a container port, or a number from 1 to 65535"),
      Refusal(
        ["model": ["healthPath": "ready", "hostnames": ["a.b", "A.b"]]],
        "spec.model.healthPath: Invalid value: \"ready\": must start with \"/\"",
        "spec.model.hostnames[1]: Invalid value: \"A.b\": must be lower-case letters, digits, \"-\" and \".\", starting and ending with a letter or digit"
      ),
      Refusal(
        ["model": ["aliases": ["x"], "adapters": [["name": "x"]]]],
        "spec.model.adapters: Invalid value: a name cannot be both an alias (replaced by the name of the model) and an adapter (passed on as it is)"
      ),
      Refusal(
        ["burst": ["maxReplicas": 1, "spareReplicas": 2]],
        "spec.burst.spareReplicas: Invalid value: spareReplicas must not exceed maxReplicas"),
      Refusal(
        ["dedicated": ["overrides": ["labels": ["serving.pilotlight.dev/service": "y"]]]],
        "spec.dedicated.overrides.labels: Invalid value: labels that start with serving.pilotlight.dev/ are set by the controller"
      ),
      Refusal(
        [
          "dedicated": [
            "schedules": [
              ["name": "a", "start": "9:00", "end": "24:01", "replicas": 1],
              ["name": "b", "start": "10:00", "end": "10:00", "replicas": 1, "timeZone": "Europe/"],
            ]
          ]
        ],
        "spec.dedicated.schedules[0].end: Invalid value: \"24:01\": must be a time of day in quotes, from \"00:00\" to \"24:00\"",
        "spec.dedicated.schedules[0].start: Invalid value: \"9:00\": must be a time of day in quotes, from \"00:00\" to \"23:59\"",
        "spec.dedicated.schedules[1].end: Invalid value: start and end are the same time; for a whole day say \"00:00\" to \"24:00\"",
        "spec.dedicated.schedules[1].timeZone: Invalid value: \"Europe/\": must be an IANA time zone such as UTC or Europe/Berlin"
      ),
      Refusal(
        ["scaling": ["metric": "RequestsPerSecond"]],
        "spec.scaling.target: Invalid value: is needed with a metric other than Concurrency"),
      Refusal(
        ["scaling": ["target": 9, "maxConcurrency": 8]],
        "spec.scaling.target: Invalid value: target must not exceed maxConcurrency: no replica would ever reach it"),
      Refusal(
        ["routing": ["order": ["Burst", "Dedicated", "Burst"]]],
        "spec.routing.order: Invalid value: a place may be named only once"),
      Refusal(
        [
          "routing": [
            "rules": [["name": "a", "reservedDedicatedPercent": 70], ["name": "b", "reservedDedicatedPercent": 31]]
          ]
        ],
        "spec.routing.rules: Invalid value: the reservedDedicatedPercent of all rules add up to more than 100"),
    ])
  func refusesCombinations(_ refusal: Refusal) {
    #expect(Sample.complaints(Sample.object(refusal.spec)) == refusal.complaints)
  }

  @Test(
    "Overflow, rollout and access are refused where they could not work",
    arguments: [
      Refusal(
        ["overflow": [["name": "o", "provider": "HTTP", "url": "example.com"]]],
        "spec.overflow[0].url: Invalid value: \"example.com\": must be a URL such as https://api.example.com/v1"),
      Refusal(
        [
          "overflow": [
            [
              "name": "o", "provider": "HTTP", "url": "http://x", "credentialsSecretRef": ["name": "s"],
              "budget": ["amount": "5"],
            ]
          ]
        ],
        "spec.overflow[0].budget: Invalid value: a budget needs a price: without it nothing can be counted against it",
        "spec.overflow[0].url: Invalid value: credentials are sent over https only"),
      Refusal(
        ["rollout": ["strategy": "Canary", "steps": []]],
        "spec.rollout.steps: Invalid value: strategy Canary needs steps, such as [{trafficPercent: 10, pause: 10m}]"),
      Refusal(
        ["rollout": ["steps": [["trafficPercent": 50]]]],
        "spec.rollout.steps: Invalid value: steps are used with strategy Canary only"),
      Refusal(
        ["rollout": ["maxSurge": "0%", "maxUnavailable": "half"]],
        "spec.rollout.maxUnavailable: Invalid value: \"half\": must be a number of replicas or a percentage such as 25%"
      ),
      Refusal(
        ["access": [:]],
        "spec.access: Invalid value: is empty, which would let everybody in; say apiKeysSecretRef, jwt or rateLimits, or leave access out"
      ),
      Refusal(
        ["access": ["rateLimits": [["tenant": "t"]]]],
        "spec.access.rateLimits[0]: Invalid value: say requestsPerMinute, tokensPerMinute or both"),
    ])
  func refusesEdges(_ refusal: Refusal) {
    #expect(Sample.complaints(Sample.object(refusal.spec)) == refusal.complaints)
  }

  @Test("A name that Services and labels could not carry is refused", arguments: ["8b", "a.b", "Llama", "a-"])
  func refusesNames(_ name: String) {
    #expect(
      Sample.complaints(Sample.object(name: name)) == [
        "metadata.name: Invalid value: metadata.name must start with a letter, hold only lower-case letters, digits and \"-\", and have at most 52 characters: Services, Deployments and host names are made from it"
      ])
  }

  @Test("Unknown fields are named by path, in alphabetical order")
  func namesUnknownFields() {
    let object = Sample.object([
      "model": ["protocl": "OpenAI"], "burst": ["minReplicas": 1], "bursts": [:],
      "overflow": [["name": "o", "adress": "x"]],
    ])
    #expect(
      InferenceService.schema.unknownFields(in: object) == [
        "metadata.namespace", "spec.burst.minReplicas", "spec.bursts", "spec.model.protocl", "spec.overflow[0].adress",
      ])
    let template = Sample.object([
      "template": ["spec": ["containers": [["name": "a", "imagee": "x"]], "hostPID": true]]
    ])
    #expect(InferenceService.schema.unknownFields(in: template) == ["metadata.namespace"])
  }
}
