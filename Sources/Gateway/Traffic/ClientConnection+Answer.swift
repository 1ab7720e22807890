import EventLoop
import HTTPWire

/// The gateway's own answers, and the end of a request.
extension ClientConnection {
  /// Answers with a whole body. `rest`, what of the request was received after its head, is kept for `conclude`.
  func respond(
    _ call: Call, _ rest: UnsafeMutableBufferPointer<UInt8>?, _ status: Int, _ contentType: String?, _ body: [UInt8],
    extra: [(String, String)] = []
  ) {
    if let rest { keep(rest[...]) }
    call.record.status = status
    if call.traits.contains(.awaitsContinue) || server.announcesClose || hasUnwantedBody(call) {
      call.traits.remove(.keepsConnection)
    }
    let closes = !call.traits.contains(.keepsConnection)
    let isHead = call.traits.contains(.isHead)
    channel.enqueue { output in
      var fields = FieldBlock(extra)
      if let contentType { fields.append("content-type", contentType) }
      ResponseHeadBytes.append(
        status: status, date: server.date, fields: fields, framing: status == 204 ? .none : .length(body.count),
        closes: closes,
        announcesKeepAlive: !closes && call.traits.contains(.isOldClient), to: &output)
      if !isHead { output.append(contentsOf: body) }
    }
    call.answer = .finished
    finish(call)
    conclude(call)
  }

  /// Answers with an error in the form that the caller's library expects.
  func fail(_ call: Call, _ error: GatewayError, _ rest: UnsafeMutableBufferPointer<UInt8>? = nil) {
    call.record.errorCode = error.code
    let shape = ErrorShape(protocol: call.service?.route.modelProtocol, isV2: call.traits.contains(.isV2Path))
    guard !call.traits.contains(.hasPrelude) else {
      call.record.status = error.status
      return endPrelude(call, error.body(shape))
    }
    var fields: [(String, String)] = []
    if let seconds = error.retryAfter { fields.append(("retry-after", String(seconds))) }
    if error.status == 405 { fields.append(("allow", Self.allowedMethods)) }
    if call.service != nil { fields += call.record.fields }
    respond(call, rest, error.status, shape.contentType, error.body(shape), extra: fields)
  }

  /// Answers bytes that are no request, and closes. The reason names the fault and never repeats what the caller sent.
  func refuse(_ error: WireError) {
    guard phase != .closed else { return }
    if let call {
      call.record.status = error.status
      call.record.errorCode = "malformed_request"
      withdraw(call)
      endAttempt(call, .abandoned)
      finish(call)
      self.call = nil
    }
    let text = Array((error.reason + "\n").utf8)
    channel.enqueue { output in
      ResponseHeadBytes.append(
        status: error.status, date: server.date, fields: FieldBlock([("content-type", "text/plain")]),
        framing: .length(text.count),
        closes: true, to: &output)
      output.append(contentsOf: text)
    }
    // Who has not managed a head in all its time, or sends what is none, is not waited for as an upload is.
    linger = LingeringClose.shortest.inNanoseconds
    end()
  }

  /// Counts the request, logs it if it is one of the sample or went wrong on this side, and gives back what it held.
  func finish(_ call: Call) {
    guard !call.traits.contains(.isFinished) else { return }
    call.traits.insert(.isFinished)
    if call.allowance > 0 {
      core.budget.return(bytes: call.allowance)
      call.allowance = 0
    }
    core.finished(call, now: loop.nowNanoseconds)
  }

  // MARK: - After the answer

  /// Whether a body remains that would have to be read before the next request, beyond what is worth reading.
  func hasUnwantedBody(_ call: Call) -> Bool {
    if call.requestBody.isComplete { return false }
    guard let remaining = call.requestBody.remaining else { return false }
    return remaining > Self.drainLimit
  }

  /// Bytes of an unread request body that are read and dropped to keep the connection; a longer one closes it.
  private static let drainLimit = 1 << 20
  /// How long a caller has to send the rest of its body, in nanoseconds.
  private static let drainTimeout: Int64 = 5_000_000_000

  /// The answer is out: reads the next request, or ends the connection.
  func conclude(_ call: Call) {
    guard phase != .closed else { return }
    guard call.traits.contains(.keepsConnection), channel.isOpen else { return end() }
    if call.requestBody.isComplete { return nextRequest() }
    guard !hasUnwantedBody(call) else { return end() }
    phase = .draining
    dropped = 0
    channel.watch(untilNanoseconds: loop.nowNanoseconds + Self.drainTimeout)
    drain()
  }

  /// Reads and drops what is left of a body.
  func drain() {
    guard let call else { return }
    do {
      while phase == .draining {
        if !input.isEmpty {
          var octets: [UInt8] = []
          swap(&octets, &input)
          try octets.withUnsafeMutableBufferPointer { try drop($0, of: call) }
        } else {
          switch try channel.receive() {
          case .bytes(let count):
            try drop(UnsafeMutableBufferPointer(rebasing: loop.receiveBuffer[..<count]), of: call)
          case .end: return close()
          case .wouldBlock: return
          }
        }
        if call.requestBody.isComplete { return nextRequest() }
        if dropped > Self.drainLimit { return end() }
      }
    } catch {
      end()
    }
  }

  private func drop(_ bytes: UnsafeMutableBufferPointer<UInt8>, of call: Call) throws {
    let progress = try call.requestBody.decode(bytes)
    dropped += progress.consumed
    keep(bytes[progress.consumed...])
  }

  private func nextRequest() {
    call = nil
    becomeWaiting()
    if server.announcesClose, input.isEmpty, !channel.isReadable { return end() }
    if !input.isEmpty || channel.isReadable || channel.peerEnded { readHeads() }
  }

  /// Sends the rest and closes in stages: see ``LingeringClose``.
  func end() {
    call = nil
    input = []
    partialHead = nil
    phase = .ending
    channel.watch(untilNanoseconds: .max)
    channel.flush()
    guard channel.queued == 0 else {
      channel.reportsDrain = true
      return
    }
    endSending()
  }

  func endSending() {
    guard phase == .ending, channel.isOpen else { return close() }
    guard channel.queued == 0 else {
      channel.reportsDrain = true
      return
    }
    channel.endSending()
    lingersUntil = loop.nowNanoseconds + linger
    dropInput()
  }

  func dropInput() {
    guard channel.queued == 0 else { return }
    do {
      var rounds = 0
      while loop.nowNanoseconds < lingersUntil {
        guard rounds < Self.roundsPerTurn else { return channel.readAgainNextTurn() }
        rounds += 1
        switch try channel.receive() {
        case .bytes: continue
        case .end: return close()
        case .wouldBlock:
          guard !channel.peerEnded else { return close() }
          let silenceEnds = loop.nowNanoseconds + LingeringClose.silence.inNanoseconds
          return channel.watch(untilNanoseconds: min(lingersUntil, silenceEnds))
        }
      }
      close()
    } catch {
      close()
    }
  }
}
