import KubernetesAPI

/// Rules about the form of one value.
extension CheckedRule {
  static let dnsName = CheckedRule(
    "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    "must be lower-case letters, digits, \"-\" and \".\", starting and ending with a letter or digit",
    good: ["a", "llm.example.com", "a--b", "0"], bad: ["", "LLM.example.com", "-a", "a-", "a_b", "a\n", "ä"]
  ) { TextForm.isDNSName($0.stringValue ?? "") }

  static let absolutePath = CheckedRule(
    "self.startsWith('/')", "must start with \"/\"", good: ["/", "/health"], bad: ["", "health"]
  ) { $0.stringValue?.utf8.first == UInt8(ascii: "/") }

  static let url = CheckedRule(
    "self.matches('^https?://[^/ ]+')", "must be a URL such as https://api.example.com/v1",
    good: ["https://api.example.com/v1", "http://x", "https://x:1"],
    bad: ["api.example.com", "https://", "https:///v1", "ftp://x", "http:// x", " https://x"]
  ) { TextForm.isURL($0.stringValue ?? "") }

  static let httpsURL = CheckedRule(
    "self.startsWith('https://')", "must be an https URL", good: ["https://idp.example.com"],
    bad: ["http://idp.example.com", "", "idp.example.com"]
  ) { $0.stringValue?.hasPrefix("https://") ?? false }

  static let timeOfDay = CheckedRule(
    "self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",
    "must be a time of day in quotes, from \"00:00\" to \"23:59\"", good: ["00:00", "08:00", "19:59", "23:59"],
    bad: ["8:00", "24:00", "12:60", "", "12:00:00", "1320", "1a:00"]
  ) { TextForm.isTimeOfDay($0.stringValue ?? "") }

  static let endOfDay = CheckedRule(
    "self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$')",
    "must be a time of day in quotes, from \"00:00\" to \"24:00\"", good: ["00:00", "24:00", "18:30"],
    bad: ["24:01", "8:00", "25:00", ""]
  ) { $0 == "24:00" || TextForm.isTimeOfDay($0.stringValue ?? "") }

  static let timeZone = CheckedRule(
    "self.matches('^[A-Za-z]+([/_+-][A-Za-z0-9]+)*$')", "must be an IANA time zone such as UTC or Europe/Berlin",
    good: ["UTC", "Europe/Berlin", "Etc/GMT+5", "America/Port-au-Prince", "America/Argentina/Buenos_Aires"],
    bad: ["Berlin/", "/Berlin", "", "Europe Berlin", "1UTC", "A1"]
  ) { TextForm.isTimeZone($0.stringValue ?? "") }

  static let currency = CheckedRule(
    "self.matches('^[A-Z]{3}$')", "must be a three-letter code such as USD or EUR", good: ["USD", "EUR"],
    bad: ["euro", "usd", "US", "USDT", "€"]
  ) { value in
    let bytes = Array((value.stringValue ?? "").utf8)
    return bytes.count == 3 && bytes.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
  }

  static let decimal = CheckedRule(
    "self.matches('^[0-9]{1,9}([.][0-9]{1,6})?$')", "must be a decimal such as \"2.99\", without currency",
    good: ["2.99", "0", "123456789.123456", "007"],
    bad: ["$3", "", ".5", "1.", "1,5", "-1", "1e3", "1234567890", "1.1234567"]
  ) { Price(parsing: $0.stringValue ?? "") != nil }

  static let portNumber = CheckedRule(
    "type(self) != int || (self >= 1 && self <= 65535)",
    "must be the name of a container port, or a number from 1 to 65535", good: [1, 8000, 65535, "http"],
    bad: [0, -1, 65536, 70000]
  ) { $0.intValue.map { (1...65535).contains($0) } ?? true }

  static let countOrPercentage = CheckedRule(
    "type(self) == int ? self >= 0 : self.matches('^([0-9]|[1-9][0-9]|100)%$')",
    "must be a number of replicas or a percentage such as 25%", good: [0, 1, 25, "0%", "25%", "100%"],
    bad: [-1, "25", "101%", "05%", "%", "", "1.5%"]
  ) { IntOrPercent(json: $0) != nil }

  static let labelsAreNotReserved = CheckedRule(
    "self.all(k, !k.startsWith('\(Labels.prefix)'))",
    "labels that start with \(Labels.prefix) are set by the controller",
    good: [[:], ["app": "x", "example.com/serving.pilotlight.dev": "x"]],
    bad: [["serving.pilotlight.dev/pool": "x"], ["app": "x", "serving.pilotlight.dev/": "y"]]
  ) { ($0.objectValue ?? [:]).keys.allSatisfy { !$0.hasPrefix(Labels.prefix) } }

  /// A duration within bounds, or, where it may be, the word Auto.
  static func duration(from lower: String, to upper: String, orAuto: Bool = false) -> CheckedRule {
    let least = GatewayDuration.parse(lower) ?? .zero
    let most = GatewayDuration.parse(upper) ?? .zero
    let form =
      "(self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && duration(self) >= duration('\(lower)') "
      + "&& duration(self) <= duration('\(upper)'))"
    let beyond: [JSONValue] = [.string(GatewayDuration.text(most + .milliseconds(1)))]
    let below: [JSONValue] = least == .zero ? [] : [.string(GatewayDuration.text(least - .milliseconds(1)))]
    return CheckedRule(
      orAuto ? "self == 'Auto' || \(form)" : form,
      "must be \(orAuto ? "Auto or " : "")a duration such as 90s, 10m or 1h30m, from \(lower) to \(upper)",
      good: [.string(lower), .string(upper), .string(GatewayDuration.text(most - .milliseconds(500)))]
        + (orAuto ? ["Auto"] : []),
      bad: ["", "10 minutes", "10", "1.5s", "-1s", "1d", "100000ms", "1s1s1s1s1s", "auto"] + beyond + below
        + (orAuto ? [] : ["Auto"])
    ) { value in
      if orAuto, value == "Auto" { return true }
      guard let duration = value.stringValue.flatMap(GatewayDuration.parse) else { return false }
      return duration >= least && duration <= most
    }
  }
}
