import EventLoop
import Glibc
import Sandbox
import Telemetry

/// `pilotlight model-stub`: a stand-in for a model server.
enum ModelStubCommand {
  static let help = """
    usage: pilotlight model-stub [options]

    Speaks OpenAI's API (/v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models), /health, and /metrics
    under vLLM's names. The answers are words without a meaning; times, limits and failures are as asked for.

      --listen ADDR:PORT       where to listen ($POD_IP:8000, without POD_IP 127.0.0.1:8000)
      --model NAME             the model's name; others get 404. Default: any name is served
      --load-time DURATION     from the start until it listens (0s)
      --ttft DURATION          time to the first token (50ms)
      --tbt DURATION           time between tokens (10ms)
      --tokens N               tokens of an answer, if max_tokens is not less (32)
      --dimensions N           numbers per embedding (384)
      --max-concurrency N      requests worked on at a time (256)
      --overload queue|reject  what the others get: their turn, or 429 (queue)
      --fail-rate SHARE        0 to 1: requests that get 500 (0)
      --seed N                 which ones those are (0)
      --crash-at-start         ends after the load time, without listening
      --crash-after N          ends within the N-th request
      --exit-code N            of a crash (1)
      --drain DURATION         after SIGTERM, for requests in flight (30s)
    """

  static func run(_ arguments: [String]) async -> Int32 {
    await CommandFrame.run("model-stub", arguments, help: help) { scanner in
      let configuration = try configuration(&scanner)
      let drain = try scanner.duration("--drain", default: .seconds(30))
      let log = try scanner.log()
      try scanner.finish()
      return try await run(configuration, drain: drain, log: log)
    }
  }

  private static func run(_ configuration: ModelStubConfiguration, drain: Duration, log: Log) async throws -> Int32 {
    let loop = try EventLoop(name: "model-stub")
    loop.start()
    let stub = ModelStub(configuration: configuration, loop: loop, log: log)
    let start = Task(executorPreference: loop) { try await stub.start() }
    let failure = Task { () -> (any Error)? in
      do { _ = try await start.value } catch is CancellationError {} catch { return error }
      return nil
    }
    Task {
      // A start that fails ends the process as a signal does.
      if let error = await failure.value {
        Console.printError("pilotlight model-stub: \(error)")
        exit(1)
      }
    }
    let number = await TerminationSignals.wait()
    log.info("stopping", ["signal": Int(number)])
    start.cancel()
    await stub.shutDown(graceful: drain)
    return 0
  }

  private static func configuration(
    _ scanner: inout ArgumentScanner
  ) throws(ArgumentScanner.Problem) -> ModelStubConfiguration {
    var result = ModelStubConfiguration()
    let address = getenv("POD_IP").map { String(cString: $0) } ?? "127.0.0.1"
    result.listen = try scanner.text("--listen") ?? (address.contains(":") ? "[\(address)]:8000" : "\(address):8000")
    result.model = try scanner.text("--model")
    result.loadTime = try scanner.duration("--load-time", default: result.loadTime)
    result.timeToFirstToken = try scanner.duration("--ttft", default: result.timeToFirstToken)
    result.timeBetweenTokens = try scanner.duration("--tbt", default: result.timeBetweenTokens)
    result.tokens = try scanner.integer("--tokens", default: result.tokens, in: 1...1_000_000)
    result.dimensions = try scanner.integer("--dimensions", default: result.dimensions, in: 1...65_536)
    result.maxConcurrency = try scanner.integer("--max-concurrency", default: result.maxConcurrency, in: 1...100_000)
    if let text = try scanner.text("--overload") {
      guard let overload = ModelStubConfiguration.Overload(rawValue: text) else {
        throw ArgumentScanner.Problem("--overload: '\(text)' is not one of queue, reject")
      }
      result.overload = overload
    }
    result.failRate = try scanner.value("--fail-rate", default: result.failRate, what: "a number from 0 to 1")
    guard (0...1).contains(result.failRate) else {
      throw ArgumentScanner.Problem("--fail-rate: '\(result.failRate)' is not a number from 0 to 1")
    }
    result.seed = try scanner.value("--seed", default: result.seed, what: "a number that is not negative")
    result.crashesAtStart = scanner.flag("--crash-at-start")
    let crashAfter = try scanner.integer("--crash-after", default: 0, in: 0...Int.max)
    result.crashAfter = crashAfter == 0 ? nil : crashAfter
    result.exitCode = Int32(try scanner.integer("--exit-code", default: 1, in: 0...255))
    return result
  }
}
