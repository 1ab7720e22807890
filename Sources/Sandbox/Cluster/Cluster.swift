import EventLoop
import FoundationEssentials
import KubernetesAPI
import ObjectStore
import Telemetry

/// The running cluster: the control plane on its loop, with a turn after every change, and whoever waits for changes.
///
/// Sendable because it is confined to its loop: every method asserts that it runs there.
final class Cluster: @unchecked Sendable {
  let loop: EventLoop
  private(set) var plane: ControlPlane
  /// Acts on changes outside of the store: the kubelet.
  var onChanges: ([ControlPlane.Change]) -> Void = { _ in }
  private var isTurnDue = false
  private var timer: TimerID?
  private var timerDeadline: Duration?
  private var waiters: [UInt64: () -> Void] = [:]
  private var nextWaiter: UInt64 = 0

  init(loop: EventLoop, plane: ControlPlane) {
    self.loop = loop
    self.plane = plane
  }

  var now: Now { Now(monotonic: loop.now, wall: loop.wallClock) }

  /// Answers a request of the API; controllers and kubelet act on what it wrote within the same loop turn.
  func handle(_ request: APIRequest) -> APIResponse {
    precondition(loop.isCurrent)
    let before = plane.store.resourceVersion
    let response = plane.store.handle(request, now: loop.wallClock)
    if plane.store.resourceVersion != before { requestTurn() }
    return response
  }

  /// Writes as a component of the cluster.
  @discardableResult
  func change<Result>(_ body: (inout ControlPlane, Now) -> Result) -> Result {
    precondition(loop.isCurrent)
    let before = plane.store.resourceVersion
    let result = body(&plane, now)
    if plane.store.resourceVersion != before { requestTurn() }
    return result
  }

  /// Encodes what a watch has not seen yet.
  func lines(of watch: inout WatchRequest) -> [UInt8] {
    precondition(loop.isCurrent)
    return watch.lines(from: plane.store, now: loop.wallClock)
  }

  /// Calls `body` once, after the next change; the token cancels it.
  func whenChanged(_ body: @escaping () -> Void) -> UInt64 {
    precondition(loop.isCurrent)
    nextWaiter += 1
    waiters[nextWaiter] = body
    return nextWaiter
  }

  func cancelWaiter(_ token: UInt64) { waiters[token] = nil }

  /// Runs the controllers soon: after what the loop does now, before it sleeps.
  func requestTurn() {
    guard !isTurnDue else { return }
    isTurnDue = true
    loop.execute { [self] in turn() }
  }

  private func turn() {
    isTurnDue = false
    if plane.settle(now: now) { requestTurn() }
    let changes = plane.takeChanges()
    if !changes.isEmpty {
      onChanges(changes)
      let ready = waiters.sorted { $0.key < $1.key }
      waiters = [:]
      for (_, body) in ready { body() }
    }
    armTimer()
  }

  private func armTimer() {
    let deadline = plane.nextDeadline
    guard deadline != timerDeadline || timer == nil else { return }
    if let timer { loop.cancel(timer) }
    timer = nil
    timerDeadline = deadline
    guard let deadline else { return }
    timer = loop.schedule(after: max(deadline - loop.now, .milliseconds(1))) { [weak self] in
      self?.timer = nil
      self?.requestTurn()
    }
  }
}
