import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry
import Testing

@testable import ControllerRuntime

@Suite(.timeLimit(.minutes(1))) struct InformerTests {
  @Test("an informer lists, tells, follows the watch, and lists again when its version is too old")
  func follows() async throws {
    let clock = ManualClock()
    let lists = Mutex(0)
    let (watch, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    let (second, _) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    let transport = FakeTransport(
      onSend: { _ in
        let count = lists.withLock { count in
          count += 1
          return count
        }
        let name = count == 1 ? "a" : "c"
        return KubernetesResponse(
          status: 200,
          body: Array(
            #"{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"\#(name)","resourceVersion":"1","managedFields":[1]}}]}"#
              .utf8))
      },
      onStream: { _ in KubernetesStream(status: 200, body: lists.withLock { $0 } == 1 ? watch : second) })
    let client = KubernetesClient(transport: transport, clock: clock)
    let informer = Informer(client: client, selection: ObjectSelection(.nodes), clock: clock)
    let journal = Journal()
    informer.onChange { change in
      journal.append("\(change.key) \(change.old == nil ? "new" : change.new == nil ? "gone" : "changed")")
    }
    #expect(!informer.hasSynced)
    let running = Task { try await informer.run() }
    try await informer.waitForSync()
    #expect(informer.store[ObjectKey(name: "a")]?.metadata.json["managedFields"] == nil)
    #expect(informer.store[ObjectKey(name: "a")]?.kind == "Node")
    // One event in two pieces.
    let line = Array(#"{"type":"ADDED","object":{"kind":"Node","metadata":{"name":"b","resourceVersion":"6"}}}"#.utf8)
    continuation.yield(Array(line.prefix(30)))
    continuation.yield(Array(line.dropFirst(30)) + [0x0A])
    await journal.wait(for: 2)
    continuation.yield(
      Array((#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"# + "\n").utf8))
    await clock.waitForSleepers()
    clock.advance(by: .seconds(1))
    await journal.wait(for: 5)
    #expect(journal.lines == ["a new", "b new", "a gone", "b gone", "c new"])
    running.cancel()
    await #expect(throws: CancellationError.self) { try await running.value }
  }
}

@Suite(.timeLimit(.minutes(1))) struct RefusedWatchTests {
  private static func refusal(_ code: Int, _ body: String = "") -> KubernetesStream {
    KubernetesStream(
      status: code,
      body: AsyncThrowingStream {
        $0.yield(Array(body.utf8))
        $0.finish()
      })
  }

  @Test(
    "what a server answers to a watch decides whether the list is read again, or the watch is asked for again",
    arguments: [
      ("410", "list"), ("504 too large", "list"), ("404", "list"), ("429", "watch 5"), ("401", "watch 5"),
      ("500", "watch 5"), ("half open", "watch 5"), ("overflow", "list"), ("nonsense", "watch 5"),
    ])
  func refused(how: String, next: String) async throws {
    let clock = ManualClock()
    let journal = Journal()
    let transport = FakeTransport(
      onSend: { _ in
        journal.append("list")
        return KubernetesResponse(status: 200, body: Array(#"{"metadata":{"resourceVersion":"5"},"items":[]}"#.utf8))
      },
      onStream: { request in
        journal.append("watch \(request.query.first { $0.name == "resourceVersion" }?.value ?? "-")")
        guard journal.lines.count == 2 else { return KubernetesStream(status: 200, body: AsyncThrowingStream { _ in }) }
        switch how {
        case "504 too large":
          return Self.refusal(
            504,
            #"{"kind":"Status","code":504,"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}}"#
          )
        case "half open":
          return KubernetesStream(
            status: 200, body: AsyncThrowingStream { $0.finish(throwing: TransportError(.idle, "silent")) })
        case "overflow": throw TransportError(.overflow, "too slow")
        case "nonsense": return Self.refusal(200, "{}\n")
        default: return Self.refusal(Int(how) ?? 0)
        }
      })
    let informer = Informer(
      client: KubernetesClient(transport: transport, clock: clock), selection: ObjectSelection(.nodes), clock: clock)
    let running = Task { try await informer.run() }
    await journal.wait(for: 2)
    await clock.waitForSleepers()
    clock.advance(by: .seconds(5))
    await journal.wait(for: 3)
    #expect(journal.lines[2] == next)
    running.cancel()
    _ = await running.result
  }
}

@Suite(.timeLimit(.minutes(1))) struct ControllerTests {
  @Test("a controller works keys off beside each other, and a failed one again after its back-off")
  func works() async throws {
    let clock = ManualClock()
    let queue = WorkQueue<ObjectKey>(clock: clock, seed: 1)
    let sink = MemoryLogSink()
    let journal = Journal()
    let failures = Mutex(1)
    let controller = Controller(name: "test", queue: queue, workers: 2, log: Log(sink)) { key in
      let fails = failures.withLock { left in
        guard key.name == "bad", left > 0 else { return false }
        left -= 1
        return true
      }
      journal.append("\(key.name)\(fails ? " failed" : "")")
      return fails ? .retry(reason: "no luck") : .done
    }
    queue.add(ObjectKey(name: "bad"))
    let running = Task { try await controller.run() }
    await journal.wait(for: 1)
    await clock.waitForSleepers()
    queue.add(ObjectKey(name: "good"))
    await journal.wait(for: 2)
    await clock.waitForSleepers()
    clock.advance(by: .seconds(1))
    await journal.wait(for: 3)
    #expect(journal.lines == ["bad failed", "good", "bad"])
    #expect(sink.records.first?["reason"] == .string("no luck"))
    running.cancel()
    await #expect(throws: CancellationError.self) { try await running.value }
  }
}

@Suite(.timeLimit(.minutes(1))) struct ServiceGroupTests {
  private struct Broken: Error {}

  @Test("the first service that fails ends the others, and its error is what the group throws")
  func firstEndsAll() async {
    let journal = Journal()
    let group = ServiceGroup([
      ClosureService {
        defer { journal.append("ended") }
        try await ManualClock().sleep(for: .seconds(1))
      },
      ClosureService { throw Broken() },
    ])
    await #expect(throws: Broken.self) { try await group.run() }
    #expect(journal.lines == ["ended"])
  }
}

@Suite(.timeLimit(.minutes(1))) struct LeaderElectionTests {
  @Test("what is led is cancelled when the Lease is lost, and the Lease is given back at the end")
  func leads() async throws {
    let clock = ManualClock()
    let store = LeaseServer()
    let client = KubernetesClient(transport: store.transport, clock: clock)
    let configuration = LeaderElectionMachine.Configuration(
      lease: ObjectKey(namespace: "ns", name: "l"), identity: "me")
    let election = LeaderElection(client: client, configuration: configuration, clock: clock, seed: 1)
    let journal = Journal()
    let running = Task {
      try await election.run {
        journal.append("lead")
        defer { journal.append("end") }
        try await ManualClock().sleep(for: .seconds(1))
      }
    }
    await journal.wait(for: 1)
    #expect(election.isLeader)
    store.isDown.withLock { $0 = true }
    while journal.lines.count < 2 {
      await clock.waitForSleepers()
      clock.advance(by: .milliseconds(500))
      await Task.yield()
    }
    #expect(!election.isLeader)
    store.isDown.withLock { $0 = false }
    while journal.lines.count < 3 {
      await clock.waitForSleepers()
      clock.advance(by: .milliseconds(500))
      await Task.yield()
    }
    #expect(journal.lines == ["lead", "end", "lead"])
    running.cancel()
    await #expect(throws: CancellationError.self) { try await running.value }
    #expect(store.lease.withLock { $0?["spec"]?["holderIdentity"]?.stringValue } == "")
  }
}

/// Keeps one Lease.
private final class LeaseServer: Sendable {
  let lease = Mutex<JSONValue?>(nil)
  let isDown = Mutex(false)

  var transport: FakeTransport {
    FakeTransport(onSend: { request in
      if self.isDown.withLock({ $0 }) { throw TransportError(.connectFailed, "down") }
      return self.lease.withLock { lease in
        if request.method != .get { lease = try? JSONValue(parsing: request.body) }
        guard let lease else { return KubernetesResponse(status: 404) }
        return KubernetesResponse(status: 200, body: lease.bytes)
      }
    })
  }
}

@Suite(.timeLimit(.minutes(1))) struct EventRecorderTests {
  @Test("Events are sent in order; one that the server forgot is created again; too many are dropped and counted")
  func records() async throws {
    let clock = ManualClock()
    let journal = Journal()
    let transport = FakeTransport(onSend: { request in
      let body = try? JSONValue(parsing: request.body)
      journal.append(
        "\(request.method.rawValue) \(body?["message"]?.stringValue ?? "") \(body?["count"]?.intValue ?? 0)")
      return request.method == .patch
        ? KubernetesResponse(status: 404) : KubernetesResponse(status: 201, body: request.body)
    })
    let sink = MemoryLogSink()
    let recorder = EventRecorder(
      client: KubernetesClient(transport: transport, clock: clock), clock: clock, component: "c", instance: "i",
      log: Log(sink), capacity: 3)
    let pod = KubernetesObject(.pods, ObjectKey(namespace: "n", name: "p"))
    for message in ["one", "two", "one", "lost"] {
      recorder.record(.normal, about: pod, reason: "R", message: message)
    }
    let running = Task { try await recorder.run() }
    await journal.wait(for: 4)
    #expect(journal.lines == ["POST one 1", "POST two 1", "PATCH one 2", "POST one 2"])
    #expect(sink.messages == ["events dropped"])
    running.cancel()
    await #expect(throws: CancellationError.self) { try await running.value }
  }
}
