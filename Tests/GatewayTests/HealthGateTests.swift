import EventLoop
import Testing

@testable import Gateway

struct HealthGateTests {
  private static func check(_ uid: String, port: Int = 9, path: String? = nil) throws -> HealthGate.Check {
    HealthGate.Check(
      id: .init(service: ServiceKey(namespace: "default", name: "owl"), podUID: uid),
      address: try SocketAddress(host: "127.0.0.1", port: port),
      healthCheck: HealthCheck(path: path, modelProtocol: .openAI, modelName: "owl"))
  }

  @Test(
    "What is checked is what the service names, else what its protocol has",
    arguments: [
      (nil, .openAI, .get(path: "/health", whenNotFound: "/v1/models")),
      (nil, .openInference, .get(path: "/v2/health/ready", whenNotFound: nil)),
      (nil, .kserveV1, .get(path: "/v1/models/Qwen%2FQwen3", whenNotFound: nil)), (nil, .http, .connect),
      ("/up", .openAI, .get(path: "/up", whenNotFound: nil)), ("/up", .http, .get(path: "/up", whenNotFound: nil)),
      ("", .openAI, .connect),
    ] as [(String?, ModelProtocol, HealthCheck)])
  func checks(path: String?, modelProtocol: ModelProtocol, expected: HealthCheck) {
    #expect(HealthCheck(path: path, modelProtocol: modelProtocol, modelName: "Qwen/Qwen3") == expected)
  }

  /// One step of a replica's life: at a time, what happens, and when it is asked next.
  struct Step: Sendable {
    enum Event: Sendable { case seen, fails, passes, goes }
    var at: Duration
    var event: Event
    var verdict: HealthGate.Verdict?
    var next: Duration?
  }

  @Test(
    "A replica is asked at once, every 50 ms for 10 s, every 500 ms after that, until it passes or goes",
    arguments: [
      [
        Step(at: .zero, event: .seen, next: .zero),
        Step(at: .milliseconds(3), event: .fails, verdict: .failed, next: .milliseconds(53)),
        // The same view again changes nothing.
        Step(at: .milliseconds(20), event: .seen, next: .milliseconds(53)),
        Step(at: .milliseconds(1053), event: .fails, verdict: .failed, next: .milliseconds(1103)),
        Step(at: .seconds(10), event: .fails, verdict: .slowedDown, next: .milliseconds(10_500)),
        Step(at: .seconds(11), event: .fails, verdict: .failed, next: .milliseconds(11_500)),
        Step(at: .seconds(12), event: .passes, verdict: .passed, next: nil),
      ],
      [
        Step(at: .zero, event: .seen, next: .zero),
        Step(at: .zero, event: .goes, next: nil),
        Step(at: .milliseconds(1), event: .passes, verdict: .outdated, next: nil),
        Step(at: .milliseconds(2), event: .seen, next: .milliseconds(2)),
      ],
    ])
  func schedule(steps: [Step]) throws {
    var gate = HealthGate()
    let check = try Self.check("a")
    for step in steps {
      switch step.event {
      case .seen: gate.expect([check], now: step.at)
      case .goes: gate.expect([], now: step.at)
      case .fails, .passes:
        // What begins when it is due is not begun twice.
        let due = gate.nextDue ?? step.at
        let early = gate.begin(now: due - .milliseconds(1))
        let begun = gate.begin(now: due)
        let again = gate.begin(now: due)
        #expect(early.isEmpty && begun == (step.verdict == .outdated ? [] : [check]) && again.isEmpty)
        let verdict = gate.end(check, passed: step.event == .passes, now: step.at)
        #expect(verdict == step.verdict, "at \(step.at)")
      }
      #expect(gate.nextDue == step.next, "at \(step.at)")
    }
  }

  @Test("The answer to a question that is no longer asked opens nothing")
  func outdated() throws {
    for changed in [try Self.check("a", port: 10), try Self.check("a", path: "/up")] {
      var gate = HealthGate()
      let check = try Self.check("a")
      gate.expect([check], now: .zero)
      _ = gate.begin(now: .zero)
      gate.expect([changed], now: .seconds(1))
      #expect(gate.nextDue == nil)
      let verdict = gate.end(check, passed: true, now: .seconds(2))
      let next = gate.begin(now: .seconds(2))
      #expect(verdict == .outdated && next == [changed])
    }
  }

  @Test("64 are asked at a time; who has not been asked yet goes before those that failed")
  func bounded() throws {
    var gate = HealthGate()
    let checks = try (100..<200).map { try Self.check("\($0)") }
    gate.expect(checks, now: .zero)
    let first = gate.begin(now: .zero)
    #expect(first == Array(checks[..<64]) && gate.nextDue == nil)
    for check in first.prefix(10) { _ = gate.end(check, passed: false, now: .zero) }
    let second = gate.begin(now: .seconds(1))
    #expect(second == Array(checks[64..<74]))
    for check in first.dropFirst(10) { _ = gate.end(check, passed: true, now: .seconds(1)) }
    let third = gate.begin(now: .seconds(1))
    #expect(third == Array(checks[74...]) + Array(checks[..<10]))
  }
}
