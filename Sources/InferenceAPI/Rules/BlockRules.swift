import KubernetesAPI

/// Rules about how the fields of one block fit together.
extension CheckedRule {
  static let aliasesAreNoAdapters = CheckedRule(
    "!has(self.aliases) || !has(self.adapters) || self.adapters.all(a, !(a.name in self.aliases))",
    "a name cannot be both an alias (replaced by the name of the model) and an adapter (passed on as it is)",
    at: ".adapters",
    good: [[:], ["aliases": ["a"]], ["aliases": ["a"], "adapters": [["name": "b"]]]],
    bad: [["aliases": ["a", "b"], "adapters": [["name": "c"], ["name": "b"]]]]
  ) { model in
    let aliases = model["aliases"]?.arrayValue ?? []
    return (model["adapters"]?.arrayValue ?? []).allSatisfy { !aliases.contains($0["name"] ?? .null) }
  }

  static let scheduleLasts = CheckedRule(
    "self.start != self.end", "start and end are the same time; for a whole day say \"00:00\" to \"24:00\"",
    at: ".end", good: [["start": "08:00", "end": "18:00"], ["start": "00:00", "end": "24:00"]],
    bad: [["start": "08:00", "end": "08:00"]]
  ) { $0["start"] != $0["end"] }

  static let spareWithinMaximum = CheckedRule(
    "self.maxReplicas <= 0 || self.spareReplicas <= self.maxReplicas", "spareReplicas must not exceed maxReplicas",
    at: ".spareReplicas",
    good: [["maxReplicas": 2, "spareReplicas": 2], ["maxReplicas": 0, "spareReplicas": 3]],
    bad: [["maxReplicas": 2, "spareReplicas": 3]]
  ) { burst in
    let most = burst["maxReplicas"]?.intValue ?? 0
    return most <= 0 || (burst["spareReplicas"]?.intValue ?? 0) <= most
  }

  static let budgetHasPrice = CheckedRule(
    "!has(self.budget) || has(self.price)", "a budget needs a price: without it nothing can be counted against it",
    at: ".budget", good: [[:], ["budget": ["amount": "1"], "price": ["perRequest": "1"]]],
    bad: [["budget": ["amount": "1"]]]
  ) { $0["budget"] == nil || $0["price"] != nil }

  static let credentialsAreEncrypted = CheckedRule(
    "!has(self.credentialsSecretRef) || self.url.startsWith('https://')", "credentials are sent over https only",
    at: ".url",
    good: [["url": "http://x"], ["url": "https://x", "credentialsSecretRef": ["name": "k"]]],
    bad: [["url": "http://x", "credentialsSecretRef": ["name": "k"]]]
  ) { $0["credentialsSecretRef"] == nil || $0["url"]?.stringValue?.hasPrefix("https://") ?? false }

  static let panicIsShorter = CheckedRule(
    "duration(self.panicWindow) < duration(self.stableWindow)", "panicWindow must be shorter than stableWindow",
    at: ".panicWindow", good: [["panicWindow": "6s", "stableWindow": "60s"]],
    bad: [["panicWindow": "2m", "stableWindow": "60s"], ["panicWindow": "1m", "stableWindow": "60s"]]
  ) { scaling in
    let panic = scaling["panicWindow"]?.stringValue.flatMap(GatewayDuration.parse)
    let stable = scaling["stableWindow"]?.stringValue.flatMap(GatewayDuration.parse)
    // A text that is no duration is told by the rule of its own field.
    guard let panic, let stable else { return true }
    return panic < stable
  }

  static let targetIsGiven = CheckedRule(
    "self.metric == 'Concurrency' || has(self.target)", "is needed with a metric other than Concurrency",
    at: ".target", good: [["metric": "Concurrency"], ["metric": "RequestsPerSecond", "target": 1]],
    bad: [["metric": "TokensPerSecond"]]
  ) { $0["metric"] == "Concurrency" || $0["target"] != nil }

  static let targetIsReachable = CheckedRule(
    "self.metric != 'Concurrency' || !has(self.target) || !has(self.maxConcurrency) || self.target <= self.maxConcurrency",
    "target must not exceed maxConcurrency: no replica would ever reach it", at: ".target",
    good: [
      ["metric": "Concurrency", "target": 16, "maxConcurrency": 16], ["metric": "Concurrency", "target": 99],
      ["metric": "TokensPerSecond", "target": 2000, "maxConcurrency": 64],
    ], bad: [["metric": "Concurrency", "target": 32, "maxConcurrency": 16]]
  ) { scaling in
    guard scaling["metric"] == "Concurrency", let target = scaling["target"]?.intValue,
      let most = scaling["maxConcurrency"]?.intValue
    else { return true }
    return target <= most
  }

  static let placesAreDistinct = CheckedRule(
    "self.all(x, self.exists_one(y, y == x))", "a place may be named only once",
    good: [["Burst"], ["Dedicated", "Overflow"]], bad: [["Burst", "Burst"], ["Burst", "Dedicated", "Burst"]]
  ) { places in
    let places = places.arrayValue ?? []
    return Set(places).count == places.count
  }

  static let reservedSharesFit = CheckedRule(
    "self.map(r, has(r.reservedDedicatedPercent) ? r.reservedDedicatedPercent : 0).sum() <= 100",
    "the reservedDedicatedPercent of all rules add up to more than 100",
    good: [[], [["name": "a"], ["name": "b", "reservedDedicatedPercent": 100]]],
    bad: [[["name": "a", "reservedDedicatedPercent": 60], ["name": "b", "reservedDedicatedPercent": 41]]]
  ) { rules in
    (rules.arrayValue ?? []).reduce(0) { $0 + ($1["reservedDedicatedPercent"]?.intValue ?? 0) } <= 100
  }

  static let canaryHasSteps = CheckedRule(
    "self.strategy != 'Canary' || (has(self.steps) && self.steps.size() > 0)",
    "strategy Canary needs steps, such as [{trafficPercent: 10, pause: 10m}]", at: ".steps",
    good: [["strategy": "RollingUpdate"], ["strategy": "Canary", "steps": [["trafficPercent": 5]]]],
    bad: [["strategy": "Canary"], ["strategy": "Canary", "steps": []]]
  ) { $0["strategy"] != "Canary" || !($0["steps"]?.arrayValue ?? []).isEmpty }

  static let stepsAreOfCanary = CheckedRule(
    "self.strategy == 'Canary' || !has(self.steps) || self.steps.size() == 0",
    "steps are used with strategy Canary only", at: ".steps",
    good: [["strategy": "RollingUpdate", "steps": []], ["strategy": "Canary", "steps": [["trafficPercent": 5]]]],
    bad: [["strategy": "RollingUpdate", "steps": [["trafficPercent": 5]]]]
  ) { $0["strategy"] == "Canary" || ($0["steps"]?.arrayValue ?? []).isEmpty }

  static let rolloutCanProceed = CheckedRule(
    "!(self.maxSurge in [dyn(0), dyn('0%')] && self.maxUnavailable in [dyn(0), dyn('0%')])",
    "maxSurge and maxUnavailable cannot both be 0: no replica could ever be replaced", at: ".maxUnavailable",
    good: [
      ["maxSurge": 1, "maxUnavailable": 0], ["maxSurge": 0, "maxUnavailable": "25%"],
      ["maxSurge": "1%", "maxUnavailable": "0%"],
    ],
    bad: [["maxSurge": 0, "maxUnavailable": 0], ["maxSurge": "0%", "maxUnavailable": 0]]
  ) { rollout in
    let nothing: [JSONValue] = [0, "0%"]
    return !(nothing.contains(rollout["maxSurge"] ?? .null) && nothing.contains(rollout["maxUnavailable"] ?? .null))
  }

  static let accessIsNotEmpty = CheckedRule(
    "has(self.apiKeysSecretRef) || has(self.jwt) || has(self.rateLimits)",
    "is empty, which would let everybody in; say apiKeysSecretRef, jwt or rateLimits, or leave access out",
    good: [["apiKeysSecretRef": ["name": "k"]], ["jwt": [:]], ["rateLimits": []]], bad: [[:]]
  ) { $0["apiKeysSecretRef"] != nil || $0["jwt"] != nil || $0["rateLimits"] != nil }

  static let rateLimitSaysWhat = CheckedRule(
    "has(self.requestsPerMinute) || has(self.tokensPerMinute)", "say requestsPerMinute, tokensPerMinute or both",
    good: [["tenant": "a", "requestsPerMinute": 1], ["tenant": "a", "tokensPerMinute": 1]], bad: [["tenant": "a"]]
  ) { $0["requestsPerMinute"] != nil || $0["tokensPerMinute"] != nil }
}
