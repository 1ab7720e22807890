/// A replica that might go, as far as the choice of victims needs to know it.
public struct DrainCandidate: Hashable, Sendable {
  /// Pod UID.
  public var id: String
  public var isReady: Bool
  /// Requests at this replica, over all gateways.
  public var inFlight: Int
  /// When it was created: anything that sorts by age, such as an RFC 3339 time.
  public var createdAt: String
  public init(id: String, isReady: Bool, inFlight: Int, createdAt: String) {
    self.id = id
    self.isReady = isReady
    self.inFlight = inFlight
    self.createdAt = createdAt
  }
}

/// Who goes first when replicas go.
public enum DrainOrder {
  /// The candidates to give up: those not ready yet, then the least busy, then the youngest; equal ones by identity.
  public static func victims(_ candidates: [DrainCandidate], count: Int) -> [String] {
    let order = candidates.sorted { left, right in
      if left.isReady != right.isReady { return !left.isReady }
      if left.inFlight != right.inFlight { return left.inFlight < right.inFlight }
      if left.createdAt != right.createdAt { return left.createdAt > right.createdAt }
      return left.id < right.id
    }
    return order.prefix(max(0, count)).map(\.id)
  }
}
