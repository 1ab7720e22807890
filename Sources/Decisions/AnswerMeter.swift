/// Adds up what all gateways say about the answers of a service's canary and of its pools, from the moment it began to listen.
///
/// Gateways send cumulative counts, so a lost snapshot loses nothing.
public struct AnswerMeter: Hashable, Sendable {
  /// What was answered by the canary and by the pools.
  public struct Total: Hashable, Sendable {
    public var canary: AnswerCount
    public var stable: AnswerCount

    public init(canary: AnswerCount = AnswerCount(), stable: AnswerCount = AnswerCount()) {
      self.canary = canary
      self.stable = stable
    }

    public static func + (left: Total, right: Total) -> Total {
      Total(canary: left.canary + right.canary, stable: left.stable + right.stable)
    }

    public static func - (left: Total, right: Total) -> Total {
      Total(canary: left.canary - right.canary, stable: left.stable - right.stable)
    }
  }

  private struct Gateway: Hashable, Sendable {
    var bootID: String
    var counts: Total
  }

  private var gateways: [String: Gateway] = [:]
  public private(set) var total = Total()

  public init() {}

  /// Takes a gateway's counts.
  ///
  /// - Parameter isFirstWord: Nothing was heard from the gateway before: how its counts came about is not known, so they are
  ///   only a base to count from.
  public mutating func record(_ counts: Total, from gateway: String, bootID: String, isFirstWord: Bool) {
    let previous = gateways[gateway]
    gateways[gateway] = Gateway(bootID: bootID, counts: counts)
    if previous == nil && isFirstWord { return }
    // After a restart the counts began at zero: all of them is new.
    let base = previous.flatMap { $0.bootID == bootID ? $0.counts : nil } ?? Total()
    total = total + (counts - base)
  }

  /// The gateway is no more; what it counted stays counted.
  public mutating func remove(gateway: String) { gateways[gateway] = nil }
}
