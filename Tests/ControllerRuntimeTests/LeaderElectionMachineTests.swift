import FoundationEssentials
import KubernetesAPI
import Telemetry
import Testing

@testable import ControllerRuntime

private let key = ObjectKey(namespace: "pilotlight-system", name: "controller")

/// A Lease that obeys resource versions, and candidates on virtual clocks that start at different times.
private struct World {
  var lease: Lease?
  var version = 0
  var elapsed: Duration = .zero
  var candidates: [String: LeaderElectionMachine] = [:]
  var wakeUps: [String: Duration] = [:]
  /// Candidates whose requests all fail.
  var cutOff: Set<String> = []

  mutating func join(_ name: String) {
    candidates[name] = LeaderElectionMachine(
      configuration: .init(lease: key, identity: name), seed: UInt64(name.utf8.first ?? 0))
    wakeUps[name] = elapsed
  }

  /// Every candidate has a clock of its own: what they show must not matter.
  func now(_ name: String) -> Now {
    let skew = Double(name.utf8.first ?? 0) * 1000
    return Now(
      monotonic: elapsed + .seconds(skew), wall: Date(timeIntervalSince1970: 1e9 - skew + elapsed.seconds))
  }

  var leaders: [String] { candidates.filter { $0.value.isLeader }.keys.sorted() }

  mutating func run(for duration: Duration) {
    let end = elapsed + duration
    while let next = wakeUps.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }), next.value <= end {
      elapsed = max(elapsed, next.value)
      step(next.key, .tick)
      #expect(leaders.count <= 1)
    }
    elapsed = end
  }

  mutating func step(_ name: String, _ first: LeaderElectionMachine.Event) {
    var event: LeaderElectionMachine.Event? = first
    while let current = event {
      event = nil
      let time = now(name)
      for effect in candidates[name]?.handle(current, now: time) ?? [] {
        switch effect {
        case .wait(let delay): wakeUps[name] = elapsed + delay
        case .read: event = cutOff.contains(name) ? .failed : .read(lease)
        case .create(let new): event = cutOff.contains(name) ? .failed : write(new, isNew: true)
        case .replace(let new): event = cutOff.contains(name) ? .failed : write(new, isNew: false)
        case .startLeading, .stopLeading: break
        case .stopped: wakeUps[name] = nil
        }
      }
    }
  }

  private mutating func write(_ new: Lease, isNew: Bool) -> LeaderElectionMachine.Event {
    let expected = lease?.object.metadata.resourceVersion ?? ""
    guard isNew == (lease == nil), new.object.metadata.resourceVersion == expected else { return .conflicted }
    version += 1
    var written = new
    written.object.json[path: ["metadata", "resourceVersion"]] = .string(String(version))
    lease = written
    return .written(written)
  }
}

@Suite struct LeaderElectionMachineTests {
  @Test("one of several candidates leads, and stays while it renews")
  func oneLeads() {
    var world = World()
    for name in ["a", "b", "c"] { world.join(name) }
    world.run(for: .seconds(3600))
    #expect(world.leaders == ["a"])
    #expect(world.lease?.holderIdentity == "a")
    #expect(world.lease?.leaseTransitions == 0)
    #expect(world.lease?.leaseDurationSeconds == 15)
  }

  @Test("a leader without an API server stops before another one may begin")
  func partition() {
    var world = World()
    for name in ["a", "b"] { world.join(name) }
    world.run(for: .seconds(60))
    world.cutOff = ["a"]
    world.run(for: .seconds(9))
    #expect(world.leaders == ["a"])
    world.run(for: .seconds(3))
    #expect(world.leaders == [])
    world.run(for: .seconds(10))
    #expect(world.leaders == ["b"])
    #expect(world.lease?.leaseTransitions == 1)
    world.cutOff = []
    world.run(for: .seconds(60))
    #expect(world.leaders == ["b"])
  }

  @Test("a leader that stops gives the Lease back, and the next one need not wait for its end")
  func release() {
    var world = World()
    for name in ["a", "b"] { world.join(name) }
    world.run(for: .seconds(60))
    world.step("a", .stop)
    #expect(world.leaders == [])
    #expect(world.lease?.holderIdentity == "")
    world.run(for: .seconds(3))
    #expect(world.leaders == ["b"])
  }

  @Test("a dead leader's Lease is waited out from when we first saw it, whatever time it bears")
  func foreignClock() {
    var world = World()
    world.join("a")
    world.run(for: .seconds(10))
    world.candidates["a"] = nil
    world.wakeUps["a"] = nil
    world.lease?.renewTime = "1999-01-01T00:00:00.000000Z"
    world.join("b")
    world.run(for: .seconds(14))
    #expect(world.leaders == [])
    world.run(for: .seconds(2))
    #expect(world.leaders == ["b"])
  }

  @Test("a leader whose Lease somebody took stops at its next renewal")
  func usurped() {
    var world = World()
    world.join("a")
    world.run(for: .seconds(10))
    world.lease?.holderIdentity = "z"
    world.lease?.object.json[path: ["metadata", "resourceVersion"]] = "999"
    world.run(for: .seconds(5))
    #expect(world.leaders == [])
  }

  @Test("a write that took longer than the renew deadline makes no leader")
  func slowWrite() {
    var machine = LeaderElectionMachine(configuration: .init(lease: key, identity: "a"), seed: 1)
    let start = Now(monotonic: .zero, wall: Date(timeIntervalSince1970: 0))
    _ = machine.handle(.tick, now: start)
    guard case .create(let lease)? = machine.handle(.read(nil), now: start).last else {
      return #expect(Bool(false), "no Lease is created")
    }
    _ = machine.handle(.written(lease), now: Now(monotonic: .seconds(11), wall: start.wall))
    #expect(!machine.isLeader)
  }

  @Test("a leader that reaches its deadline stops before it asks for anything more")
  func deadline() {
    var world = World()
    world.join("a")
    world.run(for: .seconds(1))
    let deadline = world.now("a").monotonic - .seconds(1) + .seconds(10)
    #expect(world.candidates["a"]?.deadline == deadline)
    let atDeadline = Now(monotonic: deadline, wall: world.now("a").wall)
    let effects = world.candidates["a"]?.handle(.tick, now: atDeadline)
    #expect(effects?.first == .stopLeading)
    guard case .wait? = effects?.last else { return #expect(Bool(false), "\(String(describing: effects))") }
  }
}
