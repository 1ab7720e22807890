import EventLoop
import HTTPWire

/// Reading heads, and finding out what is asked for.
extension ClientConnection {
  /// Reads requests as long as one can begin: what was received ahead, then what the socket has. Who asks for much that is
  /// answered here gets no more than it takes, and others of the loop have their turn in between.
  func readHeads() {
    guard !isReadingHeads else { return }
    isReadingHeads = true
    defer { isReadingHeads = false }
    do {
      var rounds = 0
      while phase == .waiting || phase == .head {
        guard channel.queued <= ByteChannel.highWater else {
          channel.reportsDrain = true
          return
        }
        guard rounds < Self.roundsPerTurn else { return loop.postpone { [weak self] in self?.readHeads() } }
        rounds += 1
        if partialHead == nil, !input.isEmpty {
          var octets: [UInt8] = []
          swap(&octets, &input)
          try octets.withUnsafeMutableBufferPointer { try take($0) }
          continue
        }
        switch try channel.receive() {
        case .bytes(let count):
          let received = UnsafeMutableBufferPointer(rebasing: loop.receiveBuffer[..<count])
          if let partialHead { try extend(partialHead, by: received) } else { try take(received) }
        case .end: return end()
        case .wouldBlock: return
        }
      }
    } catch let error as WireError {
      refuse(error)
    } catch {
      callerLeft()
    }
  }

  private func headBegins() {
    phase = .head
    channel.watch(untilNanoseconds: loop.nowNanoseconds + server.headTimeout)
  }

  /// Parses a head where it was received, as most come in one piece.
  private func take(_ received: UnsafeMutableBufferPointer<UInt8>) throws {
    server.requestParser.reset()
    guard let length = try server.requestParser.scan(received.span) else {
      headBegins()
      partialHead = PartialRequestHead(octets: Array(received), parser: server.requestParser)
      return
    }
    begin(server.requestParser.layout, received, headLength: length)
  }

  private func extend(_ partial: PartialRequestHead, by received: UnsafeMutableBufferPointer<UInt8>) throws {
    partial.octets.append(contentsOf: received)
    guard let length = try partial.scan() else { return }
    partialHead = nil
    partial.octets.withUnsafeMutableBufferPointer { begin(partial.parser.layout, $0, headLength: length) }
  }

  // MARK: - A request

  /// Begins a request whose head is there. `received` is valid during the call only, and not after anything is received.
  private func begin(
    _ layout: RequestHeadLayout, _ received: UnsafeMutableBufferPointer<UInt8>, headLength: Int
  ) {
    let head = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(received)[layout.base..<headLength])
    let rest = UnsafeMutableBufferPointer(rebasing: received[headLength...])
    number &+= 1
    let call = Call(
      record: RequestRecord(arrival: loop.nowNanoseconds, arrivalUnix: loop.turnWallUnix),
      traits: traits(layout, head), framing: layout.framing, limits: core.configuration.limits)
    // Who has sent some of its body does not wait for a word to begin (RFC 9110, 10.1.1).
    if !rest.isEmpty { call.traits.remove(.awaitsContinue) }
    self.call = call
    // Between here and the end of this call nothing may be received: `head` and `rest` stand in the receive buffer.
    channel.watch(untilNanoseconds: .max)
    phase = .body
    guard let routing = server.routing else { return fail(call, .notSynced, rest) }
    if case .length(let length) = layout.framing, core.configuration.exceedsBodyLimit(length) {
      return fail(call, .requestTooLarge(limit: core.configuration.maxBodyBytes), rest)
    }
    let request = HeadView(layout: layout, bytes: head)
    let isPost = request.isMethod("POST")
    guard isPost || !answersMethod(call, request, rest) else { return }
    if let route = FastRoute.resolve(
      isPost: isPost, target: request.target, host: request.host, names: routing.view.names)
    {
      switch route {
      case .service(let index, let targetStart):
        routed(call, request, to: routing.services[index], .received(from: targetStart), routing, rest)
      case .modelInBody: searchBody(call, request, .received(from: 0), rest)
      }
    } else {
      resolve(call, request, routing, rest)
    }
  }

  private func traits(_ layout: RequestHeadLayout, _ head: UnsafeRawBufferPointer) -> Call.Traits {
    var traits: Call.Traits = []
    let view = HeadView(layout: layout, bytes: head)
    if view.isMethod("HEAD") { traits.insert(.isHead) }
    if view.isMethod("OPTIONS") { traits.insert(.isOptions) }
    if layout.minorVersion == 0 { traits.insert(.isOldClient) }
    if view.target.startsIgnoringCase("/v2/") { traits.insert(.isV2Path) }
    if layout.expectsContinue, layout.framing != .none { traits.insert(.awaitsContinue) }
    if layout.keepsAlive { traits.insert(.keepsConnection) }
    if layout.upgrades, layout.minorVersion >= 1, layout.framing == .none, view.isMethod("GET"),
      view.value(of: .upgrade)?.equalsIgnoringCase("websocket") ?? false
    {
      traits.insert(.wantsWebSocket)
    }
    return traits
  }

  /// Finds the service of a request that is not of the most frequent kinds.
  private func resolve(
    _ call: Call, _ request: HeadView, _ routing: RoutingSnapshot, _ rest: UnsafeMutableBufferPointer<UInt8>
  ) {
    let target = String(decoding: request.target, as: UTF8.self)
    let host = request.value(of: .host).map { String(decoding: $0, as: UTF8.self) }
    let method = String(decoding: request.method, as: UTF8.self)
    guard method != "CONNECT" else { return fail(call, .noTunnel, rest) }
    guard channel.isSecure || !target.lowercased().hasPrefix("https:") else { return fail(call, .misdirected, rest) }
    switch routing.resolver.resolve(method: method, host: host, target: target) {
    case .health: respond(call, rest, 200, "text/plain; charset=utf-8", Array("ok\n".utf8))
    case .listModels(let service):
      respond(call, rest, 200, "application/json", server.modelList(routing.view, service: service))
    case .describeModel(let name):
      guard let body = ModelList.describe(name, routing.view) else {
        return fail(call, .modelNotFound(RouteResolver.unknownModel(name), named: name), rest)
      }
      respond(call, rest, 200, "application/json", body)
    case .notFound(let message, let model): fail(call, .modelNotFound(message, named: model), rest)
    case .malformed(let message): fail(call, .badRequest(message), rest)
    case .service(let index, let target):
      routed(call, request, to: routing.services[index], .text(target), routing, rest)
    case .modelInBody(let target): searchBody(call, request, .text(target), rest)
    }
  }

  /// The service is known from the head. Its body stays with the caller, unless callers may use a name that the server
  /// inside does not know and the body is JSON of a known length within the limit: then `model` is replaced as it would
  /// be without the host's or path's help.
  private func routed(
    _ call: Call, _ request: HeadView, to service: RoutedService, _ target: ForwardedRequestHead.Target,
    _ routing: RoutingSnapshot, _ rest: UnsafeMutableBufferPointer<UInt8>
  ) {
    call.service = service
    prepare(call, request, target)
    if service.readsBody, service.route.modelProtocol == .openAI, case .length(let length) = call.requestFraming,
      length > 0, length <= core.configuration.routingBodyLimit,
      request.value(of: .contentType)?.startsIgnoringCase("application/json") ?? false
    {
      return collect(call, rest)
    }
    keepOrStream(call, request, rest)
    place(call)
  }

  private func searchBody(
    _ call: Call, _ request: HeadView, _ target: ForwardedRequestHead.Target,
    _ rest: UnsafeMutableBufferPointer<UInt8>
  ) {
    prepare(call, request, target)
    collect(call, rest)
  }

  /// Takes from the head what is needed after it: the head for the replica, and what bears on the wait.
  private func prepare(_ call: Call, _ request: HeadView, _ target: ForwardedRequestHead.Target) {
    let opensSession = call.traits.contains(.wantsWebSocket)
    if InferenceRequest.wakes(request, target: target, service: call.service?.route, opensSession: opensSession) {
      call.traits.insert(.counts)
    }
    if request.has(.priority) {
      call.urgency = UInt8(PriorityHeader(request.texts(of: .priority)).urgency)
      call.saysUrgency = true
    }
    if request.has(.prefer), let wait = PreferHeader.wait(in: request.texts(of: .prefer)) {
      call.patienceEnds = call.record.arrival + wait.inNanoseconds
    }
    call.method = request.knownMethod
    call.trace = request.value(of: .traceparent).flatMap { TraceContext($0) }
    call.tenant = core.tenants.tenant(of: request)
    // A tunnel and an answer without a body cannot begin with comments.
    if !opensSession, !call.traits.contains(.isHead) { call.keepAlive = keepAlive(request, call.service?.route) }
    call.outgoing.reserveCapacity(request.bytes.count + 320 + min(call.requestFraming.knownLength ?? 0, 4096))
    ForwardedRequestHead.append(
      request.layout, request.bytes, target: target, changes(call, request), peer: server.text(of: peer),
      isSecure: channel.isSecure, to: &call.outgoing)
  }

  private func changes(_ call: Call, _ request: HeadView) -> ForwardedRequestHead.Changes {
    var changes = ForwardedRequestHead.Changes(
      asksForNoCoding: call.keepAlive > 0, switchesToWebSocket: call.traits.contains(.wantsWebSocket))
    if request.target.first != UInt8(ascii: "/") { changes.authority = request.absoluteAuthority }
    if call.traits.contains(.isOldClient), !request.has(.host) {
      // A service's own name, whoever asks and however it was found. Empty, as RFC 9112, 3.2 allows, it would be refused by
      // servers as strict as this gateway. Where the body is still to tell the service, the domain stands for all.
      let domain = server.routing?.view.domain ?? ""
      changes.hostIfNone = call.service.map { "\($0.route.key.name).\($0.route.key.namespace).\(domain)" } ?? domain
    }
    if call.traits.contains(.isOptions), case .left(let hops) = MaxForwards(request) { changes.maxForwards = hops - 1 }
    return changes
  }

  /// How often the caller gets a comment while it is held, in nanoseconds: as it asks itself, in whole seconds, or as its
  /// service says where it takes an event stream.
  private func keepAlive(_ request: HeadView, _ service: ServiceRoute?) -> Int64 {
    if request.has(.pilotlight), let value = request.value(named: Self.keepAliveField),
      let seconds = Int64(String(decoding: value, as: UTF8.self)), (1...600).contains(seconds)
    {
      return seconds * 1_000_000_000
    }
    guard let own = service?.holdKeepAlive, request.accepts("text/event-stream") else { return 0 }
    return own.inNanoseconds
  }

  private static let keepAliveField = Array("pilotlight-keep-alive".utf8)

  /// Finishes the head for the replica. A body that came along whole is sent with it and can be sent again; any other
  /// is streamed.
  private func keepOrStream(
    _ call: Call, _ request: HeadView, _ rest: UnsafeMutableBufferPointer<UInt8>
  ) {
    switch call.requestFraming {
    case .none:
      let hasNoLength = request.isMethod("GET") || request.isMethod("HEAD")
      ForwardedRequestHead.finish(hasNoLength ? .none : .length(0), to: &call.outgoing)
    case .length(let length) where length <= rest.count:
      ForwardedRequestHead.finish(.length(length), to: &call.outgoing)
      call.outgoing.append(contentsOf: rest[..<length])
      call.requestBody = BodyDecoder(.none)
      call.requestBytes = length
      // It has not waited for 100 (Continue).
      call.traits.remove(.awaitsContinue)
      keep(rest[length...])
      return
    case .length, .chunked, .untilClose:
      ForwardedRequestHead.finish(call.requestFraming, to: &call.outgoing)
      call.traits.insert(.streamsBody)
    }
    keep(rest[...])
  }

  /// Keeps what was received ahead.
  func keep(_ bytes: Slice<UnsafeMutableBufferPointer<UInt8>>) {
    if !bytes.isEmpty { input.append(contentsOf: bytes) }
  }
}

extension BodyFraming {
  fileprivate var knownLength: Int? { if case .length(let length) = self { length } else { nil } }
}
