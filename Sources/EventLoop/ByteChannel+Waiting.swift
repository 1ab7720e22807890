/// Waiting on a channel. Deadlines are absolute, on the loop's clock, so that a peer that trickles gains no time.
extension ByteChannel {
  /// Returns once a receive may bring something. Throws the channel's failure, `.timedOut` at `deadline`, or
  /// `CancellationError` when the task is cancelled; the channel stays open in the last two cases.
  func waitReadable(until deadline: Duration?) async throws {
    if isReadable { return }
    if let failure { throw failure }
    try Task.checkCancellation()
    guard reader == nil else { throw HTTPError(.misused, "two tasks read from one connection") }
    readDeadline = deadline?.inNanoseconds ?? .max
    armTimer()
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if isReadable || failure != nil { continuation.resume() } else { reader = continuation }
      }
    } onCancel: {
      loop.execute { self.resumeReader() }
    }
    readDeadline = .max
    if isReadable { return }
    if let failure { throw failure }
    try Task.checkCancellation()
    if let deadline, deadline <= loop.now { throw HTTPError(.timedOut, "the peer sent nothing in time") }
  }

  /// Returns once everything queued has been sent; the write timeout bounds the wait.
  func waitDrained() async throws {
    flush()
    while queued > 0 {
      try await waitWritable(until: nil)
      flush()
    }
    if let failure { throw failure }
  }

  /// Returns once the socket takes bytes again, or something else happened to it.
  func waitWritable(until deadline: Duration?) async throws {
    if let failure { throw failure }
    try Task.checkCancellation()
    guard writer == nil else { throw HTTPError(.misused, "two tasks write to one connection") }
    var timer: TimerID?
    if let deadline { timer = loop.schedule(after: deadline - loop.now) { [self] in resumeWriter() } }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if isWritable || failure != nil { continuation.resume() } else { writer = continuation }
      }
    } onCancel: {
      loop.execute { self.resumeWriter() }
    }
    if let timer { loop.cancel(timer) }
    if let failure { throw failure }
    try Task.checkCancellation()
    if let deadline, !isWritable, deadline <= loop.now { throw HTTPError(.timedOut, "not writable in time") }
  }

  /// Completes the TLS handshake, if there is TLS.
  func handshake(until deadline: Duration) async throws {
    guard let tls else { return }
    while true {
      switch tls.handshake() {
      case .done: return
      case .wantsRead:
        noteDrained()
        try await waitReadable(until: deadline)
      case .wantsWrite: try await waitWritable(until: deadline)
      case .failed(let reason): throw fail(HTTPError(.tlsFailed, reason))
      }
    }
  }
}
