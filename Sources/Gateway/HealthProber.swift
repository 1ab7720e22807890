import EventLoop
import Telemetry

/// Asks replicas for their health as ``HealthGate`` decides, over the connections that requests will use.
///
/// `@unchecked Sendable`: everything mutable is touched on the pool's loop only; the other entries hop there.
final class HealthProber: @unchecked Sendable {
  private let core: GatewayCore
  private let traffic: TrafficServer
  private let pool: UpstreamPool
  private var gate = HealthGate()
  private var attempts: [HealthGate.ReplicaID: Task<Void, Never>] = [:]
  private var timer: TimerID?
  private var isStopped = false

  private var loop: EventLoop { pool.loop }

  /// - Parameter traffic: serves on the loop that checks run on; it is left the connections of those that passed.
  init(core: GatewayCore, traffic: TrafficServer) {
    self.core = core
    self.traffic = traffic
    pool = UpstreamPool(loop: traffic.loop)
  }

  /// Replicas have gone: no connection to them is kept. From any thread.
  func forget(_ podUIDs: [String]) {
    loop.execute { [self] in for uid in podUIDs { pool.evict(key: uid) } }
  }

  /// Takes over what a new view leaves to be checked. From any thread; in the order of the views.
  func expect(_ checks: [HealthGate.Check]) {
    loop.execute { [self] in
      gate.expect(checks, now: loop.now)
      proceed()
    }
  }

  /// Ends all checks; nothing is left on the loop.
  func stop() async {
    await Task(executorPreference: loop) { [self] in
      isStopped = true
      if let timer { loop.cancel(timer) }
      let running = Array(attempts.values)
      for attempt in running { attempt.cancel() }
      for attempt in running { await attempt.value }
    }.value
  }

  private func proceed() {
    guard !isStopped else { return }
    for check in gate.begin(now: loop.now) {
      attempts[check.id] = Task(executorPreference: loop) { [self] in await ask(check) }
    }
    if let timer { loop.cancel(timer) }
    timer = gate.nextDue.map { due in
      loop.schedule(after: max(.zero, due - loop.now)) { [self] in
        timer = nil
        proceed()
      }
    }
  }

  private func ask(_ check: HealthGate.Check) async {
    let (health, channel) = await HealthProbe(pool: pool, check: check, tls: core.upstreamTLS).run()
    if let channel { traffic.pool.adopt(channel, podUID: check.id.podUID, address: check.address) }
    attempts[check.id] = nil
    guard !isStopped else { return }
    let verdict = gate.end(check, passed: health == .passed, now: loop.now)
    if verdict == .slowedDown {
      core.log.warning(
        "a ready replica does not pass its health check",
        ["service": check.id.service.description, "pod": check.id.podUID, "health": health.description])
    }
    if verdict != .outdated { core.checked(check.id, health, now: loop.moment) }
    proceed()
  }
}
