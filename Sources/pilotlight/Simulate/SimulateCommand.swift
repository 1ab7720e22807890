import Decisions
import Glibc
import Simulation

/// `pilotlight simulate`: replays a request trace under the production decision and under other policies.
enum SimulateCommand {
  static let help = """
    usage: pilotlight simulate --trace FILE [options]
           pilotlight simulate --trace FILE --service new.json --against old.json [options]

    Replays a trace on virtual time under several policies at once, and says what each took and how long requests waited.
    Every model of the trace has replicas of its own. COST is in replica-seconds, cold starts at their price.

      --policies A,B,...      of \(SimulatedPolicy.names.joined(separator: ", "));
                              fixed:DURATION is a window of its own (\(SimulateOptions.defaultPolicies))
      --service FILE          an InferenceService as JSON, instead of the flags below; '-' reads standard input
      --against FILE          another one: prints both, and the difference
      --seed N                of what is drawn: load times from a distribution, arrivals from rates (1)

    Trace
    \(TraceOptions.help)

    Replicas, the same for every model
      --load-time TIME|FILE   seconds, a duration, or a file with one measured load time in seconds per line (60)
      --max-replicas N        most burst replicas (1)
      --dedicated-replicas N  always on (0)
      --sleep-after DURATION  of pilotlight and fixed: how long after the last request the last replica goes (10m)
      --target N              requests that a replica should carry on average (8; with --objective: --max-concurrency)
      --max-concurrency N     requests that a replica runs at once (64)

    Time of a request at a replica, where the trace has no duration
      --first-token-time D    of an empty prompt (50ms)
      --prompt-token-time US  microseconds that each token of the prompt adds (100)
      --output-token-time US  microseconds per token of the answer (20580)
      --batch-time US         microseconds that each request of the batch adds to every token (410)
      --prompt-tokens N       where the trace does not say (1024)
      --output-tokens N       where the trace does not say (256)
      --service-time D        instead of all these

    Overflow
      --overflow WHEN         Waking, Saturated or both, with a comma: an endpoint outside takes such requests
      --overflow-latency D    to its first token (500ms)
      --overflow-prices A,B,C per request, per million prompt tokens, per million output tokens (0,0,0)

    Cost
      --cold-start-price N    replica-seconds that a cold start costs beyond its load time (300)
      --hourly-price N        of a burst replica; --dedicated-hourly-price N of a dedicated one
      --idle-watts N, --busy-watts N, --pue N (1), --carbon N (grams of CO2 equivalent per kWh)
      --objective D           to the first token; --percentile N of the requests (99)

      -o table|json|csv       (table)
      --chart FILE.svg        replicas and held requests over time, and cost against waiting
    """

  static func run(_ arguments: [String]) async -> Int32 {
    await CommandFrame.run("simulate", arguments, help: help) { scanner in
      let options = try SimulateOptions(&scanner)
      let result = try simulate(options)
      if let path = options.chart { try write(Chart(result).svg, to: path) }
      Console.print(text(of: result, options))
      return 0
    }
  }

  private static func simulate(_ options: SimulateOptions) throws -> SimulationResult {
    var bestWindow: Int64?
    if options.contenders.contains(where: { $0.policy == .bestFixed }), let first = options.contenders.first {
      bestWindow = try search(options, first.settings)
    }
    var simulator = Simulator(options.contenders, bestWindow: bestWindow)
    var source = try options.openTrace()
    try feed(&source) { simulator.add($0) }
    report(source.problems)
    let result = simulator.finish(models: source.models)
    guard result.requests > 0 else {
      throw ArgumentScanner.Problem("--trace: '\(options.trace.path)' has no requests")
    }
    return result
  }

  /// Finds the best fixed window: on a coarse grid, then between the neighbours of the best one.
  private static func search(_ options: SimulateOptions, _ settings: SimulationSettings) throws -> Int64 {
    var grid = BestFixedSearch.coarseGrid
    for isLast in [false, true] {
      var search = BestFixedSearch(windows: grid, settings)
      var source = try options.openTrace()
      var batch: [TraceRequest] = []
      var end: Int64 = 0
      try feed(&source) { request in
        batch.append(request)
        end = request.timeMicroseconds
        guard batch.count == 4096 else { return }
        search.add(batch)
        batch.removeAll(keepingCapacity: true)
      }
      search.add(batch)
      search.finish(at: end)
      if isLast { return search.best }
      grid = search.refinedGrid
    }
    return 0
  }

  @inline(__always)
  private static func feed(_ source: inout TraceFile, _ body: (TraceRequest) -> Void) throws {
    var bar = TraceProgressBar()
    defer { bar.finish() }
    while let request = try source.next() {
      body(request)
      bar.count(source.progress)
    }
  }

  /// Says which rows were left out with `--bad-rows skip`.
  private static func report(_ problems: TraceProblems) {
    guard problems.count > 0 else { return }
    for problem in problems.first { Console.printError("pilotlight simulate: \(problem)") }
    Console.printError("pilotlight simulate: \(problems.count) bad \(problems.count == 1 ? "row" : "rows") left out")
  }

  private static func text(of result: SimulationResult, _ options: SimulateOptions) -> String {
    switch options.format {
    case .json: ReportDocument(result, settings: options.description).json
    case .csv: ReportDocument(result, settings: options.description).csv
    case .table:
      (options.isBacktest ? BacktestTable(result).text : ReportTable(result).text) + "\n" + options.footer(result)
    }
  }

  private static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else {
      throw ArgumentScanner.Problem("--chart: cannot write '\(path)': \(String(cString: strerror(errno)))")
    }
    fputs(text, file)
    guard fclose(file) == 0 else {
      throw ArgumentScanner.Problem("--chart: cannot write '\(path)': \(String(cString: strerror(errno)))")
    }
  }
}
