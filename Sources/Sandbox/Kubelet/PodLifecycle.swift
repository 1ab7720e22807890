import KubernetesAPI
import Telemetry

import struct FoundationEssentials.Date

/// The life of a pod's container on the node as a value: events in, effects out, no clock and no process.
///
/// Each start of the container is an *instance*, numbered from 0; answers and timers of an earlier instance are ignored.
struct PodLifecycle: Sendable {
  enum Event: Sendable {
    case started(pid: Int32)
    /// The process could not be started: `CreateContainerConfigError`, `RunContainerError`.
    case startFailed(reason: String, message: String)
    /// `lastWords` is the tail of its log.
    case exited(code: Int, signal: Int, lastWords: String)
    case probed(ProbeKind, instance: Int, ProbeResult)
    case deletionRequested(grace: Duration)
    case preStopFinished(instance: Int, failure: String?)
    case timer(Timer)
    /// A Secret or ConfigMap that the container may need has changed.
    case referencesChanged
    /// Nil: no socket of the pod listens on every address.
    case listenersChecked(violation: String?)
  }

  enum Effect: Sendable {
    case start
    case probe(ProbeKind, Probe, instance: Int)
    case preStop(ContainerAction, instance: Int)
    /// To the whole process group.
    case signal(ProcessSignal)
    case schedule(Timer, after: Duration)
    case checkListeners
    case record(EventType, reason: String, message: String)
    case publishStatus
    /// The deletion that was asked for is done on this node: the object may go.
    case removeObject
  }

  enum ProcessSignal: Sendable { case terminate, kill }
  enum EventType: String, Sendable {
    case normal = "Normal"
    case warning = "Warning"
  }

  enum Timer: Hashable, Sendable {
    case restart(instance: Int)
    case probe(ProbeKind, instance: Int)
    case preStopDeadline(instance: Int)
    case kill(instance: Int, deadline: Duration)
    case listeners(instance: Int, attempt: Int)
  }

  let container: ContainerSpec
  /// `name_namespace(uid)`, as the kubelet's messages name a pod.
  let podDescription: String
  let address: String
  let startTime: Date
  private let probesByPeriod: Bool

  private(set) var state: ContainerState
  private(set) var lastTermination: ContainerTermination?
  private(set) var instance = 0
  private(set) var isStarted = false
  private(set) var isReady = false
  private var trackers: [ProbeKind: ProbeTracker] = [:]
  private var backOff = CrashBackOff()
  private var endedAt = Duration.zero
  private var stop: Stop?
  private var deletionDeadline: Duration?
  private var killedBecause: Violation?

  /// How a running container is being ended.
  private struct Stop {
    var deadline: Duration
    var isTerminateSent = false
  }

  private struct Violation {
    var reason: String
    var message: String
  }

  init(pod: KubernetesObject, address: String, now: Date, probesByPeriod: Bool = false) {
    self.probesByPeriod = probesByPeriod
    container = ContainerSpec(pod: pod)
    podDescription = "\(pod.metadata.name)_\(pod.metadata.namespace)(\(pod.metadata.uid))"
    self.address = address
    startTime = now
    state = .waiting(ContainerWaiting(reason: "ContainerCreating", message: nil))
  }

  /// True while a process of the container may exist.
  var isRunning: Bool { if case .running = state { true } else { false } }

  /// True when the container will not run again.
  var isOver: Bool {
    guard case .terminated(let end) = state else { return false }
    return deletionDeadline != nil || !shouldRestart(after: end)
  }

  /// What to do when the pod is first seen.
  mutating func begin() -> [Effect] {
    var effects: [Effect] = []
    if !container.ignoredContainers.isEmpty {
      effects.append(
        .record(
          .warning, reason: "ContainersIgnored",
          message: "the sandbox runs only a pod's first container; not started: "
            + container.ignoredContainers.joined(separator: ", ")))
    }
    guard !container.command.isEmpty || !container.arguments.isEmpty else {
      let message =
        "container \(container.name) has no command: the sandbox runs commands, not images; "
        + "set spec.containers[0].command"
      state = .waiting(ContainerWaiting(reason: "CommandRequired", message: message))
      effects += [.record(.warning, reason: "CommandRequired", message: message), .publishStatus]
      return effects
    }
    effects.append(.start)
    return effects
  }

  /// Takes an event; the effects are to be performed in order.
  mutating func handle(_ event: Event, now: Now) -> [Effect] {
    switch event {
    case .started: return started(now)
    case .startFailed(let reason, let message): return startFailed(reason, message, now)
    case .exited(let code, let signal, let words): return exited(code, signal, words, now)
    case .probed(let kind, let instance, let result):
      guard instance == self.instance, isRunning else { return [] }
      return probed(kind, result, now)
    case .deletionRequested(let grace): return deletionRequested(grace, now)
    case .preStopFinished(let instance, let failure):
      guard instance == self.instance else { return [] }
      return preStopFinished(failure, now)
    case .timer(let timer): return fired(timer, now)
    case .referencesChanged:
      guard case .waiting(let waiting) = state, waiting.reason == "CreateContainerConfigError" else { return [] }
      return [.start]
    case .listenersChecked(let violation): return listenersChecked(violation, now)
    }
  }
}

// MARK: - Start and end

extension PodLifecycle {
  private mutating func started(_ now: Now) -> [Effect] {
    state = .running(since: now.wall)
    isStarted = container.probes[.startup] == nil
    isReady = false
    stop = nil
    trackers = container.probes.mapValues { ProbeTracker($0, start: now.monotonic) }
    var effects: [Effect] = [
      .record(.normal, reason: "Started", message: "Started container \(container.name)")
    ]
    effects += isStarted ? scheduleFirst([.readiness, .liveness]) : scheduleFirst([.startup])
    if !container.ports.isEmpty {
      effects.append(.schedule(.listeners(instance: instance, attempt: 0), after: Self.listenerCheckDelays[0]))
    }
    if isStarted, container.probes[.readiness] == nil { isReady = true }
    effects.append(.publishStatus)
    if deletionDeadline != nil { effects += beginStop(deadline: deletionDeadline ?? now.monotonic, now) }
    return effects
  }

  private mutating func startFailed(_ reason: String, _ message: String, _ now: Now) -> [Effect] {
    let event = Effect.record(.warning, reason: "Failed", message: "Error: \(message)")
    if reason == "CreateContainerConfigError" {
      state = .waiting(ContainerWaiting(reason: reason, message: message))
      return deletionDeadline == nil ? [event, .publishStatus] : [.publishStatus, .removeObject]
    }
    // As a container runtime reports a command that does not exist: it ended before it began.
    let end = ContainerTermination(
      exitCode: 128, reason: "StartError", message: message, startedAt: now.wall, finishedAt: now.wall)
    return [event] + ended(end, now)
  }

  private mutating func exited(_ code: Int, _ signal: Int, _ words: String, _ now: Now) -> [Effect] {
    guard case .running(let since) = state else { return [] }
    let exitCode = signal == 0 ? code : 128 + signal
    let violation = killedBecause
    killedBecause = nil
    let end = ContainerTermination(
      exitCode: exitCode, reason: violation?.reason ?? (exitCode == 0 ? "Completed" : "Error"),
      message: violation?.message ?? (exitCode == 0 || words.isEmpty ? nil : words), startedAt: since,
      finishedAt: now.wall)
    return ended(end, now)
  }

  private mutating func ended(_ end: ContainerTermination, _ now: Now) -> [Effect] {
    endedAt = now.monotonic
    isReady = false
    isStarted = false
    trackers = [:]
    stop = nil
    state = .terminated(end)
    if deletionDeadline != nil { return [.publishStatus, .removeObject] }
    guard shouldRestart(after: end) else { return [.publishStatus] }
    lastTermination = end
    let delay = backOff.delay(now: now.monotonic)
    if delay <= .zero { return restart(now) }
    let message = "back-off \(delay.kubernetesText) restarting failed container=\(container.name) pod=\(podDescription)"
    state = .waiting(ContainerWaiting(reason: "CrashLoopBackOff", message: message))
    return [
      .record(
        .warning, reason: "BackOff",
        message: "Back-off restarting failed container \(container.name) in pod \(podDescription)"),
      .schedule(.restart(instance: instance), after: delay),
      .publishStatus,
    ]
  }

  private mutating func restart(_ now: Now) -> [Effect] {
    backOff.restarted(ended: endedAt, now: now.monotonic)
    instance += 1
    return [.start]
  }

  private func shouldRestart(after end: ContainerTermination) -> Bool {
    switch container.restartPolicy {
    case .always: true
    case .onFailure: end.exitCode != 0
    case .never: false
    }
  }
}

// MARK: - Probes

extension PodLifecycle {
  private func scheduleFirst(_ kinds: [ProbeKind]) -> [Effect] {
    kinds.compactMap { kind in
      trackers[kind].map { .schedule(.probe(kind, instance: instance), after: $0.firstDelay) }
    }
  }

  private mutating func probed(_ kind: ProbeKind, _ result: ProbeResult, _ now: Now) -> [Effect] {
    guard var tracker = trackers[kind] else { return [] }
    let verdict = tracker.record(result, now: now.monotonic)
    trackers[kind] = tracker
    var effects: [Effect] = []
    if case .failure(let why) = result, verdict == .counted || verdict == .failed {
      effects.append(.record(.warning, reason: "Unhealthy", message: "\(kind.rawValue) probe failed: \(why)"))
    }
    let again = Effect.schedule(
      .probe(kind, instance: instance),
      after: tracker.delay(isUrgent: kind != .liveness && !probesByPeriod, now: now.monotonic))
    switch (kind, verdict) {
    case (.startup, .passed):
      isStarted = true
      if trackers[.readiness] == nil { effects.append(.checkListeners) }
      return effects + scheduleFirst([.readiness, .liveness]) + [.publishStatus]
    case (.readiness, .passed):
      // Ready only once it is known to keep to its own address: `listenersChecked` follows.
      return effects + [.checkListeners, again]
    case (.readiness, .failed):
      let wasReady = isReady
      isReady = false
      return effects + [again] + (wasReady ? [.publishStatus] : [])
    case (.startup, .failed), (.liveness, .failed):
      guard stop == nil else { return effects }
      let grace = tracker.probe.terminationGracePeriod ?? container.gracePeriod
      let word = kind.rawValue.lowercased()
      effects.append(
        .record(
          .normal, reason: "Killing",
          message: "Container \(container.name) failed \(word) probe, will be restarted"))
      return effects + beginStop(deadline: now.monotonic + grace, now)
    default:
      return effects + [again]
    }
  }
}

// MARK: - Listening sockets

extension PodLifecycle {
  /// When a container's sockets are looked at after its start, and at which interval from then on (the last one).
  static let listenerCheckDelays: [Duration] = [.milliseconds(250), .seconds(1), .seconds(5), .seconds(30)]

  private mutating func listenersChecked(_ violation: String?, _ now: Now) -> [Effect] {
    guard isRunning, stop == nil else { return [] }
    guard let violation else {
      let passes = trackers[.readiness].map { $0.isPassing == true } ?? isStarted
      guard passes, !isReady else { return [] }
      isReady = true
      return [.publishStatus]
    }
    isReady = false
    killedBecause = Violation(reason: "ListensOnEveryAddress", message: violation)
    stop = Stop(deadline: now.monotonic, isTerminateSent: true)
    return [
      .record(.warning, reason: "ListensOnEveryAddress", message: violation), .signal(.kill), .publishStatus,
    ]
  }
}

// MARK: - Stopping

extension PodLifecycle {
  private mutating func deletionRequested(_ grace: Duration, _ now: Now) -> [Effect] {
    let deadline = now.monotonic + grace
    if let earlier = deletionDeadline, earlier <= deadline { return [] }
    let isFirst = deletionDeadline == nil
    deletionDeadline = deadline
    guard isRunning else { return [.removeObject] }
    var effects: [Effect] = []
    if isFirst {
      effects.append(.record(.normal, reason: "Killing", message: "Stopping container \(container.name)"))
    }
    return effects + beginStop(deadline: deadline, now)
  }

  private mutating func beginStop(deadline: Duration, _ now: Now) -> [Effect] {
    let left = max(deadline - now.monotonic, .zero)
    if var stop {
      // A later request may only shorten the time.
      guard deadline < stop.deadline else { return [] }
      stop.deadline = deadline
      self.stop = stop
      return [.schedule(.kill(instance: instance, deadline: deadline), after: left)]
    }
    stop = Stop(deadline: deadline)
    if let preStop = container.preStop, left > .zero {
      return [
        .preStop(preStop, instance: instance), .schedule(.preStopDeadline(instance: instance), after: left),
      ]
    }
    return sendTerminate(now)
  }

  private mutating func preStopFinished(_ failure: String?, _ now: Now) -> [Effect] {
    guard let stop, !stop.isTerminateSent else { return [] }
    var effects: [Effect] = []
    if let failure {
      effects.append(.record(.warning, reason: "FailedPreStopHook", message: "PreStopHook failed: \(failure)"))
    }
    return effects + sendTerminate(now)
  }

  private mutating func sendTerminate(_ now: Now) -> [Effect] {
    guard var stop, isRunning else { return [] }
    let hadHook = container.preStop != nil
    stop.isTerminateSent = true
    // A hook may use up the grace; the process still gets two seconds, as from the kubelet (minimumGracePeriodInSeconds).
    if hadHook { stop.deadline = max(stop.deadline, now.monotonic + .seconds(2)) }
    self.stop = stop
    let left = max(stop.deadline - now.monotonic, .zero)
    return [.signal(.terminate), .schedule(.kill(instance: instance, deadline: stop.deadline), after: left)]
  }
}

// MARK: - Timers

extension PodLifecycle {
  private mutating func fired(_ timer: Timer, _ now: Now) -> [Effect] {
    switch timer {
    case .restart(let instance):
      guard instance == self.instance, !isRunning, deletionDeadline == nil else { return [] }
      return restart(now)
    case .probe(let kind, let instance):
      guard instance == self.instance, isRunning, let tracker = trackers[kind] else { return [] }
      if stop != nil, kind != .readiness { return [] }
      return [.probe(kind, tracker.probe, instance: instance)]
    case .preStopDeadline(let instance):
      guard instance == self.instance, let stop, !stop.isTerminateSent else { return [] }
      return preStopFinished("it did not end within the grace period", now)
    case .kill(let instance, let deadline):
      guard instance == self.instance, isRunning, let stop, stop.deadline <= deadline else { return [] }
      return [.signal(.kill)]
    case .listeners(let instance, let attempt):
      guard instance == self.instance, isRunning, stop == nil else { return [] }
      let next = min(attempt + 1, Self.listenerCheckDelays.count - 1)
      return [
        .checkListeners,
        .schedule(.listeners(instance: instance, attempt: next), after: Self.listenerCheckDelays[next]),
      ]
    }
  }
}
