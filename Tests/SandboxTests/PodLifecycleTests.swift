import FoundationEssentials
import KubernetesAPI
import Telemetry
import Testing

@testable import Sandbox

@Suite("A pod's life on the node")
struct PodLifecycleTests {
  /// A lifecycle on virtual time that keeps the effects.
  struct Run {
    var lifecycle: PodLifecycle
    var now = Now(monotonic: .seconds(100), wall: Date(timeIntervalSince1970: 1_800_000_000))
    var effects: [PodLifecycle.Effect]

    init(_ container: JSONValue, spec: JSONValue = [:]) {
      var pod = KubernetesObject(.pods, ObjectKey(namespace: "default", name: "p"))
      var spec = spec
      var container = container
      container["name"] = "c"
      spec["containers"] = [container]
      pod.spec = spec
      lifecycle = PodLifecycle(pod: pod, address: "127.1.2.3", now: now.wall)
      effects = lifecycle.begin()
    }

    mutating func send(_ event: PodLifecycle.Event) { effects = lifecycle.handle(event, now: now) }

    mutating func advance(_ duration: Duration) {
      now.monotonic += duration
      now.wall = now.wall.addingTimeInterval(duration.seconds)
    }

    func has(_ matches: (PodLifecycle.Effect) -> Bool) -> Bool { effects.contains(where: matches) }
    var starts: Bool { has { if case .start = $0 { true } else { false } } }
    var removes: Bool { has { if case .removeObject = $0 { true } else { false } } }
    var terminates: Bool { has { if case .signal(.terminate) = $0 { true } else { false } } }
    var kills: Bool { has { if case .signal(.kill) = $0 { true } else { false } } }
    var reasons: [String] {
      effects.compactMap { if case .record(_, let reason, _) = $0 { reason } else { nil } }
    }
    var delays: [PodLifecycle.Timer: Duration] {
      effects.reduce(into: [:]) { if case .schedule(let timer, let delay) = $1 { $0[timer] = delay } }
    }
  }

  private static let probe: JSONValue = ["httpGet": ["port": 8000, "path": "/health"], "periodSeconds": 10]

  @Test("a pod without a command is told that the sandbox runs commands")
  func noCommand() {
    let run = Run([:])
    #expect(!run.starts)
    #expect(run.reasons == ["CommandRequired"])
    #expect(run.lifecycle.phase == "Pending")
  }

  @Test("without a readiness probe a running container is ready")
  func readyAtOnce() {
    var run = Run(["command": ["x"]])
    run.send(.started(pid: 7))
    #expect(run.lifecycle.isReady)
    #expect(run.lifecycle.phase == "Running")
  }

  @Test("a container is asked every 20 to 50 ms until it is ready, and once a period from then on")
  func readiness() {
    var run = Run(["command": ["x"], "readinessProbe": Self.probe])
    run.send(.started(pid: 7))
    let timer = PodLifecycle.Timer.probe(.readiness, instance: 0)
    #expect(run.delays[timer] == .milliseconds(5))
    run.advance(.milliseconds(5))
    run.send(.probed(.readiness, instance: 0, .failure("refused")))
    #expect(run.delays[timer] == .milliseconds(20))
    #expect(run.reasons.isEmpty, "an early failure is no news")
    run.advance(.seconds(5))
    run.send(.probed(.readiness, instance: 0, .failure("refused")))
    #expect(run.delays[timer] == .milliseconds(50))
    run.send(.probed(.readiness, instance: 0, .success))
    #expect(run.delays[timer] == .seconds(10))
    #expect(!run.lifecycle.isReady, "its listening sockets are looked at first")
    run.send(.listenersChecked(violation: nil))
    #expect(run.lifecycle.isReady)
    for _ in 0..<3 {
      run.advance(.seconds(10))
      run.send(.probed(.readiness, instance: 0, .failure("refused")))
    }
    #expect(!run.lifecycle.isReady)
    #expect(run.reasons == ["Unhealthy"])
  }

  @Test("the crash back-off is none, 10 s, doubled up to 5 min, and none again after 10 min of running")
  func backOff() {
    var run = Run(["command": ["x"]])
    var waits: [Duration] = []
    for instance in 0..<8 {
      run.send(.started(pid: 7))
      run.advance(.seconds(1))
      run.send(.exited(code: 3, signal: 0, lastWords: "boom"))
      let wait = run.delays[.restart(instance: instance)] ?? .zero
      waits.append(wait)
      if wait > .zero {
        run.advance(wait)
        run.send(.timer(.restart(instance: instance)))
      }
      #expect(run.starts)
    }
    #expect(waits == [0, 10, 20, 40, 80, 160, 300, 300].map { .seconds($0) })
    run.send(.started(pid: 7))
    run.advance(.seconds(601))
    run.send(.exited(code: 0, signal: 0, lastWords: ""))
    #expect(run.starts)
  }

  @Test("a crash loop shows its reason, its last end and its restarts")
  func crashLoop() {
    var run = Run(["command": ["x"]])
    for _ in 0..<2 {
      run.send(.started(pid: 7))
      run.send(.exited(code: 3, signal: 0, lastWords: "out of memory"))
    }
    let status = run.lifecycle.status(previous: KubernetesObject(["status": [:]]), now: run.now.wall)
    let container = status["containerStatuses"]?[0]
    #expect(container?[path: ["state", "waiting", "reason"]] == "CrashLoopBackOff")
    #expect(
      container?[path: ["state", "waiting", "message"]]
        == "back-off 10s restarting failed container=c pod=p_default()")
    #expect(container?[path: ["lastState", "terminated", "exitCode"]]?.intValue == 3)
    #expect(container?[path: ["lastState", "terminated", "message"]] == "out of memory")
    #expect(container?["restartCount"]?.intValue == 1)
    #expect(status["phase"] == "Running")
  }

  @Test(
    "the restart policy decides what an end means",
    arguments: [
      ("Never", 0, "Succeeded"), ("Never", 1, "Failed"), ("OnFailure", 0, "Succeeded"), ("OnFailure", 1, "Running"),
      ("Always", 0, "Running"),
    ])
  func restartPolicy(policy: String, code: Int, phase: String) {
    var run = Run(["command": ["x"]], spec: ["restartPolicy": .string(policy)])
    run.send(.started(pid: 7))
    run.send(.exited(code: code, signal: 0, lastWords: ""))
    if run.starts { run.send(.started(pid: 8)) }
    #expect(run.lifecycle.phase == phase)
  }

  @Test("a deletion runs the preStop hook, then SIGTERM, then SIGKILL within the grace period")
  func deletion() {
    var run = Run(["command": ["x"], "lifecycle": ["preStop": ["exec": ["command": ["y"]]]]])
    run.send(.started(pid: 7))
    run.send(.deletionRequested(grace: .seconds(30)))
    #expect(run.has { if case .preStop = $0 { true } else { false } })
    #expect(!run.terminates)
    run.advance(.seconds(10))
    run.send(.preStopFinished(instance: 0, failure: nil))
    #expect(run.terminates)
    let kill = PodLifecycle.Timer.kill(instance: 0, deadline: .seconds(130))
    #expect(run.delays[kill] == .seconds(20))
    run.advance(.seconds(20))
    run.send(.timer(kill))
    #expect(run.kills)
    run.send(.exited(code: 0, signal: 9, lastWords: ""))
    #expect(run.removes)
    #expect(run.lifecycle.phase == "Failed")
  }

  @Test("a second deletion may only shorten the grace period")
  func shorterGrace() {
    var run = Run(["command": ["x"]])
    run.send(.started(pid: 7))
    run.send(.deletionRequested(grace: .seconds(30)))
    #expect(run.terminates)
    run.send(.deletionRequested(grace: .seconds(60)))
    #expect(run.effects.isEmpty)
    run.send(.deletionRequested(grace: .seconds(1)))
    #expect(run.delays.values.min() == .seconds(1))
  }

  @Test("a pod that waits for its next restart goes at once when it is deleted")
  func deletionWhileWaiting() {
    var run = Run(["command": ["x"]])
    for _ in 0..<2 {
      run.send(.started(pid: 7))
      run.send(.exited(code: 1, signal: 0, lastWords: ""))
    }
    run.send(.deletionRequested(grace: .seconds(30)))
    #expect(run.removes)
  }

  @Test(
    "a container whose liveness or startup probe fails too often is restarted",
    arguments: ["livenessProbe", "startupProbe"])
  func liveness(field: String) {
    var run = Run(["command": ["x"], .init(field): Self.probe] as JSONValue)
    let kind: ProbeKind = field == "livenessProbe" ? .liveness : .startup
    run.send(.started(pid: 7))
    for _ in 0..<3 {
      run.advance(.seconds(10))
      run.send(.probed(kind, instance: 0, .failure("timeout")))
    }
    #expect(run.reasons == ["Unhealthy", "Killing"])
    #expect(run.terminates)
    run.send(.exited(code: 0, signal: 15, lastWords: ""))
    #expect(run.starts)
    run.send(.started(pid: 8))
    run.send(.probed(kind, instance: 0, .failure("late")))
    #expect(run.effects.isEmpty, "an answer to a former instance")
  }

  @Test("readiness and liveness wait for the startup probe")
  func startup() {
    var run = Run(["command": ["x"], "startupProbe": Self.probe, "readinessProbe": Self.probe])
    run.send(.started(pid: 7))
    #expect(run.delays.keys.contains(.probe(.startup, instance: 0)))
    #expect(!run.delays.keys.contains(.probe(.readiness, instance: 0)))
    run.send(.probed(.startup, instance: 0, .success))
    #expect(run.delays.keys.contains(.probe(.readiness, instance: 0)))
    #expect(run.lifecycle.isStarted)
    #expect(!run.lifecycle.isReady)
  }

  @Test("a container that listens on every address is killed with an Event, and its end says why")
  func listenRule() {
    var run = Run(["command": ["x"], "ports": [["containerPort": 8000]]])
    run.send(.started(pid: 7))
    run.send(.listenersChecked(violation: "port 8000 is bound on every address"))
    #expect(run.kills)
    #expect(run.reasons == ["ListensOnEveryAddress"])
    #expect(!run.lifecycle.isReady)
    run.send(.exited(code: 0, signal: 9, lastWords: ""))
    #expect(run.lifecycle.lastTermination?.reason == "ListensOnEveryAddress")
    #expect(run.lifecycle.lastTermination?.message == "port 8000 is bound on every address")
  }

  @Test("a container that cannot be configured waits until what it needs is there")
  func configuration() {
    var run = Run(["command": ["x"]])
    run.send(.startFailed(reason: "CreateContainerConfigError", message: "secret \"s\" not found"))
    #expect(run.lifecycle.phase == "Pending")
    run.send(.referencesChanged)
    #expect(run.starts)
  }
}
