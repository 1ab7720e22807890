import FoundationEssentials
import KubernetesAPI
import Telemetry
import Testing

@testable import Operator

@Suite struct WakeTrackerTests {
  static func now(_ seconds: Int) -> Now {
    Now(monotonic: .seconds(seconds), wall: Date(timeIntervalSince1970: Double(1_000_000 + seconds)))
  }

  static func pool(_ pods: [PodObservation], wanted: Int = 1) -> PoolObservation {
    PoolObservation(exists: true, wanted: wanted, pods: pods)
  }

  static func crashing(_ waiting: String = "CrashLoopBackOff") -> PodObservation {
    PodObservation(
      Pod(
        KubernetesObject([
          "metadata": ["uid": "u", "name": "p"],
          "status": [
            "phase": "Running",
            "containerStatuses": [
              [
                "name": "model", "restartCount": 2, "state": ["waiting": ["reason": .string(waiting)]],
                "lastState": ["terminated": ["exitCode": 1, "reason": "Error", "message": "weights are corrupt"]],
              ]
            ],
          ],
        ])))
  }

  @Test("A wake that ends in a ready replica is a cold start")
  func success() {
    var tracker = WakeTracker(template: "t")
    tracker.begin(at: .seconds(10))
    #expect(tracker.judge(Self.pool([]), startupTimeout: .seconds(60), lastWords: nil, now: Self.now(20)) == .nothing)
    let ready = Self.pool([ScalePlanTests.pod("a")])
    #expect(
      tracker.judge(ready, startupTimeout: .seconds(60), lastWords: nil, now: Self.now(25))
        == .awake(after: .seconds(15)))
    #expect(tracker.coldStarts.count == 1)
    #expect(tracker.judge(ready, startupTimeout: .seconds(60), lastWords: nil, now: Self.now(26)) == .nothing)
  }

  @Test("A crash fails the wake with the container's words, and the next attempt waits longer each time")
  func crash() {
    var tracker = WakeTracker(template: "t")
    var at = 0
    for wait in [10, 20, 40] {
      tracker.begin(at: .seconds(at))
      let pool = Self.pool([Self.crashing()])
      #expect(tracker.judge(pool, startupTimeout: .seconds(60), lastWords: nil, now: Self.now(at)) == .failed)
      #expect(tracker.failure?.reason == "CrashLoopBackOff")
      #expect(
        tracker.failure?.message == "container \"model\" ended with exit code 1: weights are corrupt")
      #expect(tracker.failure?.nextAttempt == Self.now(at + wait).wall)
      #expect(tracker.blockedUntil(now: .seconds(at)) == .seconds(at + wait))
      #expect(tracker.judge(pool, startupTimeout: .seconds(60), lastWords: nil, now: Self.now(at)) == .nothing)
      at += wait
      #expect(tracker.blockedUntil(now: .seconds(at)) == nil)
    }
    tracker.setTemplate("fixed")
    #expect(tracker.failure == nil)
    #expect(tracker.blockedUntil(now: .seconds(at - 1)) == nil)
  }

  @Test("A wake that takes too long fails, and says what it waited for")
  func timeout() {
    var tracker = WakeTracker(template: "t")
    tracker.begin(at: .zero)
    var pod = ScalePlanTests.pod("a", ready: false)
    pod.unschedulable = StatusTests.noRoom
    #expect(
      tracker.judge(Self.pool([pod]), startupTimeout: .seconds(60), lastWords: nil, now: Self.now(60)) == .nothing)
    #expect(
      tracker.judge(Self.pool([pod]), startupTimeout: .seconds(60), lastWords: nil, now: Self.now(61)) == .failed)
    #expect(tracker.failure?.reason == "StartupTimeout")
    #expect(tracker.failure?.message.contains("Insufficient nvidia.com/gpu") == true)
  }

  @Test("A new leader goes on where the status says, whatever its clock")
  func resume() {
    var tracker = WakeTracker(template: "t")
    let failure = WakeFailure(reason: "CrashLoopBackOff", message: "m", nextAttempt: Self.now(30).wall, failures: 3)
    tracker.resume(failure, template: "t", now: Self.now(0))
    #expect(tracker.blockedUntil(now: .zero) == .seconds(30))
    #expect(tracker.backoff.failures == 3)
    tracker.resume(failure, template: "t", now: Now(monotonic: .zero, wall: Date(timeIntervalSince1970: 0)))
    #expect(tracker.blockedUntil(now: .zero) == .seconds(600))
  }

  @Test(
    "A container that is only starting is no trouble; an image that cannot be pulled is",
    arguments: [
      ("ContainerCreating", nil), ("ErrImagePull", false), ("ImagePullBackOff", true),
      ("CreateContainerConfigError", true),
    ] as [(String, Bool?)])
  func trouble(reason: String, isFatal: Bool?) {
    let pod = Pod(
      KubernetesObject([
        "status": ["containerStatuses": [["name": "model", "state": ["waiting": ["reason": .string(reason)]]]]]
      ]))
    #expect(PodTrouble(pod)?.isFatal == isFatal)
  }
}
