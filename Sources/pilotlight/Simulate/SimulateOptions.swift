import Decisions
import InferenceAPI
import Simulation

/// The arguments of `pilotlight simulate`, read and checked.
struct SimulateOptions {
  static let defaultPolicies = "pilotlight,fixed,kpa,keda,always-on,best-fixed,optimum"

  enum Format: String, CaseIterable {
    case table
    case json
    case csv
  }

  let trace: TraceOptions
  let contenders: [Simulator.Contender]
  let format: Format
  let chart: String?
  /// Two services are compared.
  let isBacktest: Bool
  private let seed: Int
  private let loadTime: String

  init(_ scanner: inout ArgumentScanner) throws {
    seed = try scanner.integer("--seed", default: 1, in: 0...Int.max)
    trace = try TraceOptions(&scanner, seed: seed)
    loadTime = try scanner.text("--load-time") ?? "60"
    chart = try scanner.text("--chart")
    let word = try scanner.text("-o") ?? "table"
    guard let format = Format(rawValue: word) else {
      throw ArgumentScanner.Problem("-o: '\(word)' is not table, json or csv")
    }
    self.format = format
    let service = try scanner.text("--service")
    let against = try scanner.text("--against")
    let policies = try scanner.text("--policies")

    var settings = SimulationSettings(
      loadTimes: LoadTimes(seconds: try Self.loadTimes(loadTime), seed: UInt64(seed)), keepsTimeline: chart != nil)
    let scaling = settings.scaling
    settings.scaling.scaleDownDelay = scaling.scaleDownDelay
    var reader = SettingsReader(settings)
    try reader.read(&scanner)
    try scanner.finish()

    isBacktest = against != nil
    if let against {
      guard let service else {
        throw ArgumentScanner.Problem("--against needs --service: the other side of the comparison")
      }
      contenders = try [("against", against), ("service", service)].map { name, path in
        try SimulatedService(path).contender(named: name, reader)
      }
      return
    }
    if let service { reader = try SimulatedService(service).reader(over: reader) }
    contenders = try Self.policies(policies, trace: trace.path, reader.settings, service)
  }

  private static func policies(
    _ list: String?, trace: String, _ settings: SimulationSettings, _ service: String?
  ) throws -> [Simulator.Contender] {
    var chosen: [SimulatedPolicy] = []
    for name in (list ?? defaultPolicies).split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      guard let policy = SimulatedPolicy(name, duration: GatewayDuration.parse) else {
        throw ArgumentScanner.Problem(
          "--policies: '\(name)' is not one of \(SimulatedPolicy.names.joined(separator: ", ")) or fixed:DURATION")
      }
      if let reason = obstacle(to: policy, trace: trace, settings) {
        // Without a wish of the user's, what cannot be had is left out.
        if list == nil { continue }
        throw ArgumentScanner.Problem("--policies: \(name) \(reason)")
      }
      if !chosen.contains(policy) { chosen.append(policy) }
    }
    return chosen.map { Simulator.Contender(policy: $0, settings: settings) }
  }

  private static func obstacle(to policy: SimulatedPolicy, trace: String, _ settings: SimulationSettings) -> String? {
    if policy.needsOneReplica && !settings.isOneReplica {
      return "is defined for one replica per model, which may sleep, without overflow"
    }
    if policy == .bestFixed && trace == "-" { return "reads the trace three times; give it a file" }
    return nil
  }

  /// A number of seconds, a duration, or a file of numbers.
  private static func loadTimes(_ text: String) throws -> [Double] {
    if let seconds = Double(text), seconds >= 0, seconds < 1e7 { return [seconds] }
    if let duration = GatewayDuration.parse(text) { return [duration.inSeconds] }
    guard let bytes = try? LocalFile.read(text) else {
      throw ArgumentScanner.Problem(
        "--load-time: '\(text)' is neither seconds such as 60, a duration such as 90s, nor a file that can be read")
    }
    var values: [Double] = []
    for (number, line) in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).enumerated() {
      let cell = line.filter { !$0.isWhitespace }
      if cell.isEmpty || cell.hasPrefix("#") { continue }
      guard let value = Double(cell), value >= 0, value < 1e7 else {
        throw ArgumentScanner.Problem("--load-time: \(text) line \(number + 1): '\(cell)' is not a number of seconds")
      }
      values.append(value)
    }
    guard !values.isEmpty else { throw ArgumentScanner.Problem("--load-time: \(text) has no numbers") }
    return values
  }

  /// The trace, from its start.
  func openTrace() throws -> TraceFile { try trace.open() }
}

extension SimulateOptions {
  /// For JSON: what was asked for.
  var description: [(key: String, json: String)] {
    guard let settings = contenders.first?.settings else { return [] }
    let costs = settings.costs
    func number(_ value: Double?) -> String { value.map { String($0) } ?? "null" }
    return [
      ("trace", ReportDocument.quoted(trace.path)), ("seed", String(seed)),
      ("load_time", ReportDocument.quoted(loadTime)),
      ("max_replicas", String(settings.scaling.maxBurstReplicas)),
      ("dedicated_replicas", String(settings.scaling.dedicatedReplicas)),
      ("max_concurrency", String(settings.maxConcurrency)), ("target", number(settings.scaling.target)),
      ("sleep_after_seconds", number(settings.scaling.sleepAfter.inSeconds)),
      ("cold_start_price", number(costs.coldStartPrice)), ("hourly_price", number(costs.burstHourlyPrice)),
      ("currency", ReportDocument.quoted(costs.currency)), ("idle_watts", number(costs.idleWatts)),
      ("busy_watts", number(costs.busyWatts)), ("pue", number(costs.powerUsageEffectiveness)),
      ("carbon_grams_per_kwh", number(costs.carbonGramsPerKWh)),
      ("objective_seconds", number(settings.objective.map { Double($0.firstTokenMicroseconds) / 1e6 })),
      ("objective_percentile", number(settings.objective?.percentile)),
      ("quantile_relative_error", number(LogHistogram.relativeError)),
    ]
  }

  /// What the table's figures rest on.
  func footer(_ result: SimulationResult) -> String {
    guard let settings = contenders.first?.settings else { return "" }
    let models = result.outcomes.first?.models.count { $0.requests > 0 } ?? 0
    var lines = [
      "\(result.requests) requests of \(models) \(models == 1 ? "model" : "models") in "
        + "\(Duration.seconds(result.seconds).shortText); load time \(loadTime), a cold start costs "
        + "\(settings.costs.coldStartPrice.decimalText(places: 2)) replica-seconds more; seed \(seed).",
      "Waits are from a histogram whose error is below 1 %.",
    ]
    if let objective = settings.objective {
      lines.append(
        "OBJECTIVE is the share of requests with a first token within "
          + "\(Duration.microseconds(objective.firstTokenMicroseconds).shortText); "
          + "\(objective.percentile.decimalText(places: 2)) % are wanted.")
    }
    if settings.costs.idleWatts != nil {
      lines.append(
        "KWH is busy and draining time at --busy-watts, idle and loading time at --idle-watts, times a PUE of "
          + "\(settings.costs.powerUsageEffectiveness.decimalText(places: 2)).")
    }
    return "\n" + lines.joined(separator: "\n")
  }
}
