import EventLoop
import FoundationEssentials
import Glibc
import KubernetesAPI
import Telemetry

/// Runs one pod on this machine: performs the effects of its ``PodLifecycle`` and tells it what happened.
///
/// Confined to the sandbox's loop.
final class PodWorker {
  let uid: String
  private(set) var pod: KubernetesObject
  let address: String
  private(set) var log: ContainerLog?
  private(set) var previousLog: ContainerLog?
  private unowned let kubelet: Kubelet
  private var lifecycle: PodLifecycle
  private var process: ChildProcess?
  /// Of the running or last instance, for probes and hooks.
  private var environment: ContainerEnvironment?
  private var timers: [PodLifecycle.Timer: TimerID] = [:]
  private var events: [PodLifecycle.Event] = []
  private var isHandling = false
  private var requestedGrace: Int?
  private var isRemoved = false
  /// Every process of the pod carries it, wherever it goes.
  private var marker: String { "PILOTLIGHT_POD_UID=\(uid)" }

  init(pod: KubernetesObject, address: String, kubelet: Kubelet) {
    self.pod = pod
    uid = pod.metadata.uid
    self.address = address
    self.kubelet = kubelet
    lifecycle = PodLifecycle(
      pod: pod, address: address, now: kubelet.cluster.now.wall, probesByPeriod: kubelet.probesByPeriod)
  }

  var containerName: String { lifecycle.container.name }
  var state: ContainerState { lifecycle.state }

  func begin() {
    isHandling = true
    perform(lifecycle.begin())
    isHandling = false
    drain()
    publishStatus()
  }

  /// The pod's object has changed.
  func update(_ pod: KubernetesObject) {
    self.pod = pod
    guard pod.metadata.isBeingDeleted else { return }
    let grace = pod.metadata.json["deletionGracePeriodSeconds"]?.intValue ?? 30
    guard grace != requestedGrace else { return }
    requestedGrace = grace
    handle(.deletionRequested(grace: .seconds(grace)))
  }

  /// The pod's object is gone, or the sandbox ends: nothing of it may go on.
  func remove() {
    isRemoved = true
    for timer in timers.values { kubelet.loop.cancel(timer) }
    timers = [:]
    process?.killAll(marker: marker)
    log?.finish(now: kubelet.cluster.now.wall)
    for log in [log, previousLog] {
      guard let log else { continue }
      unlink(log.path)
      unlink(log.path + ".1")
    }
    rmdir(kubelet.logFolder(of: pod))
  }

  func handle(_ event: PodLifecycle.Event) {
    events.append(event)
    drain()
  }

  /// Effects may bring about events at once; those wait until the effects before them are done.
  private func drain() {
    guard !isHandling else { return }
    isHandling = true
    while !events.isEmpty, !isRemoved {
      perform(lifecycle.handle(events.removeFirst(), now: kubelet.cluster.now))
    }
    isHandling = false
  }

  private func perform(_ effects: [PodLifecycle.Effect]) {
    for effect in effects where !isRemoved {
      switch effect {
      case .start: start()
      case .probe(let kind, let probe, let instance): run(kind, probe, instance: instance)
      case .preStop(let action, let instance): preStop(action, instance: instance)
      case .signal(.terminate): process?.signal(SIGTERM)
      case .signal(.kill): process?.killAll(marker: marker)
      case .schedule(let timer, let delay): schedule(timer, after: delay)
      case .checkListeners: checkListeners()
      case .record(let type, let reason, let message): kubelet.record(on: pod, type, reason: reason, message: message)
      case .publishStatus: publishStatus()
      case .removeObject: kubelet.removeObject(pod)
      }
    }
  }

  private func publishStatus() {
    pod = kubelet.publish(status: lifecycle, of: pod)
  }

  private func schedule(_ timer: PodLifecycle.Timer, after delay: Duration) {
    if let present = timers[timer] { kubelet.loop.cancel(present) }
    timers[timer] = kubelet.loop.schedule(after: delay) { [weak self] in
      self?.timers[timer] = nil
      self?.handle(.timer(timer))
    }
  }
}

// MARK: - The process

extension PodWorker {
  private func start() {
    let container = lifecycle.container
    let resolved: ContainerEnvironment
    do {
      resolved = try ContainerEnvironment(
        pod: pod, container: container.json, address: address, base: baseEnvironment(),
        lookup: { type, key in self.kubelet.lookUp(type, key) })
    } catch {
      events.append(.startFailed(reason: "CreateContainerConfigError", message: error.message))
      return
    }
    environment = resolved
    if let log {
      if let previousLog {
        unlink(previousLog.path)
        unlink(previousLog.path + ".1")
      }
      previousLog = log
    }
    let log = ContainerLog(path: kubelet.logPath(of: pod, container: container.name, instance: lifecycle.instance))
    self.log = log
    let command = command(container.command + container.arguments, in: resolved)
    do {
      let cluster = kubelet.cluster
      let process = try ChildProcess(
        command, loop: kubelet.loop, reaper: kubelet.reaper,
        onOutput: { log.append($0, now: cluster.now.wall) },
        onExit: { [weak self] code, signal in self?.exited(code, signal) })
      self.process = process
      events.append(.started(pid: process.pid))
    } catch {
      log.append(Array("\(error)\n".utf8)[...], now: kubelet.cluster.now.wall)
      log.finish(now: kubelet.cluster.now.wall)
      events.append(.startFailed(reason: "RunContainerError", message: error.description))
    }
  }

  private func exited(_ code: Int, _ signal: Int) {
    // Whatever the main process left behind goes with it, as with a container.
    process?.killAll(marker: marker)
    process = nil
    log?.finish(now: kubelet.cluster.now.wall)
    handle(.exited(code: code, signal: signal, lastWords: log?.lastWords ?? ""))
  }

  /// What an image would bring, and what a pod of the sandbox can rely on.
  private func baseEnvironment() -> [String: String] {
    var base = kubelet.imageEnvironment
    base["HOSTNAME"] = pod.metadata.name
    base["POD_IP"] = address
    base["POD_NAME"] = pod.metadata.name
    base["POD_NAMESPACE"] = pod.metadata.namespace
    base["PILOTLIGHT_POD_UID"] = uid
    return base
  }

  private func command(_ words: [String], in environment: ContainerEnvironment) -> ProcessCommand {
    var list = environment.list
    // After the pod's own variables, which must not hide it.
    if let marker = kubelet.reaper?.marker { list.append(marker) }
    return ProcessCommand(
      arguments: words.map(environment.expand), environment: list,
      directory: lifecycle.container.workingDirectory ?? kubelet.workingDirectory)
  }

  private func checkListeners() {
    guard let process, !lifecycle.container.ports.isEmpty else {
      events.append(.listenersChecked(violation: nil))
      return
    }
    let violation = ListenRule.violation(
      session: process.pid, marker: marker, ports: lifecycle.container.ports, address: address)
    events.append(.listenersChecked(violation: violation))
  }
}

// MARK: - Probes and hooks

extension PodWorker {
  private func run(_ kind: ProbeKind, _ probe: Probe, instance: Int) {
    act(probe.action, timeout: probe.timeout) { [weak self] result in
      self?.handle(.probed(kind, instance: instance, result))
    }
  }

  private func preStop(_ action: ContainerAction, instance: Int) {
    act(action, timeout: .seconds(3600)) { [weak self] result in
      var failure: String?
      if case .failure(let text) = result { failure = text }
      self?.handle(.preStopFinished(instance: instance, failure: failure))
    }
  }

  private func act(_ action: ContainerAction, timeout: Duration, _ done: @escaping (ProbeResult) -> Void) {
    if case .exec(let words) = action {
      guard let environment else { return done(.failure("the container has not started")) }
      ExecAction.run(
        command(words, in: environment), timeout: timeout, loop: kubelet.loop, reaper: kubelet.reaper, done: done)
    } else {
      NetworkAction.run(action, address: address, timeout: timeout, kubelet: kubelet, done: done)
    }
  }
}
