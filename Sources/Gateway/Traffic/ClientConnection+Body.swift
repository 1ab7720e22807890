import EventLoop
import HTTPWire

/// The body of a request: kept to be searched for its model, or passed on as fast as the replica takes it.
extension ClientConnection {
  // MARK: - Searching

  /// Begins to keep the body, with what came along with the head.
  func collect(_ call: Call, _ rest: UnsafeMutableBufferPointer<UInt8>) {
    phase = .body
    call.collectsSince = loop.nowNanoseconds
    if case .length(let length) = call.requestFraming, length > core.configuration.routingBodyLimit {
      return fail(call, bodyTooLong, rest)
    }
    guard takeBody(call, rest), phase == .body else { return }
    sendContinue(call)
    readBody()
  }

  private var bodyTooLong: GatewayError {
    .bodyTooLarge(limit: core.configuration.routingBodyLimit, domain: server.routing?.view.domain ?? "")
  }

  /// Reads on.
  func readBody() {
    guard let call else { return }
    do {
      while phase == .body, self.call === call {
        switch try channel.receive() {
        case .bytes(let count):
          guard takeBody(call, UnsafeMutableBufferPointer(rebasing: loop.receiveBuffer[..<count])) else { return }
        case .end: return callerLeft()
        case .wouldBlock: return channel.watch(untilNanoseconds: keptBodyDeadline(call))
        }
      }
    } catch {
      callerLeft()
    }
  }

  /// When a body that is kept counts as late: after a silence, or at a pace at which its memory would be out of the others'
  /// reach for long.
  private func keptBodyDeadline(_ call: Call) -> Int64 {
    let paced = call.collectsSince + server.bodyTimeout + Int64(call.collected.count) * Self.nanosecondsPerKeptByte
    return min(loop.nowNanoseconds + server.bodyTimeout, paced)
  }

  /// 16 KiB a second.
  private static let nanosecondsPerKeptByte: Int64 = 1_000_000_000 / 16_384

  /// Keeps a piece of the body. Memory is taken from the hold budget piece by piece: a length that is only promised costs
  /// nothing. - Returns: whether more is to be read.
  private func takeBody(_ call: Call, _ bytes: UnsafeMutableBufferPointer<UInt8>) -> Bool {
    do {
      let progress = try call.requestBody.decode(bytes)
      let piece = bytes[progress.body]
      let after = UnsafeMutableBufferPointer(rebasing: bytes[progress.consumed...])
      guard call.collected.count + piece.count <= core.configuration.routingBodyLimit else {
        fail(call, bodyTooLong, after)
        return false
      }
      guard take(call, bytes: piece.count) else {
        fail(call, .gatewayFull(retryAfter: 1), after)
        return false
      }
      call.collected.append(contentsOf: piece)
      call.requestBytes += piece.count
      guard call.requestBody.isComplete else { return true }
      keep(after[...])
      bodyIsWhole(call)
    } catch {
      refuse(error)
    }
    return false
  }

  /// Takes memory for bytes that are kept; false when there is none left.
  func take(_ call: Call, bytes: Int) -> Bool {
    guard core.budget.take(bytes: bytes) else { return false }
    call.allowance += bytes
    return true
  }

  /// The body is there: finds its model, and writes the name in that the server inside knows.
  private func bodyIsWhole(_ call: Call) {
    var body: [UInt8] = []
    swap(&body, &call.collected)
    channel.watch(untilNanoseconds: .max)
    do {
      if let service = call.service {
        body = try renamed(body, call, service)
      } else {
        body = try findService(call, body)
      }
    } catch {
      return fail(call, error)
    }
    ForwardedRequestHead.finish(.length(body.count), to: &call.outgoing)
    call.outgoing.append(contentsOf: body)
    place(call)
  }

  /// The head has told the service; a body that names no model is the server's to judge.
  private func renamed(_ body: [UInt8], _ call: Call, _ service: RoutedService) throws(GatewayError) -> [UInt8] {
    let field: ModelField
    do {
      field = try ModelField(scanning: body)
    } catch {
      if error.isAmbiguous { throw .ambiguousModel(error) }
      return body
    }
    note(field, body, call)
    guard let name = field.model, let rename = service.route.rename(name), field.needsRewriting(to: rename) else {
      return body
    }
    return field.rewriting(body, to: rename)
  }

  private func findService(_ call: Call, _ body: [UInt8]) throws(GatewayError) -> [UInt8] {
    guard let routing = server.routing else { throw GatewayError.notSynced }
    let field: ModelField
    do {
      field = try ModelField(scanning: body)
    } catch {
      if error.isAmbiguous { throw .ambiguousModel(error) }
      throw GatewayError.badRequest(
        "the body is no JSON object with a 'model': \(error.reason) at byte \(error.offset); "
          + RouteResolver.otherForms, code: "invalid_body")
    }
    guard let name = field.model else {
      throw GatewayError.badRequest("you must provide a 'model'", code: "missing_model", parameter: "model")
    }
    guard let found = routing.view.names.target(model: name, services: routing.view.services) else {
      throw GatewayError.modelNotFound(RouteResolver.unknownModel(name), named: name)
    }
    let service = routing.services[found.service]
    call.service = service
    note(field, body, call)
    if field.stream, call.keepAlive == 0, let own = service.route.holdKeepAlive { call.keepAlive = own.inNanoseconds }
    guard let rename = found.rename, field.needsRewriting(to: rename) else { return body }
    return field.rewriting(body, to: rename)
  }

  private func note(_ field: ModelField, _ body: [UInt8], _ call: Call) {
    guard let service = call.service else { return }
    if let length = service.route.prefixAffinity { call.affinity = PrefixKey.hash(body.span, length: length) }
    guard !service.route.rules.isEmpty else { return }
    call.told = RequestTraits(model: field.model, stream: field.stream, maxOutputTokens: field.maxOutputTokens)
  }

  /// Tells a caller that waits for it to send its body.
  func sendContinue(_ call: Call) {
    guard call.traits.contains(.awaitsContinue) else { return }
    call.traits.remove(.awaitsContinue)
    channel.enqueue { $0.append("HTTP/1.1 100 Continue\r\n\r\n") }
  }

  // MARK: - Streaming

  /// Passes the body on as far as the caller has sent it and the replica takes it.
  func sendBody() {
    guard let call, let replica = call.replica, !call.traits.contains(.isSent) else { return endOfInput() }
    guard call.traits.contains(.streamsBody) else { return sendKept(call, replica) }
    var rounds = 0
    while self.call === call, phase == .exchange, !call.traits.contains(.isSent) {
      guard replica.channel.queued <= ByteChannel.highWater else {
        replica.channel.reportsDrain = true
        channel.watch(untilNanoseconds: .max)
        return
      }
      guard rounds < Self.roundsPerTurn else { return channel.readAgainNextTurn() }
      rounds += 1
      do {
        if !input.isEmpty {
          var octets: [UInt8] = []
          swap(&octets, &input)
          try octets.withUnsafeMutableBufferPointer { try pass($0, of: call, to: replica) }
          continue
        }
        switch try channel.receive() {
        case .bytes(let count):
          try pass(UnsafeMutableBufferPointer(rebasing: loop.receiveBuffer[..<count]), of: call, to: replica)
        case .end: return callerLeft()
        case .wouldBlock: return channel.watch(untilNanoseconds: loop.nowNanoseconds + server.bodyTimeout)
        }
      } catch let error as WireError {
        return bodyIsMalformed(call, error)
      } catch {
        return callerLeft()
      }
    }
  }

  /// Sends a request that is kept as a whole, no more at a time than the replica's connection takes: it stays to be sent
  /// again, and a second copy would be memory that nobody counts.
  func sendKept(_ call: Call, _ replica: ReplicaConnection) {
    while call.outgoingSent < call.outgoing.count {
      guard replica.channel.queued == 0 else {
        replica.channel.watch(untilNanoseconds: .max)
        replica.channel.reportsDrain = true
        return
      }
      let end = min(call.outgoing.count, call.outgoingSent + ByteChannel.highWater)
      call.outgoing.withUnsafeBytes { octets in
        replica.channel.send(UnsafeRawBufferPointer(rebasing: octets[call.outgoingSent..<end]))
      }
      call.outgoingSent = end
    }
    requestIsSent(call, replica)
  }

  /// Turns of reading before others of the loop get theirs.
  static let roundsPerTurn = 16

  private func pass(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, of call: Call, to replica: ReplicaConnection
  ) throws {
    let progress = try call.requestBody.decode(bytes)
    let piece = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[progress.body]))
    call.requestBytes += piece.count
    if core.configuration.exceedsBodyLimit(call.requestBytes) {
      throw WireError(status: 413, reason: "body larger than \(core.configuration.maxBodyBytes) bytes")
    }
    let isChunked = call.requestFraming == .chunked
    if !piece.isEmpty {
      if isChunked { replica.channel.enqueueChunk(piece) } else { replica.channel.enqueue(piece) }
    }
    guard call.requestBody.isComplete else { return }
    keep(bytes[progress.consumed...])
    if isChunked {
      replica.channel.enqueue { ChunkedEncoder.appendEnd(trailers: call.requestBody.trailers, to: &$0) }
    }
    requestIsSent(call, replica)
  }

  /// The replica has all of the request, and must begin to answer.
  func requestIsSent(_ call: Call, _ replica: ReplicaConnection) {
    call.traits.insert(.isSent)
    if replica.hasHead { call.outgoing = [] }
    channel.watch(untilNanoseconds: .max)
    replica.channel.watch(untilNanoseconds: loop.nowNanoseconds + (call.service?.responseTimeout ?? 0))
  }

  private func bodyIsMalformed(_ call: Call, _ error: WireError) {
    guard !call.hasAnswered else { return callerLeft() }
    endAttempt(call, .abandoned)
    refuse(error)
  }

  /// A caller has left its body unfinished for too long.
  func bodyIsLate() {
    guard let call, !call.hasAnswered else { return callerLeft() }
    endAttempt(call, .abandoned)
    refuse(WireError(status: 408, reason: "the request's body did not come in time"))
  }

  /// Nothing is read while the answer is out: what comes is the next request's. Only the end of the stream matters.
  private func endOfInput() {}
}
