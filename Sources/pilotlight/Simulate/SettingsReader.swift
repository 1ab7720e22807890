import Decisions
import Simulation

/// Reads what is simulated from arguments, and remembers which were given: a service's own values stand behind those.
struct SettingsReader {
  private(set) var settings: SimulationSettings
  private(set) var given: Set<String> = []

  init(_ settings: SimulationSettings) { self.settings = settings }

  /// Puts `value` where the argument `name` was not given.
  mutating func setDefault<Value>(
    _ name: String, _ path: WritableKeyPath<SimulationSettings, Value>, _ value: Value
  ) {
    if !given.contains(name) { settings[keyPath: path] = value }
  }

  mutating func read(_ scanner: inout ArgumentScanner) throws {
    try readReplicas(&scanner)
    try readService(&scanner)
    try readOverflow(&scanner)
    try readCosts(&scanner)
  }

  private mutating func readReplicas(_ scanner: inout ArgumentScanner) throws {
    try integer("--max-replicas", in: 0...10_000, &scanner, \.scaling.maxBurstReplicas)
    try integer("--dedicated-replicas", in: 0...10_000, &scanner, \.scaling.dedicatedReplicas)
    try integer("--max-concurrency", in: 1...100_000, &scanner, \.maxConcurrency)
    settings.dedicatedMaxConcurrency = settings.maxConcurrency
    // As in an InferenceService: an objective finds out by itself how full replicas may be.
    if scanner.isGiven("--objective"), settings.scaling.target == ScalingPolicy().target {
      settings.scaling.target = Double(settings.maxConcurrency)
    }
    try number("--target", in: 0.001...1e6, &scanner, \.scaling.target)
    settings.scaling.dedicatedTarget = settings.scaling.target
    try duration("--sleep-after", &scanner, \.scaling.sleepAfter)
    guard settings.scaling.maxBurstReplicas + settings.scaling.dedicatedReplicas > 0 else {
      throw ArgumentScanner.Problem("--max-replicas: 0 needs --dedicated-replicas, or nothing would ever be served")
    }
  }

  private mutating func readService(_ scanner: inout ArgumentScanner) throws {
    settings.service.firstTokenSeconds =
      try scanner.duration("--first-token-time", default: .seconds(settings.service.firstTokenSeconds)).inSeconds
    try microseconds("--prompt-token-time", &scanner, \.service.secondsPerPromptToken)
    try microseconds("--output-token-time", &scanner, \.service.secondsPerOutputToken)
    try microseconds("--batch-time", &scanner, \.service.secondsPerBatchedRequest)
    try integer("--prompt-tokens", in: 0...10_000_000, &scanner, \.service.defaultPromptTokens)
    try integer("--output-tokens", in: 0...10_000_000, &scanner, \.service.defaultOutputTokens)
    if scanner.isGiven("--service-time") {
      settings.service.fixedMicroseconds = Int64(try scanner.duration("--service-time", default: .zero).inSeconds * 1e6)
    }
  }

  private mutating func readOverflow(_ scanner: inout ArgumentScanner) throws {
    let latency = try scanner.duration("--overflow-latency", default: .milliseconds(500))
    let prices = try scanner.text("--overflow-prices")
    guard let text = try scanner.text("--overflow") else { return }
    let words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard Set(words).isSubset(of: ["Waking", "Saturated"]) else {
      throw ArgumentScanner.Problem("--overflow: '\(text)' is not Waking, Saturated or Waking,Saturated")
    }
    let numbers = (prices ?? "0,0,0").split(separator: ",").compactMap { Double($0) }
    guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw ArgumentScanner.Problem("--overflow-prices: '\(prices ?? "")' is not three numbers such as 0,0.15,0.6")
    }
    given.insert("--overflow")
    settings.overflow = OverflowEndpoint(
      takesWaking: words.contains("Waking"), takesSaturated: words.contains("Saturated"),
      firstTokenMicroseconds: Int64(latency.inSeconds * 1e6), pricePerRequest: numbers[0],
      pricePerMillionPromptTokens: numbers[1], pricePerMillionOutputTokens: numbers[2])
  }

  private mutating func readCosts(_ scanner: inout ArgumentScanner) throws {
    try number("--cold-start-price", in: 0...1e9, &scanner, \.costs.coldStartPrice)
    try optional("--hourly-price", &scanner, \.costs.burstHourlyPrice)
    try optional("--dedicated-hourly-price", &scanner, \.costs.dedicatedHourlyPrice)
    try optional("--idle-watts", &scanner, \.costs.idleWatts)
    try optional("--busy-watts", &scanner, \.costs.busyWatts)
    try optional("--carbon", &scanner, \.costs.carbonGramsPerKWh)
    try number("--pue", in: 1...10, &scanner, \.costs.powerUsageEffectiveness)
    var percentile = 99.0
    if let text = try scanner.text("--percentile") { percentile = try Self.number("--percentile", text, in: 1...100) }
    if scanner.isGiven("--objective") {
      given.insert("--objective")
      let time = try scanner.duration("--objective", default: .zero)
      settings.objective = FirstTokenObjective(
        firstTokenMicroseconds: Int64(time.inSeconds * 1e6), percentile: percentile)
    }
  }

  // MARK: One argument

  private mutating func integer(
    _ name: String, in range: ClosedRange<Int>, _ scanner: inout ArgumentScanner,
    _ path: WritableKeyPath<SimulationSettings, Int>
  ) throws {
    if scanner.isGiven(name) { given.insert(name) }
    settings[keyPath: path] = try scanner.integer(name, default: settings[keyPath: path], in: range)
  }

  private mutating func duration(
    _ name: String, _ scanner: inout ArgumentScanner, _ path: WritableKeyPath<SimulationSettings, Duration>
  ) throws {
    if scanner.isGiven(name) { given.insert(name) }
    settings[keyPath: path] = try scanner.duration(name, default: settings[keyPath: path])
  }

  private mutating func number(
    _ name: String, in range: ClosedRange<Double>, _ scanner: inout ArgumentScanner,
    _ path: WritableKeyPath<SimulationSettings, Double>
  ) throws {
    guard let text = try scanner.text(name) else { return }
    given.insert(name)
    settings[keyPath: path] = try Self.number(name, text, in: range)
  }

  private mutating func optional(
    _ name: String, _ scanner: inout ArgumentScanner, _ path: WritableKeyPath<SimulationSettings, Double?>
  ) throws {
    guard let text = try scanner.text(name) else { return }
    given.insert(name)
    settings[keyPath: path] = try Self.number(name, text, in: 0...1e9)
  }

  private mutating func microseconds(
    _ name: String, _ scanner: inout ArgumentScanner, _ path: WritableKeyPath<SimulationSettings, Double>
  ) throws {
    guard let text = try scanner.text(name) else { return }
    settings[keyPath: path] = try Self.number(name, text, in: 0...1e9) / 1e6
  }

  private static func number(_ name: String, _ text: String, in range: ClosedRange<Double>) throws -> Double {
    guard let value = Double(text), range.contains(value) else {
      throw ArgumentScanner.Problem(
        "\(name): '\(text)' is not a number from \(range.lowerBound.decimalText(places: 3)) to "
          + range.upperBound.decimalText(places: 0))
    }
    return value
  }
}
