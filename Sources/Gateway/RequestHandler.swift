import EventLoop
import HTTPWire
import Telemetry

/// Serves one loop's callers: finds the model, holds, places, relays. Straight-line code on the exchange's loop.
struct RequestHandler: Sendable {
  let core: GatewayCore
  let pool: UpstreamPool

  /// Answers one request, whatever happens.
  @Sendable func handle(_ exchange: HTTPExchange) async {
    var record = RequestRecord(arrival: exchange.loop.moment)
    do {
      try await serve(exchange, &record)
    } catch let error as GatewayError {
      await refuse(exchange, error, &record)
    } catch {
      // The caller is gone, or sent what is no HTTP; the server has said so where it could.
      exchange.abort()
    }
    record.finish(at: exchange.loop.now, core: core)
  }

  // MARK: - Finding the model

  private func serve(_ exchange: HTTPExchange, _ record: inout RequestRecord) async throws {
    guard let routing = core.current else { throw GatewayError.notSynced }
    let method = exchange.method
    var allowance = BodyAllowance(core.budget)
    switch routing.resolver.resolve(method: method, host: exchange.headers.first(.host), target: exchange.target) {
    case .health: try await respond(exchange, 200, "text/plain; charset=utf-8", Array("ok\n".utf8), &record)
    case .listModels(let service):
      try await respond(exchange, 200, "application/json", ModelList.list(routing.view, service: service), &record)
    case .describeModel(let name):
      guard let body = ModelList.describe(name, routing.view) else {
        throw GatewayError.modelNotFound(RouteResolver.unknownModel(name), named: name)
      }
      try await respond(exchange, 200, "application/json", body, &record)
    case .notFound(let message, let model): throw GatewayError.modelNotFound(message, named: model)
    case .malformed(let message): throw GatewayError.badRequest(message)
    case .service(let index, let target):
      let service = routing.view.services[index]
      record.concern(routing.gates[index], service)
      let body = try await body(exchange, for: service, domain: routing.view.domain, allowance: &allowance)
      let call = ServiceCall(
        service: service, gate: routing.gates[index], method: method, target: target, body: body,
        keptBytes: allowance.bytes, counts: demands(exchange, method, target, service))
      try await forward(exchange, call, &record)
    case .modelInBody(let target):
      let bytes = try await exchange.readBody(
        limit: core.configuration.routingBodyLimit, domain: routing.view.domain, allowance: &allowance)
      let field = try modelField(in: bytes, exchange)
      guard let name = field.model else {
        throw GatewayError.badRequest("you must provide a 'model'", code: "missing_model", parameter: "model")
      }
      guard let found = routing.view.names.target(model: name, services: routing.view.services) else {
        throw GatewayError.modelNotFound(RouteResolver.unknownModel(name), named: name)
      }
      let service = routing.view.services[found.service]
      record.concern(routing.gates[found.service], service)
      let call = ServiceCall(
        service: service, gate: routing.gates[found.service], method: method, target: target,
        body: .whole(found.rename.map { field.rewriting(bytes, to: $0) } ?? bytes), keptBytes: allowance.bytes,
        counts: demands(exchange, method, target, service))
      try await forward(exchange, call, &record)
    }
  }

  private func modelField(in bytes: [UInt8], _ exchange: HTTPExchange) throws(GatewayError) -> ModelField {
    do {
      return try ModelField(scanning: bytes)
    } catch {
      let type = exchange.headers.first("content-type") ?? "no content-type"
      throw .badRequest(
        "the body (\(type)) is no JSON object with a 'model': \(error.reason) at byte \(error.offset); "
          + RouteResolver.otherForms, code: "invalid_body")
    }
  }

  private func demands(_ exchange: HTTPExchange, _ method: String, _ target: String, _ service: ServiceRoute) -> Bool {
    InferenceRequest.wakes(
      method: method, target: target, upgrades: exchange.headers.contains("upgrade"), service: service)
  }

  /// The body of a request whose service is known from its head. It stays with the caller, unless callers may use a name
  /// that the server inside does not know and the body is JSON of a known length within the limit: then `model` is
  /// replaced as it would be without the host's or path's help.
  private func body(
    _ exchange: HTTPExchange, for service: ServiceRoute, domain: String, allowance: inout BodyAllowance
  ) async throws -> RequestBody {
    guard exchange.hasBody else { return .none }
    guard service.renames, service.modelProtocol == .openAI, let length = exchange.contentLength,
      length <= core.configuration.routingBodyLimit,
      exchange.headers.first("content-type")?.lowercased().hasPrefix("application/json") ?? false
    else { return .streamed }
    let bytes = try await exchange.readBody(
      limit: core.configuration.routingBodyLimit, domain: domain, allowance: &allowance)
    guard let field = try? ModelField(scanning: bytes), let name = field.model, let rename = service.rename(name) else {
      return .whole(bytes)
    }
    return .whole(field.rewriting(bytes, to: rename))
  }

  // MARK: - Holding and placing

  private func forward(_ exchange: HTTPExchange, _ call: ServiceCall, _ record: inout RequestRecord) async throws {
    let patience = patience(exchange, call.service)
    if call.counts {
      call.gate.arrived(record.arrival)
    } else if call.method == "OPTIONS", !call.gate.isAwake {
      // A preflight must not fail because the model sleeps, nor wake it.
      try await respond(exchange, 204, nil, [], &record, extra: [("allow", "GET, HEAD, POST, OPTIONS")])
      return
    }
    var call = call
    var retries = 0
    while true {
      guard let lease = try await place(exchange, call, patience: patience, isRetry: retries > 0, &record) else {
        exchange.abort()
        return
      }
      if retries > 0 { record.placement = .retried }
      record.pool = lease.replica.pool
      let began = exchange.loop.now
      let outcome = await attempt(exchange, &call, lease, &record)
      let now = exchange.loop.moment
      if case .failed = outcome { call.gate.failed(lease, now: now.monotonic) }
      let took = outcome.isAnswer && call.counts ? now.monotonic - began : nil
      call.gate.finish(lease, counts: call.counts, took: took, now: now)
      switch outcome {
      case .answered: return
      case .left, .broken:
        exchange.abort()
        return
      case .refused(let error): throw error
      case .failed(let problem, let mayRetry):
        guard mayRetry, retries < core.configuration.maxRetries else {
          throw GatewayError.unreachable(call.service, problem: problem)
        }
        retries += 1
        call.gate.metrics.retried()
      }
    }
  }

  /// Sends the request to the replica whose slot it has. A small body is read first, only now: until then it stayed with
  /// the caller.
  private func attempt(
    _ exchange: HTTPExchange, _ call: inout ServiceCall, _ lease: ReplicaSetState.Lease, _ record: inout RequestRecord
  ) async -> RelayOutcome {
    if case .streamed = call.body, let length = exchange.contentLength, length <= RequestBody.smallBody {
      do { call.body = .whole(try await exchange.readWholeBody(limit: RequestBody.smallBody)) } catch { return .left }
    }
    return await UpstreamRelay(core: core, pool: pool, exchange: exchange, call: call, lease: lease).run(&record)
  }

  /// A slot for the request, now or after a wait; nil: the caller left.
  private func place(
    _ exchange: HTTPExchange, _ call: ServiceCall, patience: Duration, isRetry: Bool, _ record: inout RequestRecord
  ) async throws -> ReplicaSetState.Lease? {
    let now = exchange.loop.moment
    let left = patience - (now.monotonic - record.arrival.monotonic)
    switch call.gate.admit(patience: left, counts: call.counts, now: now) {
    case .placed(let lease): return lease
    case .refused(let error): throw error
    case .mustWait(let asleep):
      record.placement = asleep ? .woke : .queued
      if asleep, !record.isColdStart {
        record.isColdStart = true
        call.gate.metrics.startedCold()
      }
      let priority = exchange.headers.all("priority")
      let place = HoldPlace(
        arrival: record.arrival.monotonic, now: now, patience: left,
        urgency: priority.isEmpty ? 3 : PriorityHeader(priority).urgency, bytes: call.keptBytes, isRetry: isRetry)
      let outcome = await call.gate.hold(exchange, place)
      record.queued = exchange.loop.now - record.arrival.monotonic
      switch outcome {
      case .placed(let lease):
        call.gate.metrics.waited(record.queued)
        return lease
      case .refused(let error): throw error
      case .left: return nil
      }
    }
  }

  /// How long the caller waits: what it says itself (RFC 7240), at most what the service allows.
  private func patience(_ exchange: HTTPExchange, _ service: ServiceRoute) -> Duration {
    let prefer = exchange.headers.all("prefer")
    guard !prefer.isEmpty, let wait = PreferHeader.wait(in: prefer) else { return service.maxWait }
    return min(wait, service.maxWait)
  }

  // MARK: - Answers of the gateway itself

  private func respond(
    _ exchange: HTTPExchange, _ status: Int, _ contentType: String?, _ body: [UInt8], _ record: inout RequestRecord,
    extra: [(String, String)] = []
  ) async throws {
    var fields = extra
    if let contentType { fields.append(("content-type", contentType)) }
    record.status = status
    try await exchange.respond(status: status, headers: fields, body: body)
  }

  private func refuse(_ exchange: HTTPExchange, _ error: GatewayError, _ record: inout RequestRecord) async {
    record.errorCode = error.code
    record.status = error.status
    let shape = ErrorShape(protocol: record.modelProtocol, path: exchange.path)
    var fields = [("content-type", shape.contentType)]
    if let seconds = error.retryAfter { fields.append(("retry-after", String(seconds))) }
    if record.gate != nil { fields += record.headers }
    do {
      try await exchange.respond(status: error.status, headers: fields, body: error.body(shape))
    } catch {
      record.status = 0
      exchange.abort()
    }
  }
}

/// One request, as far as its head and its routing say what is to be done.
struct ServiceCall: Sendable {
  var service: ServiceRoute
  var gate: ServiceGate
  var method: String
  /// In origin form, as the replica gets it.
  var target: String
  var body: RequestBody
  /// Bytes of the body kept in memory while it is held.
  var keptBytes: Int
  /// It is demand.
  var counts: Bool
}
