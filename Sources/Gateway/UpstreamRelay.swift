import EventLoop
import HTTPWire
import Telemetry

/// How an attempt at one replica ended.
enum RelayOutcome: Sendable {
  /// The answer went out, whole.
  case answered
  /// The caller left; what the replica did for it is cancelled.
  case left
  /// The replica broke off after the first byte: the caller sees the answer cut.
  case broken
  /// No byte of an answer came. `mayRetry`: the request can be sent again.
  case failed(problem: String, mayRetry: Bool)
  /// The gateway must answer itself; nothing was sent to the caller.
  case refused(GatewayError)

  /// A whole answer tells how long answers take.
  var isAnswer: Bool { if case .answered = self { true } else { false } }
}

/// One attempt: sends the request to the replica of a lease and relays its answer as it comes.
struct UpstreamRelay {
  let core: GatewayCore
  let pool: UpstreamPool
  let exchange: HTTPExchange
  let call: ServiceCall
  let lease: ReplicaSetState.Lease

  func run(_ record: inout RequestRecord) async -> RelayOutcome {
    var outcome = await attempt(&record)
    // A connection that had been idle may have been closed just then by the other side: that says nothing of the replica.
    if case .stale = outcome {
      pool.evict(key: lease.replica.podUID)
      outcome = await attempt(&record)
    }
    switch outcome {
    case .over(let outcome): return outcome
    case .stale: return .failed(problem: "the connection was closed before an answer", mayRetry: true)
    }
  }

  private enum Attempt {
    case over(RelayOutcome)
    case stale
  }

  private func attempt(_ record: inout RequestRecord) async -> Attempt {
    let connection: UpstreamConnection
    do {
      connection = try await pool.connect(
        to: lease.replica.address, key: lease.replica.podUID, tls: nil, timeout: core.configuration.connectTimeout)
    } catch {
      return .over(exchange.isDisconnected ? .left : .failed(problem: "\(error)", mayRetry: true))
    }
    guard !exchange.isDisconnected else {
      pool.release(connection)
      return .over(.left)
    }
    // The caller's leaving ends the work for it at once, whatever this task waits for.
    exchange.onDisconnect { connection.close() }
    defer { exchange.onDisconnect(nil) }
    let outcome = await exchangeMessages(on: connection, &record)
    if case .over(.answered) = outcome { pool.release(connection) } else { connection.close() }
    return outcome
  }
}

// MARK: - One connection

extension UpstreamRelay {
  private func exchangeMessages(on connection: UpstreamConnection, _ record: inout RequestRecord) async -> Attempt {
    do {
      try await connection.send(head: requestHead)
      // A replica may answer before it has read everything; then the rest is of no use to it.
      if case .whole(let bytes) = call.body { _ = try await connection.sendBody(bytes) }
    } catch {
      return noAnswer(error, connection)
    }
    noteFirstByte(record)
    guard case .streamed = call.body else {
      return await relayAnswer(on: connection, silence: call.service.responseTimeout, &record)
    }
    let upload = Upload()
    return await withTaskGroup(of: Void.self) { group in
      group.addTask { await send(upload, on: connection) }
      // While the body is on its way, a replica that says nothing is no silent one.
      let outcome = await relayAnswer(on: connection, silence: Self.uploadLimit, upload: upload, &record)
      if !upload.isOver {
        // The answer is over before the body: nobody reads the rest.
        connection.close()
        group.cancelAll()
      }
      if upload.callerFailed { return .over(.left) }
      return upload.wasFollowedBySilence ? .over(.refused(.silent(call.service))) : outcome
    }
  }

  /// Longest upload; the caller's own pace is bounded by the server's body timeout.
  private static let uploadLimit: Duration = .seconds(24 * 3600)

  private var requestHead: RequestHeadBytes {
    let framing: BodyFraming
    switch call.body {
    case .none: framing = call.method == "GET" || call.method == "HEAD" ? .none : .length(0)
    case .whole(let bytes): framing = .length(bytes.count)
    case .streamed: framing = exchange.contentLength.map { .length($0) } ?? .chunked
    }
    let fields = ForwardedFields.request(
      exchange.headers, authority: RequestTarget.authority(of: exchange.target), client: exchange.remoteAddress.host,
      scheme: exchange.isSecure ? "https" : "http")
    return RequestHeadBytes(method: call.method, target: call.target, fields: fields, framing: framing)
  }

  /// Passes the body on as fast as the replica takes it.
  private func send(_ upload: Upload, on connection: UpstreamConnection) async {
    do {
      // Copies nothing but what the replica's socket does not take at once.
      while try await exchange.readBody({ try connection.enqueueBody($0) }) { try await connection.bodyTaken() }
      try await connection.finishBody()
      upload.isOver = true
      guard !upload.isAnswered else { return }
      upload.timer = exchange.loop.schedule(after: call.service.responseTimeout) {
        upload.wasFollowedBySilence = true
        connection.close()
      }
    } catch {
      // If it was the caller that broke off, the replica must not take the part for the whole.
      if !Task.isCancelled, exchange.isDisconnected || (error as? HTTPError)?.code == .malformed {
        upload.callerFailed = true
      }
      connection.close()
    }
  }

  /// Measures how fast a waiting request reached a pod that had just become ready.
  private func noteFirstByte(_ record: RequestRecord) {
    guard lease.isFirst, let ready = lease.replica.readySince, record.arrival.wall < ready else { return }
    let seconds = max(0, exchange.loop.wallClock.timeIntervalSince(ready))
    call.gate.metrics.reached(afterReady: seconds)
    core.log.info(
      "first request to a new replica",
      ["service": call.service.key.description, "pod": lease.replica.podUID, "readyToFirstByteSeconds": seconds])
  }

  private func relayAnswer(
    on connection: UpstreamConnection, silence: Duration, upload: Upload? = nil, _ record: inout RequestRecord
  ) async -> Attempt {
    let head: ResponseHead
    do {
      head = try await connection.readHead(timeout: silence)
    } catch {
      return noAnswer(error, connection)
    }
    if let upload {
      upload.isAnswered = true
      if let timer = upload.timer { exchange.loop.cancel(timer) }
    }
    guard !head.isUpgrade else {
      return .over(.refused(.badAnswer(call.service, problem: "it switches protocols unasked")))
    }
    record.firstByte = exchange.loop.now - record.arrival.monotonic
    record.status = head.status
    if lease.isOnProbation { call.gate.succeeded(lease) }
    do {
      try await relay(head, from: connection, record)
      return .over(.answered)
    } catch is CallerGone {
      record.status = 0
      return .over(.left)
    } catch {
      guard !exchange.isDisconnected else {
        record.status = 0
        return .over(.left)
      }
      call.gate.metrics.brokeOff()
      core.log.warning(
        "a replica broke off its answer",
        ["service": call.service.key.description, "pod": lease.replica.podUID, "problem": "\(error)"])
      return .over(.broken)
    }
  }

  /// Passes the answer on as it comes, no faster than the caller takes it. - Throws: ``CallerGone``, or what the replica's
  /// side failed with.
  private func relay(_ head: ResponseHead, from connection: UpstreamConnection, _ record: RequestRecord) async throws {
    let fields = ForwardedFields.response(head.headers, record: record)
    let silence = call.service.responseTimeout
    do {
      try exchange.startResponse(
        status: head.status, reason: head.reason, fields: fields, contentLength: head.contentLength)
    } catch {
      throw CallerGone()
    }
    // Copies nothing but what the caller's socket does not take at once.
    while try await connection.readBody(
      idleTimeout: silence,
      { piece in
        do { try exchange.enqueue(piece) } catch { throw CallerGone() }
      })
    {
      do { try await exchange.drained() } catch { throw CallerGone() }
    }
    do { try await exchange.finish() } catch { throw CallerGone() }
  }

  /// What it means that no head of an answer came.
  private func noAnswer(_ error: any Error, _ connection: UpstreamConnection) -> Attempt {
    if exchange.isDisconnected { return .over(.left) }
    let canRepeat: Bool
    if case .streamed = call.body { canRepeat = false } else { canRepeat = true }
    switch (error as? HTTPError)?.code {
    case .timedOut?: return .over(.refused(.silent(call.service)))
    case .malformed?: return .over(.refused(.badAnswer(call.service, problem: "\(error)")))
    default:
      if connection.isReused, canRepeat { return .stale }
      return .over(.failed(problem: "\(error)", mayRetry: canRepeat))
    }
  }

  /// The caller's end of a relay failed, not the replica's.
  private struct CallerGone: Error {}
}

/// How far the body of a request has come. Confined to the exchange's loop.
///
/// `@unchecked Sendable`: both tasks that touch it run on that loop, by the task executor they inherit.
private final class Upload: @unchecked Sendable {
  /// The replica has the whole body.
  var isOver = false
  /// The head of the answer has come.
  var isAnswered = false
  /// The caller did not send its body to the end.
  var callerFailed = false
  /// Ends the wait for an answer to a body that was sent whole.
  var timer: TimerID?
  var wasFollowedBySilence = false
}
