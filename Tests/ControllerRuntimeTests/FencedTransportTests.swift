import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry
import Testing

@testable import ControllerRuntime

@Suite(.timeLimit(.minutes(1))) struct FencedTransportTests {
  private static let key = ObjectKey(namespace: "ns", name: "l")

  /// An API server that keeps one Lease, can be cut off from it, and notes all other writes.
  private final class Server: Sendable {
    let lease = Mutex<JSONValue?>(nil)
    let isCutOff = Mutex(false)
    let writes = Mutex<[KubernetesRequest]>([])

    var transport: FakeTransport {
      FakeTransport(onSend: { [self] request in
        guard request.path.contains("/leases") else {
          if request.method != .get { writes.withLock { $0.append(request) } }
          return KubernetesResponse(status: 200, body: Array(#"{"kind":"Pod"}"#.utf8))
        }
        if isCutOff.withLock({ $0 }) { throw TransportError(.connectFailed, "cut off") }
        return lease.withLock { lease in
          if request.method != .get { lease = try? JSONValue(parsing: request.body) }
          return lease.map { KubernetesResponse(status: 200, body: $0.bytes) } ?? KubernetesResponse(status: 404)
        }
      })
    }
  }

  @Test("A task that does not notice its cancellation cannot write after the renew deadline, but can read")
  func stubbornTask() async throws {
    let clock = ManualClock()
    let server = Server()
    let client = KubernetesClient(transport: server.transport, clock: clock)
    let election = LeaderElection(client: client, configuration: .init(lease: Self.key, identity: "me"), clock: clock)
    let fenced = client.fenced(by: election)
    let pod = KubernetesObject(.pods, ObjectKey(namespace: "ns", name: "p"))
    await #expect(throws: NotLeading.self) { try await fenced.create(.pods, pod) }

    let leads = Signal(staysRaised: true)
    let lost = Signal(staysRaised: true)
    let journal = Journal()
    let running = Task {
      try await election.run {
        leads.raise()
        await withTaskCancellationHandler {
          try? await lost.wait()
        } onCancel: {
          lost.raise()
        }
        // A task of its own is not cancelled: it goes on as if nothing had happened.
        let refusal = await Task { try await fenced.create(.pods, pod) }.result
        journal.append("\(refusal.mapError { $0 as any Error })")
        try await ManualClock().sleep(for: .seconds(1))
      }
    }
    try await leads.wait()
    _ = try await fenced.create(.pods, pod)
    let window = try #require(server.writes.withLock { $0.first?.window })
    let now = clock.now().monotonic
    #expect(window.sendBefore <= now + .seconds(10) && window.answerBefore <= now + .seconds(15))

    server.isCutOff.withLock { $0 = true }
    for _ in 0..<200 where journal.lines.isEmpty {
      await clock.waitForSleepers()
      clock.advance(by: .milliseconds(100))
      for _ in 0..<20 { await Task.yield() }
    }
    await journal.wait(for: 1)
    #expect(journal.lines.first?.contains("does not lead") == true, "\(journal.lines)")
    #expect(server.writes.withLock { $0.count } == 1)
    _ = try await fenced.get(.pods, pod.key)
    running.cancel()
    _ = await running.result
  }

  @Test("The deadline closes the fence by itself, before anybody has noticed that the Lease is lost")
  func deadline() throws {
    var machine = LeaderElectionMachine(configuration: .init(lease: Self.key, identity: "me"), seed: 1)
    let begin = ManualClock().now()
    func at(_ seconds: Int) -> Now { Now(monotonic: begin.monotonic + .seconds(seconds), wall: begin.wall) }
    #expect(machine.writeWindow(now: at(0).monotonic) == nil)
    _ = machine.handle(.tick, now: at(0))
    guard case .create(let lease)? = machine.handle(.read(nil), now: at(0)).last else {
      Issue.record("no Lease was made")
      return
    }
    // The write took a second: what counts is when it began.
    _ = machine.handle(.written(lease), now: at(1))
    for second in 1..<10 {
      let window = try #require(machine.writeWindow(now: at(second).monotonic))
      #expect(window.sendBefore == at(10).monotonic && window.answerBefore == at(15).monotonic)
    }
    #expect(machine.isLeader && machine.writeWindow(now: at(10).monotonic) == nil)
    _ = machine.handle(.tick, now: at(9))
    _ = machine.handle(.written(lease), now: at(9))
    #expect(machine.writeWindow(now: at(10).monotonic)?.sendBefore == at(19).monotonic)
    _ = machine.handle(.stop, now: at(11))
    #expect(machine.writeWindow(now: at(11).monotonic) == nil)
  }
}
