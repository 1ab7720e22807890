/// What waiting is worth, against what a replica costs.
public struct WakePrice: Codable, Hashable, Sendable {
  /// Money per hour of one waiting request (`economics.waitingHourlyPrice`).
  public var waitingPerHour: Double
  /// Money per hour of one burst replica.
  public var replicaPerHour: Double
  public init(waitingPerHour: Double, replicaPerHour: Double) {
    self.waitingPerHour = waitingPerHour
    self.replicaPerHour = replicaPerHour
  }

  /// What the waiting for one wake is worth, in replica-seconds; at most 30 days.
  /// - Parameters:
  ///   - loadSeconds: from the start of a replica until it takes requests.
  ///   - meanWaiters: requests that wait on average while it loads.
  public func waiting(loadSeconds: Double, meanWaiters: Double) -> Double {
    // Where a replica costs nothing, sleep saves nothing.
    guard replicaPerHour > 0 else { return Self.most }
    return min(Self.most, waitingPerHour * max(0, loadSeconds) * max(0, meanWaiters) / replicaPerHour)
  }

  private static let most = 86_400.0 * 30
}
