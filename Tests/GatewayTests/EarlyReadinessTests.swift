import EventLoop
import FoundationEssentials
import HTTPWire
import KubernetesAPI
import Testing

@testable import Gateway
@testable import GatewayCluster

struct EarlyReadinessTests {
  private static let probe = ReadinessProbe(action: .connect, port: 9)

  @Test(
    "A pod that shows it serves takes requests before it is said to be ready; what is said later is all that counts")
  func takesEarly() throws {
    var state = ReplicaSetState()
    var pod = try replica("a", ready: false)
    _ = state.update([pod], share: GatewayShare())
    let without = state.unproven
    #expect(without.isEmpty && !state.isAwake)
    pod.readinessProbe = Self.probe
    _ = state.update([pod], share: GatewayShare())
    let unproven = state.unproven
    #expect(unproven.map(\.readinessProbe) == [Self.probe])
    state.passAll()
    #expect(state.isAwake)
    // Said to be ready, then not: its own word does not count any more.
    pod.isReady = true
    _ = state.update([pod], share: GatewayShare())
    #expect(state.isAwake)
    pod.isReady = false
    _ = state.update([pod], share: GatewayShare())
    let after = state.unproven
    #expect(!state.isAwake && after.isEmpty)
  }

  @Test("It is ready since its check has passed, whatever the slice says of an earlier or later time")
  func readySince() throws {
    let (appeared, passed, told) = (
      Date(timeIntervalSince1970: 100), Date(timeIntervalSince1970: 107), Date(timeIntervalSince1970: 109)
    )
    var state = ReplicaSetState()
    var pod = try replica("a", ready: false)
    (pod.readinessProbe, pod.readySince) = (Self.probe, appeared)
    _ = state.update([pod], share: GatewayShare())
    state.checked("a", .passed, at: passed)
    let early = try state.take(now: .zero)
    #expect(early.replica.readySince == passed)
    (pod.isReady, pod.readySince) = (true, told)
    _ = state.update([pod], share: GatewayShare())
    let later = try state.take(now: .zero)
    #expect(later.replica.readySince == passed)

    // One that is only checked once it is said to be ready was ready before.
    var plain = try replica("b")
    plain.readySince = appeared
    var other = ReplicaSetState()
    _ = other.update([plain], share: GatewayShare())
    other.checked("b", .passed, at: passed)
    let lease = try other.take(now: .zero)
    #expect(lease.replica.readySince == appeared)
  }

  @Test("One that fails a request before it is said to be ready must show again that it serves")
  func mustShowAgain() throws {
    var state = ReplicaSetState()
    var pod = try replica("a", ready: false)
    pod.readinessProbe = Self.probe
    _ = state.update([pod], share: GatewayShare())
    state.passAll()
    let lease = try state.take(now: .zero)
    let mustCheck = state.failed(lease, now: .zero)
    #expect(mustCheck && !state.isAwake && state.unproven.count == 1)
    // Of one that is said to be ready only a while is lost.
    pod.isReady = true
    _ = state.update([pod], share: GatewayShare())
    state.passAll()
    let second = try state.take(now: .seconds(1))
    let again = state.failed(second, now: .seconds(1))
    #expect(!again && state.isAwake)
  }

  @Test("The author's delay is kept before the first answer is believed")
  func delays() throws {
    var gate = HealthGate()
    let check = HealthGate.Check(
      id: .init(service: ServiceKey(namespace: "a", name: "b"), podUID: "p"),
      address: try SocketAddress(parsing: "127.0.0.1:9"), tls: nil,
      readinessProbe: ReadinessProbe(action: .connect, port: 9, delay: .seconds(5)), healthCheck: .connect)
    gate.expect([check], now: .seconds(1))
    let early = gate.begin(now: .seconds(5))
    let due = gate.nextDue
    let late = gate.begin(now: .seconds(6))
    #expect(early.isEmpty && due == .seconds(6) && late == [check])
  }

  @Test(
    "What a template says of its readiness decides whether a gateway may find it out itself",
    arguments: [
      (#"{"httpGet":{"path":"/health","port":"http"}}"#, "{}", "[]", "get /health 8000 0"),
      (#"{"httpGet":{"path":"r","port":9000},"initialDelaySeconds":3}"#, "{}", "[]", "get /r 9000 3"),
      (#"{"tcpSocket":{"port":"8000"}}"#, "{}", "[]", "connect 8000 0"),
      (#"{"exec":{"command":["x"]}}"#, "{}", "[]", "none"),
      (#"{"grpc":{"port":8000}}"#, "{}", "[]", "none"),
      (#"{"httpGet":{"path":"/health","port":8000,"host":"other"}}"#, "{}", "[]", "none"),
      (#"{"httpGet":{"path":"/health","port":"none"}}"#, "{}", "[]", "none"),
      (#"{"httpGet":{"path":"/health","port":8000}}"#, #"{"readinessProbe":{}}"#, "[]", "none"),
      (#"{"httpGet":{"path":"/health","port":8000}}"#, #"{"startupProbe":{}}"#, "[]", "none"),
      (#"{"httpGet":{"path":"/health","port":8000}}"#, "{}", #"[{"conditionType":"x"}]"#, "none"),
    ])
  func templates(probe: String, sidecar: String, gates: String, expected: String) throws {
    let template = try JSONValue(
      parsing: Array(
        """
        {"spec":{"readinessGates":\(gates),"containers":[\(sidecar),
         {"ports":[{"name":"http","containerPort":8000}],"readinessProbe":\(probe)}]}}
        """.utf8))
    let container = try #require(ModelContainer(template: template, port: 8000))
    let described: String
    switch container.earlyProbe?.action {
    case .get(let path, _, _)?: described = "get \(path) "
    case .connect?: described = "connect "
    case nil: described = "none"
    }
    let rest = container.earlyProbe.map { "\($0.port) \(Int($0.delay.seconds))" } ?? ""
    #expect(described + rest == expected && !container.speaksTLS)
  }

  @Test("A port by the name https, or one that is probed by HTTPS, is talked to by TLS")
  func tls() throws {
    for (name, scheme, expected) in [("https", "HTTP", true), ("http", "HTTPS", true), ("http", "HTTP", false)] {
      let template: JSONValue = [
        "spec": [
          "containers": [
            [
              "ports": [["name": .string(name), "containerPort": 8443]],
              "readinessProbe": ["httpGet": ["port": 8443, "scheme": .string(scheme)]],
            ]
          ]
        ]
      ]
      #expect(ModelContainer(template: template, port: 8443)?.speaksTLS == expected)
    }
  }
}

@Suite(.timeLimit(.minutes(2)))
struct EarlyReadinessOnTheWireTests {
  @Test("A held request goes to a pod as soon as it answers its own probe, whatever the EndpointSlice says yet")
  func answersEarly() async throws {
    try await GatewayHarness.run { harness in
      let loaded = Moment()
      var pod = try harness.replica { exchange in
        if exchange.path == "/probe" {
          await loaded.wait()
        }
        try await exchange.respond(status: 200, headers: [], body: [])
      }
      pod.isReady = false
      pod.readinessProbe = ReadinessProbe(
        action: .get(path: "/probe", headers: ["X-Probe": "1"], isTLS: false), port: pod.address.port)
      harness.show([pod])
      async let answer = harness.send()
      try await harness.waitForLoad { $0.held == 1 }
      loaded.come()
      #expect(try await answer.status == 200)
    }
  }
}
