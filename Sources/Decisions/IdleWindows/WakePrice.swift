/// What a wake costs beside running: the load time of a replica, and the time its callers wait.
public struct WakePrice: Codable, Hashable, Sendable {
  /// Money per hour of one waiting request (`economics.waitingHourlyPrice`).
  public var waitingPerHour: Double
  /// Money per hour of one burst replica.
  public var replicaPerHour: Double
  public init(waitingPerHour: Double, replicaPerHour: Double) {
    self.waitingPerHour = waitingPerHour
    self.replicaPerHour = replicaPerHour
  }

  /// In replica-seconds.
  /// - Parameters:
  ///   - loadSeconds: from the start of a replica until it takes requests.
  ///   - meanWaiters: requests that wait on average while it loads.
  public func replicaSeconds(loadSeconds: Double, meanWaiters: Double) -> Double {
    let load = max(0, loadSeconds)
    // Without a price of a replica nothing is saved by sleep: it is as if a wake cost a day.
    guard replicaPerHour > 0 else { return 86_400 }
    return min(86_400 * 30, load + waitingPerHour * load * max(0, meanWaiters) / replicaPerHour)
  }
}
