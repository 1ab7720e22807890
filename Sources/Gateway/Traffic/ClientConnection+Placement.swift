import EventLoop
import HTTPWire
import Telemetry

/// Getting a slot for a request, at once or after a wait, and a connection to its replica.
extension ClientConnection {
  // MARK: - A slot

  /// The request is ready to be sent: looks for a slot. Called once per request.
  func place(_ call: Call) {
    guard let service = call.service else { return }
    if call.traits.contains(.counts) {
      service.gate.arrived(wallUnix: call.record.arrivalUnix)
    } else if call.traits.contains(.isOptions), !service.gate.isAwake {
      // A preflight must not fail because the model sleeps, nor wake it.
      return respond(call, nil, 204, nil, [], extra: [("allow", Self.allowedMethods)])
    }
    call.patienceEnds = min(call.patienceEnds, call.record.arrival + service.maxWait)
    if !service.route.rules.isEmpty, !applyRules(call, service) { return }
    core.retryBudget.arrived()
    admit(call, service)
  }

  /// Finds the rule for this kind of request. Its urgency is for those who say nothing; who says something may be less
  /// urgent than that, never more. The shortest wait counts: the caller's, the rule's, the service's.
  ///
  /// - Returns: false when the request has been refused: nobody escapes the rules by a head that cannot be read again.
  private func applyRules(_ call: Call, _ service: RoutedService) -> Bool {
    var traits = call.told ?? RequestTraits()
    switch call.requestFraming {
    case .none: traits.bodyBytes = 0
    case .length(let length): traits.bodyBytes = length
    case .chunked, .untilClose: traits.bodyBytes = call.told == nil ? nil : call.requestBytes
    }
    server.forwardedParser.reset()
    let head = call.outgoing
    guard (try? server.forwardedParser.scan(head.span)) ?? nil != nil else {
      fail(call, .badRequest("the request's head cannot be read again to find its rule", code: "invalid_head"))
      return false
    }
    let layout = server.forwardedParser.layout
    call.rule = head.withUnsafeBytes { bytes in
      let view = HeadView(layout: layout, bytes: bytes)
      return service.route.rules.first { $0.match.matches(view, traits) }
    }
    guard let rule = call.rule else { return true }
    call.urgency = call.saysUrgency ? max(call.urgency, UInt8(rule.urgency)) : UInt8(rule.urgency)
    if let maxWait = rule.maxWait {
      call.patienceEnds = min(call.patienceEnds, call.record.arrival + maxWait.inNanoseconds)
    }
    return true
  }

  private func admit(_ call: Call, _ service: RoutedService) {
    let now = loop.nowNanoseconds
    let counts = call.traits.contains(.counts)
    let patience = Duration.nanoseconds(call.patienceEnds - now)
    let admission = service.gate.admit(
      patience: patience, counts: counts, tenant: call.tenant, order: call.rule?.order,
      affinity: call.affinity, isRetry: call.retries > 0, now: now, wallUnix: loop.turnWallUnix)
    switch admission {
    case .placed(let lease): placed(call, lease)
    case .refused(let error): fail(call, error)
    case .mustWait(let asleep): hold(call, service, asleep: asleep)
    }
  }

  private func hold(_ call: Call, _ service: RoutedService, asleep: Bool) {
    call.record.placement = asleep ? .woke : .queued
    if asleep, !call.record.isColdStart {
      call.record.isColdStart = true
      service.gate.metrics.startedCold()
    }
    let now = loop.nowNanoseconds
    // What was received ahead waits here, and counts.
    let ahead = call.outgoing.count + input.count - call.allowance
    guard ahead <= 0 || take(call, bytes: ahead), core.budget.takePlace() else {
      return fail(call, service.gate.fullAdvice(now: now))
    }
    call.traits.insert(.hasPlace)
    phase = .held
    trim(&call.outgoing)
    trim(&input)
    if call.keepAlive > 0 { call.nextComment = now + call.keepAlive }
    let entry = HoldQueue<HeldCall>.Entry(
      payload: HeldCall(connection: self, number: number), arrival: .nanoseconds(call.record.arrival),
      bytes: call.allowance, urgency: Int(call.urgency), tenant: call.tenant,
      kind: PoolOrder(call.rule?.order).code)
    call.ticket = service.gate.hold(entry, isRetry: call.retries > 0, on: loop)
    watchHold(call)
    // The caller may have gone before anybody listened.
    if channel.isBroken || !channel.isOpen { callerLeft() } else if channel.peerEnded { channelPeerEnded() }
  }

  /// What waits takes no more room than it needs.
  private func trim(_ octets: inout [UInt8]) {
    guard octets.capacity > octets.count + octets.count / 4 else { return }
    octets = octets.withUnsafeBufferPointer { Array($0) }
  }

  private func watchHold(_ call: Call) {
    channel.watch(untilNanoseconds: min(call.patienceEnds, call.nextComment))
  }

  func holdDeadlinePassed() {
    guard let call, let service = call.service else { return }
    let now = loop.nowNanoseconds
    guard now >= call.patienceEnds else {
      if now >= call.nextComment {
        sendComment(call)
        call.nextComment = now + call.keepAlive
      }
      return watchHold(call)
    }
    guard let ticket = call.ticket, let error = service.gate.expire(ticket, at: now) else { return }
    call.ticket = nil
    call.record.queued = now - call.record.arrival
    returnPlace(call)
    fail(call, error)
  }

  /// A held request's wait is over, as its service's gate says. On the loop.
  func holdEnded(_ number: UInt32, _ outcome: HoldOutcome) {
    guard phase == .held, self.number == number, let call else {
      // The caller has left meanwhile: its slot goes to the next.
      if case .placed(let lease, let gate) = outcome {
        gate.finish(lease, .abandoned, counts: true, took: nil, now: loop.nowNanoseconds, wallUnix: loop.turnWallUnix)
      }
      return
    }
    call.ticket = nil
    call.record.queued = loop.nowNanoseconds - call.record.arrival
    returnPlace(call)
    switch outcome {
    case .placed(let lease, let gate):
      gate.metrics.waited(seconds: Double(call.record.queued) / 1e9, for: lease.replica.pool)
      placed(call, lease)
    case .refused(let error): fail(call, error)
    }
  }

  private func returnPlace(_ call: Call) {
    guard call.traits.contains(.hasPlace) else { return }
    call.traits.remove(.hasPlace)
    core.budget.returnPlace()
  }

  /// The caller of a held request leaves: it is no demand any more.
  func withdraw(_ call: Call) {
    if let ticket = call.ticket, let service = call.service {
      // Where the gate has let it go on already, `holdEnded` finds that it has gone.
      _ = service.gate.withdraw(ticket, at: loop.nowNanoseconds)
      call.ticket = nil
    }
    returnPlace(call)
  }

  // MARK: - A connection

  private func placed(_ call: Call, _ lease: ReplicaSetState.Lease) {
    call.lease = lease
    call.record.pool = lease.replica.pool
    call.record.podUID = lease.replica.podUID
    if call.retries > 0 { call.record.placement = .retried }
    channel.watch(untilNanoseconds: .max)
    connect(call, lease, reuses: true)
  }

  /// Servers keep an idle connection for 5 s and more (uvicorn's default); in nanoseconds.
  private static let freshness: Int64 = 2_000_000_000

  private func connect(_ call: Call, _ lease: ReplicaSetState.Lease, reuses: Bool) {
    // A body that streams cannot be sent again: it gets a connection that its replica is unlikely to close just now.
    let age: Int64 = call.isRepeatable ? .max : Self.freshness
    if reuses, let replica = server.pool.takeIdle(lease.replica, youngerThan: age, for: self) {
      call.replica = replica
      return beginExchange(call, replica)
    }
    phase = .connecting
    do {
      call.replica = try server.pool.connect(lease.replica, for: self)
    } catch {
      attemptFailed(call, "\(error)", blamesReplica: true)
    }
  }

  func replicaConnected() {
    guard let call, let replica = call.replica, phase == .connecting else { return }
    beginExchange(call, replica)
  }

  private func beginExchange(_ call: Call, _ replica: ReplicaConnection) {
    phase = .exchange
    let now = loop.nowNanoseconds
    call.sentAt = now
    if call.record.isColdStart { call.service?.gate.sentAfterWake(now: now) }
    replica.partialHead = nil
    call.traits.remove(.isSent)
    noteFirstByte(call)
    if call.traits.contains(.streamsBody) {
      // While the body is on its way, a replica that says nothing is no silent one.
      replica.channel.watch(untilNanoseconds: .max)
      call.outgoing.withUnsafeBytes { replica.channel.send($0) }
      call.outgoing = []
      sendContinue(call)
      sendBody()
    } else {
      call.outgoingSent = 0
      sendKept(call, replica)
    }
    if channel.peerEnded, phase == .exchange, self.call === call { channelPeerEnded() }
  }

  /// Measures how fast a waiting request reached a pod that had just become ready.
  private func noteFirstByte(_ call: Call) {
    guard let lease = call.lease, lease.isFirst, let ready = lease.replica.readySince?.timeIntervalSince1970,
      call.record.arrivalUnix < ready, let service = call.service
    else { return }
    let seconds = max(0, loop.wallClock.timeIntervalSince1970 - ready)
    service.gate.metrics.reached(afterReady: seconds)
    core.log.info(
      "first request to a new replica",
      ["service": service.gate.key.description, "pod": lease.replica.podUID, "readyToFirstByteSeconds": seconds])
  }

  // MARK: - Failures before the first byte of an answer

  func replicaFailed(_ error: HTTPError) {
    guard let call else { return }
    if call.replica?.hasHead ?? false { return answerBroke(call, "\(error)") }
    if case .malformed = error.code { return refuseAnswer(call, "\(error)") }
    attemptBroke(call, "\(error)")
  }

  func replicaDeadlinePassed() {
    guard let call, let service = call.service else { return }
    switch phase {
    case .connecting: attemptFailed(call, "connecting took too long", blamesReplica: true)
    case .exchange:
      if call.replica?.hasHead ?? false {
        return answerBroke(call, "nothing came for \(service.route.responseTimeout.seconds) s")
      }
      endAttempt(call, .failed)
      fail(call, .silent(service.route))
    case .tunnel: tunnelDeadlinePassed()
    default: break
    }
  }

  /// The connection broke after the request went out, before a byte of an answer.
  func attemptBroke(_ call: Call, _ problem: String) {
    let wasReused = call.replica?.isReused ?? false
    if wasReused, call.isRepeatable, !call.traits.contains(.metStaleConnection), let lease = call.lease {
      // It may have been closed by its replica just then, as idle: that says nothing of the replica.
      call.traits.insert(.metStaleConnection)
      if let replica = call.replica {
        server.pool.closeIdle(replica.target)
        replica.close()
      }
      call.replica = nil
      return connect(call, lease, reuses: false)
    }
    attemptFailed(call, problem, blamesReplica: true)
  }

  /// Tries another replica, where the request can be sent again.
  func attemptFailed(_ call: Call, _ problem: String, blamesReplica: Bool) {
    guard let service = call.service else { return }
    if blamesReplica, let lease = call.lease, service.gate.failed(lease, now: loop.nowNanoseconds) {
      core.onUnproven(core.unproven)
    }
    endAttempt(call, blamesReplica ? .failed : .abandoned)
    // A body of which nothing was read yet is still whole.
    let canRepeat = call.isRepeatable || (call.requestBytes == 0 && !call.outgoing.isEmpty)
    guard canRepeat, Int(call.retries) < core.configuration.maxRetries, core.retryBudget.take(loop.nowNanoseconds)
    else {
      return fail(call, .unreachable(service.route, problem: problem))
    }
    call.retries += 1
    call.traits.remove(.metStaleConnection)
    service.gate.metrics.retried(call.record.pool)
    admit(call, service)
  }

  /// Ends the work at the replica, and gives its slot back.
  func endAttempt(_ call: Call, _ end: AttemptEnd) {
    let now = loop.nowNanoseconds
    let answered = if case .answered = end { true } else { false }
    if let replica = call.replica {
      call.replica = nil
      if answered { server.pool.giveBack(replica) } else { replica.close() }
    }
    guard let lease = call.lease, let service = call.service else { return }
    call.lease = nil
    let counts = call.traits.contains(.counts)
    let took = answered && counts ? Duration.nanoseconds(now - call.sentAt) : nil
    let measure = counts ? call.measure(end, at: now) : nil
    service.gate.finish(
      lease, end, counts: counts, took: took, measure: measure, now: now, wallUnix: loop.turnWallUnix)
  }
}
