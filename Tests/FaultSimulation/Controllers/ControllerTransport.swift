import InferenceAPI
import KubernetesAPI
import KubernetesClient

/// The way from one start of a controller to the API server: slow, lossy, and gone with the process.
final class ControllerTransport: KubernetesTransport, @unchecked Sendable {
  private unowned let world: World
  private let incarnation: Incarnation
  private var dice: Dice

  init(_ world: World, _ incarnation: Incarnation, dice: Dice) {
    self.world = world
    self.incarnation = incarnation
    self.dice = dice
  }

  /// What becomes of one request.
  private enum Fate {
    case answered
    /// The server does not do it, and says so.
    case refused(KubernetesResponse)
    /// The server does it, and the answer gets lost.
    case answerLost
    /// It never arrives.
    case lost
    case crashBefore
    case crashAfter
  }

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    try Task.checkCancellation()
    guard !incarnation.isDead else { throw CancellationError() }
    let isWrite = request.method != .get
    if isWrite { world.judge.isSending(request, incarnation) }
    world.record.effect(
      "\(incarnation.identity) \(request.method.rawValue) \(request.target)", request.body, isNoted: isNoted(request))
    let fate = drawFate(of: request)
    if case .crashBefore = fate {
      incarnation.crash("before \(request.summary)")
      throw CancellationError()
    }
    let wait = Wait<KubernetesResponse>()
    let (sent, there, back) = (world.time.elapsed, latency(), latency())
    interfere(with: request, within: there)
    let knowsServices = request.method == .get && APIServer.isAboutServices(request)
    return try await wait.value { [self] wait in
      // What is on its way arrives, whatever becomes of its sender.
      world.time.after(there) { [self] in arrive(request, sent, fate, wait, back, knowsServices) }
      if let timeout = request.timeout {
        world.time.after(timeout) { wait.finish(.failure(TransportError(.timedOut, "\(request.summary) timed out"))) }
      }
      if let window = request.window {
        world.time.after(window.answerBefore - incarnation.process.clock.now().monotonic) {
          wait.finish(.failure(TransportError(.timedOut, "\(request.summary) was given up: another one may lead")))
        }
      }
    }
  }

  private func arrive(
    _ request: KubernetesRequest, _ sent: Duration, _ fate: Fate, _ wait: Wait<KubernetesResponse>, _ back: Duration,
    _ knowsServices: Bool
  ) {
    if incarnation.process.isPartitioned { return }
    let response: KubernetesResponse
    switch fate {
    case .lost: return
    case .refused(let refusal): response = refusal
    case .answered, .answerLost, .crashBefore, .crashAfter:
      guard !incarnation.process.isTokenExpired else {
        response = APIServer.refusal(401, "Unauthorized")
        break
      }
      response = world.judge.applying(request, sent: sent, incarnation) { world.api.answer(request) }
    }
    if isNoted(request) { world.record.note("\(incarnation.identity) \(request.summary): \(response.status)") }
    if case .crashAfter = fate { return incarnation.crash("after \(request.summary)") }
    let version = world.api.store.resourceVersion
    world.time.after(back) { [self] in
      if case .answerLost = fate {
        return wait.finish(.failure(TransportError(.closed, "\(request.summary): the answer got lost")))
      }
      if knowsServices && response.status == 200 { incarnation.learned(version) }
      wait.finish(.success(response))
    }
  }

  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    try Task.checkCancellation()
    guard !incarnation.isDead else { throw CancellationError() }
    world.record.effect("\(incarnation.identity) WATCH \(request.target)")
    if incarnation.process.isPartitioned || world.faultsAreOn && dice.chance(0.05) {
      try await world.time.sleep(for: latency())
      throw TransportError(.connectFailed, "the API server cannot be reached")
    }
    try await world.time.sleep(for: latency())
    let isAboutServices = APIServer.isAboutServices(request)
    let connection = WatchConnection(
      world.time, isOfLeases: APIServer.isAboutLeases(request), idleTimeout: request.idleTimeout,
      latency: { [self] in latency() },
      delivered: { [incarnation] version in if isAboutServices { incarnation.learned(version) } })
    if incarnation.process.isTokenExpired {
      connection.refuse(401, APIServer.refusal(401, "Unauthorized").body)
      return connection.stream
    }
    connection.isHalfOpen = world.faultsAreOn && dice.chance(0.02)
    incarnation.watches.append(connection)
    world.api.watch(request, connection)
    return connection.stream
  }

  /// The traffic of the election hides everything else.
  private func isNoted(_ request: KubernetesRequest) -> Bool { !Judge.isOfLeaderLease(request) }

  // MARK: - Luck

  private func latency() -> Duration {
    let isSlow = world.faultsAreOn && dice.chance(0.02)
    return dice.duration(isSlow ? 0.5...6 : 0.001...0.03)
  }

  /// Somebody scales by hand what a scale-down is about, just before it arrives.
  private func interfere(with request: KubernetesRequest, within trip: Duration) {
    guard world.faultsAreOn, world.theme == .contention, let scale = ScaleWrite(request),
      let present = world.api.store.object(.deployments, scale.deployment).map(Deployment.init),
      scale.replicas < present.replicas, dice.chance(0.4)
    else { return }
    world.time.after(trip / 2) { [world] in world.workloads.scaleUpByHand(scale.deployment) }
  }

  private func drawFate(of request: KubernetesRequest) -> Fate {
    guard world.faultsAreOn else { return .answered }
    let isWrite = request.method != .get
    if isWrite && incarnation.countsDownToCrash() { return dice.chance(0.5) ? .crashBefore : .crashAfter }
    if world.theme == .streams, request.method == .patch, request.path.contains("/pods/"), dice.chance(0.5) {
      return .refused(APIServer.refusal(409, "Conflict"))
    }
    if world.theme == .contention, request.method == .patch, dice.chance(0.1) {
      return .refused(APIServer.refusal(409, "Conflict"))
    }
    guard dice.chance(0.06) else { return .answered }
    switch dice.int(0...5) {
    case 0: return .refused(APIServer.refusal(429, "TooManyRequests", retryAfter: dice.int(1...3)))
    case 1: return .refused(APIServer.refusal(dice.pick([500, 502, 503, 504]), "InternalError"))
    case 2 where isWrite && request.method != .post: return .refused(APIServer.refusal(409, "Conflict"))
    case 2: return .refused(APIServer.refusal(request.method == .get ? 410 : 503, "Expired"))
    case 3: return .lost
    default: return .answerLost
    }
  }
}
