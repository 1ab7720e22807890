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

/// One gateway's place among all gateways, which share each replica's `maxConcurrency` evenly.
public struct GatewayShare: Hashable, Sendable {
  /// Place of this gateway in the sorted list of all, from 0.
  public var index: Int
  /// How many gateways there are, at least 1.
  public var count: Int

  public init(index: Int = 0, count: Int = 1) {
    self.count = max(1, count)
    self.index = min(max(0, index), self.count - 1)
  }

  /// This gateway's slots of one replica. Over all gateways the shares add up to `limit`.
  ///
  /// What does not divide evenly is dealt out by the pod's UID, so that gateways agree without talking, whatever other
  /// pods each of them knows at the moment.
  public func slots(of limit: Int, podUID: String) -> Int {
    guard count > 1 else { return limit }
    let (base, rest) = limit.quotientAndRemainder(dividingBy: count)
    guard rest > 0 else { return base }
    let turn = Int(Self.hash(podUID) % UInt64(count))
    return base + ((index + turn) % count < rest ? 1 : 0)
  }

  /// FNV-1a, 64 bits: the same in every process, which Swift's own hashes are not.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
