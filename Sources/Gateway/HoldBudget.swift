import Synchronization

/// What all services together may hold: requests and request bytes kept in memory.
///
/// Shared by all loops; each call is one atomic operation or two. A refusal leaves the account as it was.
public final class HoldBudget: Sendable {
  private let requestLimit: Atomic<Int>
  private let byteLimit: Atomic<Int>
  private let requests = Atomic(0)
  private let bytes = Atomic(0)

  public init(maxRequests: Int, maxBytes: Int) {
    requestLimit = Atomic(maxRequests)
    byteLimit = Atomic(maxBytes)
  }

  public var maxRequests: Int { requestLimit.load(ordering: .relaxed) }
  public var maxBytes: Int { byteLimit.load(ordering: .relaxed) }

  /// Sets other bounds; what is held already stays.
  func setLimits(maxRequests: Int, maxBytes: Int) {
    requestLimit.store(maxRequests, ordering: .relaxed)
    byteLimit.store(maxBytes, ordering: .relaxed)
  }

  public var heldRequests: Int { requests.load(ordering: .relaxed) }
  public var heldBytes: Int { bytes.load(ordering: .relaxed) }

  /// Takes a place for one more request; false when all are taken.
  func takePlace() -> Bool {
    if requests.add(1, ordering: .relaxed).newValue <= maxRequests { return true }
    requests.subtract(1, ordering: .relaxed)
    return false
  }

  func returnPlace() { requests.subtract(1, ordering: .relaxed) }

  /// Takes memory for part of a body; false when there is none left.
  func take(bytes count: Int) -> Bool {
    if bytes.add(count, ordering: .relaxed).newValue <= maxBytes { return true }
    bytes.subtract(count, ordering: .relaxed)
    return false
  }

  func `return`(bytes count: Int) { bytes.subtract(count, ordering: .relaxed) }
}
