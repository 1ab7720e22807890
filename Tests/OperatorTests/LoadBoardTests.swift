import Decisions
import FleetProtocol
import FoundationEssentials
import KubernetesAPI
import Telemetry
import Testing

@testable import Operator

@Suite struct LoadBoardTests {
  static let key = ObjectKey(namespace: "team", name: "llm")
  static let policy = ScalingPolicy()

  static func now(_ seconds: Int) -> Now {
    Now(monotonic: .seconds(seconds), wall: Date(timeIntervalSince1970: Double(1_000_000 + seconds)))
  }

  static func line(
    _ boot: String = "b", held: Int = 0, inFlight: [String: Int] = [:], epoch: Int = 0, since: Double? = nil
  ) -> LoadSnapshot {
    LoadSnapshot(
      gateway: "g", bootID: boot, sequence: 1,
      services: [
        ServiceLoad(
          namespace: "team", name: "llm", held: held, inFlight: inFlight.values.reduce(0, +), inFlightByPod: inFlight,
          heldSinceUnix: since, drainEpochSeen: epoch)
      ])
  }

  static func board(_ gateways: [String: Bool]) -> LoadBoard {
    var board = LoadBoard()
    _ = board.setGateways(gateways)
    return board
  }

  static func record(_ board: inout LoadBoard, _ line: LoadSnapshot, from gateway: String, at second: Int) -> Set<
    ObjectKey
  > { board.record(line, from: gateway, now: now(second)) { _ in .seconds(60) } }

  @Test("The first held request, a drain seen and the end of load are urgent; the rest waits for the tick")
  func urgency() {
    var board = Self.board(["g": true])
    #expect(Self.record(&board, Self.line(held: 1), from: "g", at: 1) == [Self.key])
    #expect(Self.record(&board, Self.line(held: 2), from: "g", at: 2).isEmpty)
    #expect(Self.record(&board, Self.line(held: 1, epoch: 1), from: "g", at: 3) == [Self.key])
    #expect(Self.record(&board, Self.line(epoch: 1), from: "g", at: 4) == [Self.key])
    #expect(Self.record(&board, Self.line(epoch: 1), from: "g", at: 5).isEmpty)
  }

  @Test("Gateways add up; the oldest held request and the oldest drain epoch count")
  func sums() {
    var board = Self.board(["g": true, "h": true])
    _ = Self.record(&board, Self.line(held: 1, inFlight: ["p": 2], epoch: 3, since: 50), from: "g", at: 1)
    #expect(!board.isComplete(now: .seconds(1)))
    _ = Self.record(&board, Self.line(held: 2, inFlight: ["p": 1, "q": 1], epoch: 2, since: 40), from: "h", at: 1)
    let load = board.load(of: Self.key, policy: Self.policy, now: .seconds(1))
    #expect((load.held, load.inFlight, load.heldSinceUnix) == (3, 4, 40))
    #expect(load.inFlightByPod == ["p": 3, "q": 1])
    #expect(load.drainEpochSeen == 2)
    #expect(load.isComplete)
  }

  @Test("A silent gateway is incomplete data and keeps its counts, until it has left")
  func silence() {
    var board = Self.board(["g": true, "starting": false])
    _ = Self.record(&board, Self.line(held: 1, inFlight: ["p": 2], epoch: 5), from: "g", at: 1)
    #expect(board.isComplete(now: .seconds(6)))
    #expect(!board.isComplete(now: .seconds(7)))
    board.disconnected("g")
    let load = board.load(of: Self.key, policy: Self.policy, now: .seconds(2))
    #expect((load.held, load.inFlight, load.isComplete, load.drainEpochSeen) == (1, 2, false, 0))
    #expect(board.setGateways(["starting": false]) == [Self.key])
    let left = board.load(of: Self.key, policy: Self.policy, now: .seconds(2))
    #expect((left.held, left.inFlight, left.isComplete, left.drainEpochSeen) == (0, 0, false, nil))
  }

  @Test("A service that is left out of a snapshot carries nothing; no gateway at all is no data")
  func absence() {
    var board = Self.board(["g": true])
    #expect(board.load(of: Self.key, policy: Self.policy, now: .zero).reading.stableAverage == nil)
    _ = Self.record(&board, Self.line(inFlight: ["p": 2], epoch: 1), from: "g", at: 1)
    let empty = LoadSnapshot(gateway: "g", bootID: "b", sequence: 2, services: [])
    #expect(Self.record(&board, empty, from: "g", at: 2) == [Self.key])
    let load = board.load(of: Self.key, policy: Self.policy, now: .seconds(2))
    #expect((load.inFlight, load.inFlightByPod.isEmpty, load.drainEpochSeen) == (0, true, 1))
    let other = board.load(of: ObjectKey(namespace: "x", name: "y"), policy: Self.policy, now: .seconds(2))
    #expect(other.reading.stableAverage == 0)
  }

  @Test("Admin addresses come from the EndpointSlices of the gateway's Service, terminating ones too")
  func directory() {
    let slice: JSONValue = [
      "metadata": ["labels": ["kubernetes.io/service-name": "pilotlight-gateway"]],
      "ports": [["name": "http", "port": 8080], ["name": "admin", "port": 9090]],
      "endpoints": [
        ["addresses": ["10.0.0.1"], "conditions": ["ready": true]],
        ["addresses": ["fd00::2"], "conditions": ["ready": false, "serving": false, "terminating": true]],
      ],
    ]
    var other = slice
    other[path: ["metadata", "labels", "kubernetes.io/service-name"]] = "else"
    other[path: ["endpoints"]] = [["addresses": ["10.9.9.9"]]]
    let found = GatewayDirectory.gateways(in: [KubernetesObject(slice), KubernetesObject(other)])
    #expect(found == ["10.0.0.1:9090": true, "[fd00::2]:9090": false])
  }
}
