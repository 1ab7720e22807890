import Decisions
import FleetProtocol
import FoundationEssentials
import Testing

/// An upgrade passes through mixtures of two versions (`hack/upgrade-test` runs them): what one writes the other must read.
/// The messages here were recorded from version 1; they stay as they are when the code moves on.
@Suite struct NeighbourVersionTests {
  static let snapshot = #"""
    {"bootID":"e51d0b3a0f46b7de","gateway":"gateway-0","sequence":8,"services":[{"capacity":4,"concurrencySeconds":2.672237097,
    "drainEpochSeen":0,"held":5,"heldSinceUnix":1795782642.212512,"inFlight":4,
    "inFlightByPod":{"2fd8a8c9-0d16-4177-8b8b-eae54691b614":4},"lastRequestUnix":1795782642.2124953,"name":"llm",
    "namespace":"default","requestsTotal":9,"slots":4,"slotsEpoch":1883014576164379175}],"takesSlots":true,"version":1}
    """#

  static let slots = #"""
    {"gateways":["gateway-0","gateway-1"],"services":[{"epoch":1883014576164379175,"name":"llm","namespace":"default",
    "next":{"parts":[1,0],"turn":0},"since":1883014576164379174,"weights":{"parts":[3,1],"turn":0}}],"version":1}
    """#

  static let reply = #"{"epoch":1883014576164379175,"version":1}"#

  /// As the neighbour of a version writes it: another number, and members, at every level, that this reader does not know.
  static func asWritten(by version: Int, _ message: String) -> [UInt8] {
    var text = message.split(separator: "\n").joined()
    text = text.replacing(#""version":1}"#, with: #""version":\#(version),"later":{"a":[1,null]}}"#)
    text = text.replacing(#""name":"llm""#, with: #""name":"llm","later":[{"b":true}]"#)
    return Array(text.utf8)
  }

  @Test("A recorded snapshot is read, by its own version and by both neighbours", arguments: [0, 1, 2])
  func readsSnapshots(version: Int) throws {
    let snapshot = try LoadSnapshot(line: Self.asWritten(by: version, Self.snapshot))
    #expect(snapshot.version == version && snapshot.gateway == "gateway-0" && snapshot.takesSlots == true)
    #expect(
      snapshot.services == [
        ServiceLoad(
          namespace: "default", name: "llm", held: 5, inFlight: 4,
          inFlightByPod: ["2fd8a8c9-0d16-4177-8b8b-eae54691b614": 4], requestsTotal: 9,
          concurrencySeconds: 2.672237097, heldSinceUnix: 1_795_782_642.212512, lastRequestUnix: 1_795_782_642.2124953,
          drainEpochSeen: 0, capacity: 4, slots: 4, slotsEpoch: 1_883_014_576_164_379_175)
      ])
  }

  @Test("What an older gateway does not measure is not there, which is not zero; sums that make no sense are refused")
  func measuresAreOptional() throws {
    let old = try #require(try LoadSnapshot(line: Self.asWritten(by: 1, Self.snapshot)).services.first)
    #expect(old.tokensTotal == nil && old.service == nil)
    var totals = ServiceTotals()
    totals.add(firstToken: 0.5, occupied: 1, concurrency: 2)
    let load = ServiceLoad(
      namespace: "default", name: "llm", promptTokensTotal: 7, outputTokensTotal: 8, service: totals)
    let line = try LoadSnapshot(gateway: "g", bootID: "b", sequence: 1, services: [load]).encodedLine()
    let read = try #require(try LoadSnapshot(line: line).services.first)
    #expect(read == load && read.tokensTotal == 15 && read.service == totals)
    let text = String(decoding: line, as: UTF8.self)
    #expect(text.contains(#""firstTokens":[[0,0,0],[1,0.5,0.25]]"#), "\(text)")
    for bad in [
      #""firstTokens":[[0,0,0],[1,-0.5,0.25]]"#,
      #""firstTokens":[\#(Array(repeating: "[0,0,0]", count: 17).joined(separator: ","))]"#,
    ] {
      let broken = text.replacing(#""firstTokens":[[0,0,0],[1,0.5,0.25]]"#, with: bad)
      #expect(throws: FleetProtocolError.self) { try LoadSnapshot(line: Array(broken.utf8)) }
    }
  }

  @Test("A recorded deal of slots is read, by its own version and by both neighbours", arguments: [0, 1, 2])
  func readsSlots(version: Int) throws {
    let message = try SlotMessage(body: Self.asWritten(by: version, Self.slots))
    #expect(message.gateways == ["gateway-0", "gateway-1"])
    let service = try #require(message.services.first)
    #expect(service.since == 1_883_014_576_164_379_174 && service.epoch == 1_883_014_576_164_379_175)
    #expect(try service.weights == SlotWeights(parts: [3, 1]) && service.next == SlotWeights(parts: [1, 0]))
    #expect(try SlotReply(body: Self.asWritten(by: version, Self.reply)).epoch == service.epoch)
  }

  @Test("What is two versions away is refused by its number", arguments: [-1, 3])
  func refusesStrangers(version: Int) {
    let refusal = FleetProtocolError.unsupportedVersion(version)
    #expect(throws: refusal) { try LoadSnapshot(line: Self.asWritten(by: version, Self.snapshot)) }
    #expect(throws: refusal) { try SlotMessage(body: Self.asWritten(by: version, Self.slots)) }
    #expect(throws: refusal) { try SlotReply(body: Self.asWritten(by: version, Self.reply)) }
  }

  @Test("What is written now has every member without which version 1 would not read it")
  func writesForTheLastVersion() throws {
    struct Snapshot: Decodable {
      struct Load: Decodable { var namespace, name: String }
      var version, sequence: Int
      var gateway, bootID: String
      var services: [Load]
    }
    struct Slots: Decodable {
      struct Weights: Decodable { var parts: [Int], turn: Int }
      struct Deal: Decodable {
        var namespace, name: String
        var since, epoch: Int
        var weights: Weights
      }
      var version: Int
      var gateways: [String]
      var services: [Deal]
    }
    struct Reply: Decodable { var version, epoch: Int }

    let decoder = JSONDecoder()
    let load = ServiceLoad(namespace: "default", name: "llm")
    let line = try LoadSnapshot(gateway: "g", bootID: "b", sequence: 1, services: [load]).encodedLine()
    #expect(try decoder.decode(Snapshot.self, from: Data(line)).version <= 2)
    let deal = ServiceSlots(namespace: "default", name: "llm", since: 1, epoch: 2, weights: try SlotWeights(parts: [1]))
    let body = try SlotMessage(gateways: ["g"], services: [deal]).encoded()
    #expect(try decoder.decode(Slots.self, from: Data(body)).services.first?.weights.parts == [1])
    #expect(try decoder.decode(Reply.self, from: Data(SlotReply(epoch: 3).encoded())).epoch == 3)
  }
}
