import HTTPWire

/// Keeping the caller of a held stream awake: the head of an event stream and comments go out while it waits, so that
/// nothing on the way takes the silence for a dead connection. From then on its answer is that stream, whatever comes.
extension ClientConnection {
  /// Sends a comment (WHATWG HTML, 9.2.6), the first one after the head.
  func sendComment(_ call: Call) {
    if !call.traits.contains(.hasPrelude) { beginPrelude(call) }
    sendText(": this request is held until its model is ready\n\n", call)
  }

  private func beginPrelude(_ call: Call) {
    call.traits.insert(.hasPrelude)
    // Within the stream there is no place for it, and the body is wanted.
    sendContinue(call)
    let isOld = call.traits.contains(.isOldClient)
    if isOld || server.announcesClose { call.traits.remove(.keepsConnection) }
    call.answer = isOld ? .untilClose : .chunked
    let closes = !call.traits.contains(.keepsConnection)
    channel.enqueue { output in
      ResponseHeadBytes.append(
        status: 200, date: server.date,
        fields: FieldBlock([
          ("content-type", "text/event-stream"), ("cache-control", "no-store"), ("pilotlight-reason", "held"),
          ("Via", "1.1 pilotlight"),
        ]), framing: isOld ? .untilClose : .chunked, closes: closes, to: &output)
    }
  }

  /// The replica's answer has begun: an event stream goes on as it comes, anything else becomes one event.
  ///
  /// - Returns: false when it cannot be read as what has begun, and has been refused.
  func continuePrelude(_ layout: ResponseHeadLayout, _ head: UnsafeRawBufferPointer, _ call: Call) -> Bool {
    guard !layout.lines.contains(where: { $0.field == .contentEncoding }) else {
      refuseAnswer(call, "it has a Content-Encoding, within a stream that has begun without one")
      return false
    }
    let type = layout.lines.first { $0.field == .contentType }.map { UnsafeRawBufferPointer(rebasing: head[$0.value]) }
    let isStream = type?.startsIgnoringCase("text/event-stream") ?? false
    if layout.status != 200 || !isStream { call.wrapper = EventWrapper(isError: layout.status >= 400) }
    return true
  }

  /// Passes a piece of an answer that is no event stream on as part of one event.
  func sendWrapped(_ piece: UnsafeRawBufferPointer, _ call: Call) {
    var text: [UInt8] = []
    call.wrapper?.append(piece, to: &text)
    call.responseBytes += text.count
    text.withUnsafeBytes { sendPiece($0, call) }
  }

  /// Ends that event, where there is one.
  func endWrapped(_ call: Call) {
    guard var wrapper = call.wrapper else { return }
    call.wrapper = nil
    var text: [UInt8] = []
    wrapper.end(to: &text)
    text.withUnsafeBytes { sendPiece($0, call) }
  }

  /// Ends the stream with an error of this gateway's.
  func endPrelude(_ call: Call, _ body: [UInt8]) {
    // An answer that was broken off within its event ends that first.
    endWrapped(call)
    sendEvent(body, isError: true, call)
    if case .chunked = call.answer { channel.enqueue { $0.append("0\r\n\r\n") } }
    call.answer = .finished
    finish(call)
    conclude(call)
  }

  private func sendEvent(_ body: [UInt8], isError: Bool, _ call: Call) {
    var wrapper = EventWrapper(isError: isError)
    var text: [UInt8] = []
    body.withUnsafeBytes { wrapper.append($0, to: &text) }
    wrapper.end(to: &text)
    text.withUnsafeBytes { sendPiece($0, call) }
  }

  private func sendText(_ text: StaticString, _ call: Call) {
    text.withUTF8Buffer { sendPiece(UnsafeRawBufferPointer($0), call) }
  }

  private func sendPiece(_ piece: UnsafeRawBufferPointer, _ call: Call) {
    let isChunked = if case .chunked = call.answer { true } else { false }
    channel.enqueue { output in
      if isChunked { ChunkedEncoder.append(piece, to: &output) } else { output.append(contentsOf: piece) }
    }
  }
}
