import EventLoop
import HTTPWire

/// Passing the answer on as it comes, no faster than the caller takes it.
extension ClientConnection {
  func replicaHasInput() {
    if phase == .tunnel { passToCaller() } else { relayAnswer() }
  }

  func replicaDrained() {
    if phase == .tunnel { passToReplica() } else { sendBody() }
  }

  /// Reads from the replica as far as it has sent and the caller takes it.
  func relayAnswer() {
    guard phase == .exchange, let call, let replica = call.replica else { return }
    var rounds = 0
    while phase == .exchange, self.call === call, call.replica === replica {
      guard channel.queued <= ByteChannel.highWater else {
        // Nothing is read, so silence is no fault of the replica's.
        replica.channel.watch(untilNanoseconds: .max)
        channel.reportsDrain = true
        return
      }
      guard rounds < Self.roundsPerTurn else { return replica.channel.readAgainNextTurn() }
      rounds += 1
      do {
        switch try replica.channel.receive() {
        case .bytes(let count):
          let received = UnsafeMutableBufferPointer(rebasing: loop.receiveBuffer[..<count])
          if replica.hasHead {
            try relay(received, call, replica)
          } else {
            try readHead(received, call, replica)
          }
        case .end: return replicaEnded(call, replica)
        case .wouldBlock:
          if call.traits.contains(.isSent) {
            let silence = call.service?.responseTimeout ?? 0
            replica.channel.watch(untilNanoseconds: loop.nowNanoseconds + silence)
          }
          return
        }
      } catch let error as WireError {
        let problem = "\(replica.address) sent no valid response: \(error.reason)"
        return replica.hasHead ? answerBroke(call, problem) : refuseAnswer(call, problem)
      } catch {
        return replica.hasHead ? answerBroke(call, "\(error)") : attemptBroke(call, "\(error)")
      }
    }
  }

  // MARK: - The head

  private func readHead(
    _ received: UnsafeMutableBufferPointer<UInt8>, _ call: Call, _ replica: ReplicaConnection
  ) throws {
    guard let partial = replica.partialHead else { return try readHeads(received, call, replica) }
    partial.octets.append(contentsOf: received)
    guard let length = try partial.scan() else { return }
    replica.partialHead = nil
    try partial.octets.withUnsafeMutableBufferPointer {
      guard let rest = try headCame(partial.parser.layout, $0, length: length, call, replica) else { return }
      try readHeads(rest, call, replica)
    }
  }

  /// Reads the interim answers that came together, and the head they lead to; as many as there are, in a loop.
  private func readHeads(
    _ received: UnsafeMutableBufferPointer<UInt8>, _ call: Call, _ replica: ReplicaConnection
  ) throws {
    var received = received
    while !received.isEmpty {
      server.responseParser.reset(isHead: call.traits.contains(.isHead))
      guard let length = try server.responseParser.scan(received.span) else {
        replica.partialHead = PartialResponseHead(octets: Array(received), parser: server.responseParser)
        return
      }
      guard let rest = try headCame(server.responseParser.layout, received, length: length, call, replica) else {
        return
      }
      received = rest
    }
  }

  /// - Returns: what came after an interim answer, where another head begins; nil after any other.
  private func headCame(
    _ layout: ResponseHeadLayout, _ received: UnsafeMutableBufferPointer<UInt8>, length: Int, _ call: Call,
    _ replica: ReplicaConnection
  ) throws -> UnsafeMutableBufferPointer<UInt8>? {
    let head = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: received[..<length]))
    let rest = UnsafeMutableBufferPointer(rebasing: received[length...])
    if layout.status == 101 {
      guard call.traits.contains(.wantsWebSocket), layout.upgrades else {
        refuseAnswer(call, "it switches protocols unasked")
        return nil
      }
      beginTunnel(layout, head, rest, call)
      return nil
    }
    if layout.status < 200 {
      // 100 answers an expectation that was met here.
      if layout.status != 100, !call.traits.contains(.isOldClient), !call.hasAnswered {
        channel.enqueue { ForwardedResponseHead.appendInterim(layout, head, to: &$0) }
      }
      return rest
    }
    replica.hasHead = true
    replica.keepsAlive = layout.keepsAlive
    replica.body = BodyDecoder(layout.framing, limits: core.configuration.limits)
    call.record.firstByte = loop.nowNanoseconds - call.record.arrival
    call.record.status = layout.status
    if call.traits.contains(.isSent) { call.outgoing = [] }
    if call.traits.contains(.counts) { call.meter = ResponseMeter(ResponseMeter.Kind(layout, head)) }
    if let lease = call.lease, lease.isOnProbation { call.service?.gate.succeeded(lease) }
    if call.traits.contains(.hasPrelude) {
      guard continuePrelude(layout, head, call) else { return nil }
    } else {
      sendHead(layout, head, call)
    }
    try relay(rest, call, replica)
    return nil
  }

  private func sendHead(_ layout: ResponseHeadLayout, _ head: UnsafeRawBufferPointer, _ call: Call) {
    let framing = answerFraming(layout, call)
    let isEarly = !call.traits.contains(.isSent) && hasUnwantedBody(call)
    if call.traits.contains(.awaitsContinue) || server.announcesClose || isEarly {
      call.traits.remove(.keepsConnection)
    }
    let closes = !call.traits.contains(.keepsConnection)
    let announcesKeepAlive = !closes && call.traits.contains(.isOldClient)
    channel.enqueue {
      ForwardedResponseHead.append(
        layout, head, record: call.record, date: server.date, framing: framing, closes: closes,
        announcesKeepAlive: announcesKeepAlive,
        to: &$0)
    }
  }

  /// Chooses the framing and with it the state of the answer (RFC 9112, 6.3).
  private func answerFraming(_ layout: ResponseHeadLayout, _ call: Call) -> BodyFraming {
    let isOld = call.traits.contains(.isOldClient)
    if call.traits.contains(.isHead) || layout.status == 304 || layout.status == 204 {
      call.answer = .bodiless
      if layout.status == 204 { return .none }
      return layout.contentLength.map { .length($0) }
        ?? (layout.status == 304 || isOld || !layout.isChunked ? .none : .chunked)
    }
    if case .length(let length) = layout.framing {
      call.answer = .length(remaining: length)
      return .length(length)
    }
    if isOld {
      call.answer = .untilClose
      call.traits.remove(.keepsConnection)
      return .untilClose
    }
    call.answer = .chunked
    return .chunked
  }

  // MARK: - The body

  private func relay(
    _ received: UnsafeMutableBufferPointer<UInt8>, _ call: Call, _ replica: ReplicaConnection
  ) throws {
    let progress = try replica.body.decode(received)
    send(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: received[progress.body])), call)
    guard replica.body.isComplete else { return }
    // What follows an answer belongs to no request: the connection is not to be trusted with another.
    if progress.consumed < received.count { replica.keepsAlive = false }
    finishAnswer(call, replica)
  }

  private func send(_ piece: UnsafeRawBufferPointer, _ call: Call) {
    guard !piece.isEmpty else { return }
    if call.wrapper != nil { return sendWrapped(piece, call) }
    call.responseBytes += piece.count
    if call.meter != nil { measure(piece, call) }
    switch call.answer {
    case .chunked: channel.enqueueChunk(piece)
    case .length(let remaining):
      call.answer = .length(remaining: remaining - piece.count)
      channel.enqueue(piece)
    case .untilClose: channel.enqueue(piece)
    case .none, .bodiless, .finished: break
    }
  }

  private func measure(_ piece: UnsafeRawBufferPointer, _ call: Call) {
    call.meter?.consume(piece)
    if call.record.firstToken == nil, let meter = call.meter, meter.events > 0 {
      call.record.firstToken = loop.nowNanoseconds - call.record.arrival
    }
  }

  private func replicaEnded(_ call: Call, _ replica: ReplicaConnection) {
    guard replica.hasHead else {
      if replica.partialHead == nil {
        return attemptBroke(call, "\(replica.address) closed the connection before it answered")
      }
      return refuseAnswer(call, "\(replica.address) closed the connection within the head of its answer")
    }
    do {
      try replica.body.end()
      replica.keepsAlive = false
      finishAnswer(call, replica)
    } catch {
      answerBroke(call, error.reason)
    }
  }

  private func finishAnswer(_ call: Call, _ replica: ReplicaConnection) {
    endWrapped(call)
    if case .chunked = call.answer {
      channel.enqueue { ChunkedEncoder.appendEnd(trailers: replica.body.trailers, to: &$0) }
    }
    call.answer = .finished
    // An answer that is over before the request's body: nobody reads the rest.
    let isReusable = replica.keepsAlive && call.traits.contains(.isSent)
    if !isReusable {
      replica.close()
      call.replica = nil
    }
    endAttempt(call, .answered(status: call.record.status))
    finish(call)
    conclude(call)
  }

  /// The replica broke off after the first byte: the caller sees the answer cut, not ended.
  func answerBroke(_ call: Call, _ problem: String) {
    call.service?.gate.metrics.brokeOff(call.record.pool)
    core.log.warning(
      "a replica broke off its answer",
      [
        "service": call.service?.gate.key.description ?? "", "pod": call.lease?.replica.podUID ?? "",
        "problem": problem,
      ])
    endAttempt(call, .failed)
    finish(call)
    // What has come is on its way; the end of it must be seen to be missing.
    channel.flush()
    if case .untilClose = call.answer { channel.resetOnClose() }
    close()
  }

  /// What the replica said is no HTTP, and nothing has been sent to the caller.
  func refuseAnswer(_ call: Call, _ problem: String) {
    guard let service = call.service else { return }
    endAttempt(call, .failed)
    fail(call, .badAnswer(service.route, problem: problem))
  }
}
