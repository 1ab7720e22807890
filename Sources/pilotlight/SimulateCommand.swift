import Decisions
import Glibc
import KubernetesAPI
import Simulation
import Telemetry

/// `pilotlight simulate`: replays a request trace with the production scaling decision.
enum SimulateCommand {
  static let help = """
    usage: pilotlight simulate --trace FILE [options]

    Replays a trace with the scaling decision of the controller, on virtual time, and says what it took. Each model has a
    burst pool of its own that may sleep at zero.

      --trace FILE            CSV with a header: model,time,prompt_tokens,output_tokens[,duration], or what a gateway wrote
                              with --request-log; '-' reads standard input
      --load-time DURATION    from the start of a replica until it takes requests (30s)
      --service-time DURATION for rows without a duration (5s)
      --sleep-after DURATION  how long without a request before the last replica goes (10m)
      --max-replicas N        most replicas of a model (1)
      --target N              requests that a replica should carry on average (8)
      --max-concurrency N     requests that a replica runs at once (16)
      -o json                 prints JSON instead of a table
    """

  static func run(_ arguments: [String]) async -> Int32 {
    await CommandFrame.run("simulate", arguments, help: help) { scanner in
      let options = try Options(&scanner)
      let reports = try replay(options)
      Console.print(options.isJSON ? json(reports) : table(reports))
      return 0
    }
  }

  private struct Options {
    var trace: String
    var configuration: Replay.Configuration
    var isJSON = false

    init(_ scanner: inout ArgumentScanner) throws {
      guard let trace = try scanner.text("--trace") else { throw ArgumentScanner.Problem("--trace FILE is needed") }
      self.trace = trace
      let policy = ScalingPolicy(
        target: Double(try scanner.integer("--target", default: 8, in: 1...1_000_000)),
        sleepAfter: try scanner.duration("--sleep-after", default: .seconds(600)),
        maxBurstReplicas: try scanner.integer("--max-replicas", default: 1, in: 1...10_000))
      configuration = Replay.Configuration(
        policy: policy, loadTime: try scanner.duration("--load-time", default: .seconds(30)),
        serviceTime: try scanner.duration("--service-time", default: .seconds(5)),
        maxConcurrency: try scanner.integer("--max-concurrency", default: 16, in: 1...100_000))
      if let format = try scanner.text("-o") {
        guard format == "json" else { throw ArgumentScanner.Problem("-o: '\(format)' is not json") }
        isJSON = true
      }
      try scanner.finish()
    }
  }

  /// Reads the trace line by line, so that its size does not matter; of a request log the requests are kept, to be sorted.
  private static func replay(_ options: Options) throws -> [(model: String, report: ReplayReport)] {
    let file = options.trace == "-" ? fdopen(STDIN_FILENO, "r") : fopen(options.trace, "r")
    guard let file else {
      throw ArgumentScanner.Problem("--trace: cannot read '\(options.trace)': \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var reader = TraceReader()
    var replays: [String: Replay] = [:]
    func add(_ request: TraceRequest) {
      replays[request.model, default: Replay(options.configuration, start: request.time)].add(request)
    }
    var unordered: [TraceRequest] = []
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) >= 0, let line {
      let text = String(cString: line)
      guard let request = try reader.read(text.last?.isNewline == true ? text.dropLast() : text[...]) else { continue }
      if reader.isOrdered { add(request) } else { unordered.append(request) }
    }
    for request in unordered.sorted(by: { $0.time < $1.time }) { add(request) }
    guard !replays.isEmpty else { throw ArgumentScanner.Problem("--trace: '\(options.trace)' has no rows") }
    return replays.keys.sorted().compactMap { model in
      guard var replay = replays[model] else { return nil }
      return (model, replay.finish())
    }
  }

  private static func table(_ reports: [(model: String, report: ReplayReport)]) -> String {
    var rows = [
      ["MODEL", "REQUESTS", "COLD STARTS", "WAITING", "WAIT P50", "WAIT P99", "REPLICA-HOURS", "OF ALWAYS-ON"]
    ]
    for (model, report) in reports {
      rows.append([
        model, String(report.requests), String(report.coldStarts), percent(report.waitingShare * 100),
        decimal(report.wait(percentile: 0.5).seconds) + " s", decimal(report.wait(percentile: 0.99).seconds) + " s",
        decimal(report.usage.burstHours), report.percentOfAlwaysOn.map(percent) ?? "-",
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { index, cell in
        index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  private static func json(_ reports: [(model: String, report: ReplayReport)]) -> String {
    let items = reports.map { model, report in
      """
      {"model": \(quoted(model)), "requests": \(report.requests), "cold_starts": \(report.coldStarts), \
      "waiting_share": \(report.waitingShare), "wait_p50_seconds": \(report.wait(percentile: 0.5).seconds), \
      "wait_p99_seconds": \(report.wait(percentile: 0.99).seconds), "replica_hours": \(report.usage.burstHours)}
      """
    }
    return "{\"models\": [\(items.joined(separator: ", "))]}"
  }

  private static func quoted(_ text: String) -> String { JSONValue.string(text).text }
  private static func percent(_ value: Double) -> String { decimal(value, places: 1) + " %" }

  /// A decimal number with a fixed number of places, without a locale.
  private static func decimal(_ value: Double, places: Int = 2) -> String {
    let scale = (0..<places).reduce(1.0) { product, _ in product * 10 }
    let scaled = Int((abs(value) * scale).rounded())
    let fraction = String(scaled % Int(scale))
    return (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / Int(scale))."
      + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
