import KubernetesAPI

/// Rules that look across blocks of the object.
extension CheckedRule {
  /// Longest name: with `-dedicated` it must still fit a label of 63 characters.
  private static let longestName = 52

  static let objectName = CheckedRule(
    "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= \(longestName)",
    "metadata.name must start with a letter, hold only lower-case letters, digits and \"-\", and have at most "
      + "\(longestName) characters: Services, Deployments and host names are made from it",
    at: ".metadata.name",
    good: ["a", "qwen3-8b", .string(String(repeating: "a", count: 52))].map { ["metadata": ["name": $0]] },
    bad: ["My_Model", "8b", "a.b", "a-", "", .string(String(repeating: "a", count: 53))].map {
      ["metadata": ["name": $0]]
    }
  ) { object in
    let name = object["metadata"]?["name"]?.stringValue ?? ""
    return TextForm.isServiceName(name) && name.utf8.count <= longestName
  }

  static let servesSomePort = CheckedRule(
    "has(self.model.port) || self.template.spec.containers.size() == 0 || "
      + "(has(self.template.spec.containers[0].ports) && self.template.spec.containers[0].ports.size() > 0)",
    "no port to send requests to: give the first container ports: [{containerPort: 8000}], or set spec.model.port",
    at: ".template.spec.containers",
    good: [
      spec(model: ["port": 8000], ["name": "a"]), spec(["name": "a", "ports": [["containerPort": 1]]]),
      ["model": [:], "template": ["spec": ["containers": []]]],
    ],
    bad: [
      spec(["name": "a"]), spec(["name": "a", "ports": []]),
      spec(["name": "a"], ["name": "b", "ports": [["containerPort": 1]]]),
    ]
  ) { spec in
    guard spec["model"]?["port"] == nil, let first = containers(of: spec).first else { return true }
    return !(first["ports"]?.arrayValue ?? []).isEmpty
  }

  static let namesAPort = CheckedRule(
    "!has(self.model.port) || type(self.model.port) == int || self.template.spec.containers.exists(c, has(c.ports) "
      + "&& c.ports.exists(p, has(p.name) && p.name == self.model.port))",
    "no container has a port of this name", at: ".model.port",
    good: [
      spec(["name": "a"]), spec(model: ["port": 1], ["name": "a"]),
      spec(model: ["port": "http"], ["name": "a"], ["name": "b", "ports": [["name": "http", "containerPort": 1]]]),
    ],
    bad: [
      spec(model: ["port": "http"], ["name": "a"]),
      spec(
        model: ["port": "http"], ["name": "a", "ports": [["containerPort": 1], ["name": "x", "containerPort": 2]]]),
    ]
  ) { spec in
    guard let port = spec["model"]?["port"], port.stringValue != nil else { return true }
    return containers(of: spec).contains { ($0["ports"]?.arrayValue ?? []).contains { $0["name"] == port } }
  }

  static let autoHasPrices = CheckedRule(
    "self.burst.sleepAfter != 'Auto' || (has(self.economics) && has(self.economics.waitingHourlyPrice) && "
      + "has(self.economics.burst) && has(self.economics.burst.hourlyPrice))",
    "Auto needs spec.economics.waitingHourlyPrice and spec.economics.burst.hourlyPrice", at: ".burst.sleepAfter",
    good: [
      ["burst": ["sleepAfter": "10m"]],
      [
        "burst": ["sleepAfter": "Auto"],
        "economics": ["waitingHourlyPrice": "30", "burst": ["hourlyPrice": "3"]],
      ],
    ],
    bad: [
      ["burst": ["sleepAfter": "Auto"]], ["burst": ["sleepAfter": "Auto"], "economics": ["waitingHourlyPrice": "30"]],
      ["burst": ["sleepAfter": "Auto"], "economics": ["burst": ["hourlyPrice": "3"]]],
      ["burst": ["sleepAfter": "Auto"], "economics": ["waitingHourlyPrice": "30", "burst": [:]]],
    ]
  ) { spec in
    guard spec["burst"]?["sleepAfter"] == "Auto" else { return true }
    return spec["economics"]?["waitingHourlyPrice"] != nil && spec["economics"]?["burst"]?["hourlyPrice"] != nil
  }

  private static func containers(of spec: JSONValue) -> [JSONValue] {
    spec["template"]?["spec"]?["containers"]?.arrayValue ?? []
  }

  private static func spec(model: JSONValue = [:], _ containers: JSONValue...) -> JSONValue {
    ["model": model, "template": ["spec": ["containers": .array(containers)]]]
  }
}
