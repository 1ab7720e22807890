import EventLoop
import FoundationEssentials
import Glibc
import KubernetesAPI
import Telemetry

/// A stand-in for a model server: OpenAI's API with set times, limits and failures, and no model behind it.
///
/// Sendable because it is confined to its loop, on which the HTTP server runs every handler.
public final class ModelStub: @unchecked Sendable {
  private static let bodyLimit = 64 << 20

  private let configuration: ModelStubConfiguration
  private let loop: EventLoop
  private let log: Log
  private let metrics: ModelStubMetrics
  private let slots: RequestSlots
  private let modelName: String
  private let started: Int
  private var random: DeterministicRandom
  private var requests = 0
  private var server: HTTPServer?

  /// - Parameter loop: started already.
  public init(configuration: ModelStubConfiguration, loop: EventLoop, log: Log) {
    self.configuration = configuration
    self.loop = loop
    self.log = log
    modelName = configuration.model ?? "model-stub"
    metrics = ModelStubMetrics(model: modelName)
    slots = RequestSlots(limit: configuration.maxConcurrency)
    random = DeterministicRandom(seed: configuration.seed)
    started = Int(loop.wallClock.timeIntervalSince1970)
  }

  /// Loads for as long as configured, then listens; the address that was bound.
  /// - Throws: when the address cannot be bound. Ends the process when it is to crash at its start.
  public func start() async throws -> SocketAddress {
    log.info("loading", ["model": modelName, "seconds": configuration.loadTime])
    if configuration.loadTime > .zero { try await loop.sleep(for: configuration.loadTime) }
    if configuration.crashesAtStart { crash("crash at start, as configured") }
    var server = HTTPServerConfiguration(address: try SocketAddress(parsing: configuration.listen))
    server.backlog = 1024
    let listener = HTTPServer(loop: loop, configuration: server) { [self] in await serve($0) }
    let address = try listener.start()
    self.server = listener
    log.info("listening", ["address": "\(address.host):\(address.port)", "model": modelName])
    return address
  }

  /// Stops accepting and lets requests in flight finish.
  public func shutDown(graceful deadline: Duration) async {
    await server?.shutDown(graceful: deadline)
  }

  private func crash(_ why: String) -> Never {
    log.error(why, ["exitCode": Int(configuration.exitCode)])
    exit(configuration.exitCode)
  }
}

// MARK: - Requests

extension ModelStub {
  private func serve(_ exchange: HTTPExchange) async {
    do {
      try await route(exchange)
    } catch let error as OpenAIError {
      try? await respond(exchange, error.status, error.json)
    } catch {
      exchange.abort()
    }
  }

  private func route(_ exchange: HTTPExchange) async throws {
    switch (exchange.method, exchange.path) {
    case ("GET", "/health"), ("GET", "/ping"): try await exchange.respond(status: 200, headers: [], body: [])
    case ("GET", "/metrics"):
      metrics.running.set(Double(slots.running))
      metrics.waiting.set(Double(slots.waiting))
      try await exchange.respond(
        status: 200, headers: [("Content-Type", MetricsRegistry.contentType)],
        body: Array(metrics.registry.render().utf8))
    case ("GET", "/v1/models"):
      let model: JSONValue = [
        "id": .string(modelName), "object": "model", "created": JSONValue(started), "owned_by": "pilotlight",
      ]
      try await respond(exchange, 200, ["object": "list", "data": [model]])
    case ("POST", "/v1/chat/completions"): try await generate(exchange, .chat)
    case ("POST", "/v1/completions"): try await generate(exchange, .text)
    case ("POST", "/v1/embeddings"): try await embed(exchange)
    case (_, "/v1/chat/completions"), (_, "/v1/completions"), (_, "/v1/embeddings"):
      throw OpenAIError(status: 405, message: "Method \(exchange.method) is not allowed here; use POST.")
    default:
      throw OpenAIError(status: 404, message: "Unknown request URL: \(exchange.method) \(exchange.path).")
    }
  }

  private func readJSON(_ exchange: HTTPExchange) async throws -> JSONValue {
    let body = try await exchange.readWholeBody(limit: Self.bodyLimit)
    do {
      return try JSONValue(parsing: body)
    } catch {
      throw OpenAIError(status: 400, message: "The request body is no valid JSON: \(error)")
    }
  }

  private func respond(_ exchange: HTTPExchange, _ status: Int, _ json: JSONValue) async throws {
    try await exchange.respond(status: status, headers: [("Content-Type", "application/json")], body: json.bytes)
  }
}

// MARK: - Work

extension ModelStub {
  private func embed(_ exchange: HTTPExchange) async throws {
    let request = try EmbeddingRequest(
      await readJSON(exchange), served: configuration.model, dimensions: configuration.dimensions)
    try await withSlot(exchange) {
      try await loop.sleep(for: configuration.timeToFirstToken)
      metrics.promptTokens.increment(by: Double(request.promptTokens))
      try await respond(exchange, 200, request.answer)
      metrics.succeeded("stop")
    }
  }

  private func generate(_ exchange: HTTPExchange, _ kind: CompletionShape.Kind) async throws {
    let body = try await readJSON(exchange)
    let request =
      switch kind {
      case .chat: try GenerationRequest(chat: body, served: configuration.model)
      case .text: try GenerationRequest(completion: body, served: configuration.model)
      }
    try await withSlot(exchange) { [self] in
      let number = requests
      let shape = CompletionShape(
        kind: kind, id: (kind == .chat ? "chatcmpl-" : "cmpl-") + String(number, radix: 16), model: request.model,
        created: Int(loop.wallClock.timeIntervalSince1970))
      let start = loop.now
      metrics.promptTokens.increment(by: Double(request.promptTokens))
      if request.streams {
        try await stream(exchange, request, shape, number: number)
      } else {
        try await answer(exchange, request, shape, number: number)
      }
      metrics.requestLatency.observe(loop.now - start)
    }
  }

  private func answer(
    _ exchange: HTTPExchange, _ request: GenerationRequest, _ shape: CompletionShape, number: Int
  ) async throws {
    let (count, reason) = length(of: request)
    var canned = CannedText(prompt: request.prompt)
    let text = (0..<count).map { _ in canned.next() }.joined()
    try await loop.sleep(for: configuration.timeToFirstToken)
    metrics.timeToFirstToken.observe(configuration.timeToFirstToken)
    if number == configuration.crashAfter { crash("crash within request \(number), as configured") }
    try await loop.sleep(for: configuration.timeBetweenTokens * (count - 1))
    metrics.generationTokens.increment(by: Double(count))
    try await respond(
      exchange, 200,
      shape.answer(
        text: text, finishReason: reason, usage: shape.usage(prompt: request.promptTokens, completion: count)))
    metrics.succeeded(reason)
  }

  private func stream(
    _ exchange: HTTPExchange, _ request: GenerationRequest, _ shape: CompletionShape, number: Int
  ) async throws {
    let (count, reason) = length(of: request)
    let start = loop.now
    try await exchange.startResponse(
      status: 200, headers: [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")], contentLength: nil)
    var canned = CannedText(prompt: request.prompt)
    for index in 0..<count {
      try await loop.sleep(for: index == 0 ? configuration.timeToFirstToken : configuration.timeBetweenTokens)
      if exchange.isDisconnected { return log.info("client gone", ["request": number, "tokens": index]) }
      let chunk = shape.chunk(text: canned.next(), isFirst: index == 0, finishReason: nil)
      try await exchange.write(CompletionShape.event(chunk))
      metrics.generationTokens.increment()
      if index == 0 {
        metrics.timeToFirstToken.observe(loop.now - start)
        if number == configuration.crashAfter { crash("crash within request \(number), as configured") }
      } else {
        metrics.timePerOutputToken.observe(configuration.timeBetweenTokens)
      }
    }
    try await exchange.write(CompletionShape.event(shape.chunk(text: nil, isFirst: false, finishReason: reason)))
    if request.includesUsage {
      let usage = shape.usage(prompt: request.promptTokens, completion: count)
      try await exchange.write(CompletionShape.event(shape.usageChunk(usage)))
    }
    try await exchange.write(Array("data: [DONE]\n\n".utf8))
    try await exchange.finish()
    metrics.succeeded(reason)
  }

  private func length(of request: GenerationRequest) -> (tokens: Int, finishReason: String) {
    guard let limit = request.maxTokens, limit < configuration.tokens else { return (configuration.tokens, "stop") }
    return (limit, "length")
  }

  /// Runs a request's work within the concurrency limit; fails it, waits or refuses as configured.
  private func withSlot(_ exchange: HTTPExchange, _ work: () async throws -> Void) async throws {
    requests += 1
    if configuration.failRate > 0, random.nextUnit() < configuration.failRate {
      throw OpenAIError(status: 500, message: "The server failed, as configured.", type: "server_error")
    }
    let arrival = loop.now
    if !slots.take() {
      if configuration.overload == .reject {
        throw OpenAIError(
          status: 429, message: "All \(configuration.maxConcurrency) slots are busy.", type: "rate_limit_error",
          code: "rate_limit_exceeded")
      }
      guard await waitForSlot(exchange) else { return exchange.abort() }
    }
    metrics.queueTime.observe(loop.now - arrival)
    defer { slots.release() }
    try await work()
  }

  /// False when the client went before its turn came.
  private func waitForSlot(_ exchange: HTTPExchange) async -> Bool {
    await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
      let slots = slots
      let place = slots.wait {
        exchange.onDisconnect(nil)
        continuation.resume(returning: true)
      }
      exchange.onDisconnect { if slots.leave(place) { continuation.resume(returning: false) } }
    }
  }
}
