import Decisions
import FoundationEssentials

/// How the leader tells a gateway to share replicas' slots with the others: the body of `PUT` on ``path``, all services whose
/// slots are not shared evenly. It takes effect at once, and lapses unless it is renewed (see ``SlotTable``).
public struct SlotMessage: Codable, Hashable, Sendable {
  /// Path on a gateway's admin port.
  public static let path = "/fleet/v1/slots"
  public static let contentType = "application/json"
  /// Longest body that is read, in bytes: ``SlotCoordinator/mostServices`` of a hundred gateways fit.
  public static let bodyLimit = 8 << 20

  public var version: Int
  /// The names of the gateways that share, sorted: the order of all weights. A gateway that knows others takes nothing.
  public var gateways: [String]
  public var services: [ServiceSlots]

  public init(version: Int = FleetVersion.current, gateways: [String], services: [ServiceSlots]) {
    self.version = version
    self.gateways = gateways
    self.services = services
  }
}

/// One model's slots.
public struct ServiceSlots: Codable, Hashable, Sendable {
  public var namespace: String
  public var name: String
  /// The epoch at which this leader began to deal the service's slots, from even shares. What a gateway has from before
  /// counts besides until ``next`` is nil.
  public var since: Int
  /// Counts changes, over all services and leaders, from wherever a leader begins: what is older than what a gateway has is
  /// not taken.
  public var epoch: Int
  /// The deal in force.
  public var weights: SlotWeights
  /// The deal that is to follow. Until it does, a gateway may use only what both give it.
  public var next: SlotWeights?

  public init(namespace: String, name: String, since: Int, epoch: Int, weights: SlotWeights, next: SlotWeights? = nil) {
    self.namespace = namespace
    self.name = name
    self.since = since
    self.epoch = epoch
    self.weights = weights
    self.next = next
  }
}

/// What a gateway answers.
public struct SlotReply: Codable, Hashable, Sendable {
  public var version: Int
  /// The highest epoch that the gateway knows: a leader that counts below it goes on from there.
  public var epoch: Int

  public init(version: Int = FleetVersion.current, epoch: Int) {
    self.version = version
    self.epoch = epoch
  }
}

extension SlotMessage {
  /// The body of the `PUT`. Members are sorted: equal messages have equal bytes.
  public func encoded() throws -> [UInt8] { try encodeSorted(self) }

  /// Reads a body. - Throws: ``FleetProtocolError``.
  public init(body: some Collection<UInt8>) throws(FleetProtocolError) {
    let message = try decodeVersioned(SlotMessage.self, from: Data(body))
    for service in message.services {
      for weights in [service.weights, service.next ?? service.weights]
      where weights.parts.count != message.gateways.count {
        throw .malformed(
          "\(service.namespace)/\(service.name) has \(weights.parts.count) weights for \(message.gateways.count) gateways"
        )
      }
    }
    self = message
  }
}

extension SlotReply {
  public func encoded() throws -> [UInt8] { try encodeSorted(self) }

  /// Reads an answer. - Throws: ``FleetProtocolError``.
  public init(body: some Collection<UInt8>) throws(FleetProtocolError) {
    self = try decodeVersioned(SlotReply.self, from: Data(body))
  }
}
