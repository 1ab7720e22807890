/// One of the two sets of replicas of a service.
enum Pool: String, CaseIterable, Hashable, Comparable {
  case dedicated
  case burst

  static func < (left: Pool, right: Pool) -> Bool { left.rawValue > right.rawValue }

  /// As the status names it.
  var word: String { self == .dedicated ? "Dedicated" : "Burst" }

  /// Name of its Deployment and its headless Service.
  func deploymentName(of service: String) -> String { "\(service)-\(rawValue)" }
}

/// A value for each pool.
struct PerPool<Value> {
  var dedicated: Value
  var burst: Value

  subscript(pool: Pool) -> Value {
    get { pool == .dedicated ? dedicated : burst }
    set { if pool == .dedicated { dedicated = newValue } else { burst = newValue } }
  }
}

extension PerPool: Sendable where Value: Sendable {}
extension PerPool: Equatable where Value: Equatable {}
