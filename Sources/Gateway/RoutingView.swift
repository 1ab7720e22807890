import Decisions

/// Everything a gateway routes by, at one moment: immutable, swapped as a whole.
///
/// Building one sorts all names once, O(services x names); looking one up is one dictionary access.
public struct RoutingView: Sendable {
  /// Sorted by key.
  public let services: [ServiceRoute]
  /// `<name>.<namespace>.<domain>` names a service; lower case, no dot at either end.
  public let domain: String
  /// This gateway's place among all that share the replicas' slots.
  public let share: GatewayShare

  let names: NameTable

  public init(services: [ServiceRoute] = [], domain: String = "localhost", share: GatewayShare = GatewayShare()) {
    self.services = services.sorted { $0.key < $1.key }
    self.domain = HostName.normalized(domain)
    self.share = share
    self.names = NameTable(services: self.services, domain: self.domain)
  }
}

/// One gateway's place among all gateways, which share each replica's `maxConcurrency`: evenly, unless the leader says
/// otherwise.
public struct GatewayShare: Hashable, Sendable {
  /// Place of this gateway in the sorted list of all, from 0.
  public let index: Int
  /// Names of all gateways, sorted; empty: they are not known by name, and nobody can say how to share with them.
  public let members: [String]
  private let even: SlotWeights

  /// How many gateways there are, at least 1.
  public var count: Int { even.parts.count }

  public init(index: Int = 0, count: Int = 1) {
    members = []
    even = .even(count)
    self.index = min(max(0, index), even.parts.count - 1)
  }

  /// - Parameters:
  ///   - identity: this gateway's name.
  ///   - names: all gateways' names; this one is among them whether or not it is named.
  public init(identity: String, among names: some Sequence<String>) {
    members = Set(names).union([identity]).sorted()
    even = .even(members.count)
    index = members.firstIndex(of: identity) ?? 0
  }

  /// This gateway's slots of one replica when they are shared evenly. Over all gateways the shares add up to `limit`.
  public func slots(of limit: Int, podUID: String) -> Int {
    count > 1 ? even.slots(of: limit, podUID: podUID, index: index) : limit
  }
}
