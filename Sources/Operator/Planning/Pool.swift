/// A set of like replicas of a service.
enum Pool: String, CaseIterable, Hashable, Comparable {
  case dedicated
  case burst
  /// Replicas of a new template, beside the pools, while it is tried.
  case canary

  /// The two that carry the service; the canary comes and goes.
  static let lasting: [Pool] = [.dedicated, .burst]

  static func < (left: Pool, right: Pool) -> Bool { left.place < right.place }

  private var place: Int { self == .dedicated ? 0 : self == .burst ? 1 : 2 }

  /// As the status names it.
  var word: String {
    switch self {
    case .dedicated: "Dedicated"
    case .burst: "Burst"
    case .canary: "Canary"
    }
  }

  /// Name of its Deployment and its headless Service.
  func deploymentName(of service: String) -> String { "\(service)-\(rawValue)" }
}

/// A value for each pool.
struct PerPool<Value> {
  var dedicated: Value
  var burst: Value
  var canary: Value

  subscript(pool: Pool) -> Value {
    get {
      switch pool {
      case .dedicated: dedicated
      case .burst: burst
      case .canary: canary
      }
    }
    set {
      switch pool {
      case .dedicated: dedicated = newValue
      case .burst: burst = newValue
      case .canary: canary = newValue
      }
    }
  }
}

extension PerPool {
  init(_ value: (Pool) throws -> Value) rethrows {
    self.init(dedicated: try value(.dedicated), burst: try value(.burst), canary: try value(.canary))
  }
}

extension PerPool where Value == Int {
  /// Without a canary.
  init(dedicated: Int, burst: Int) { self.init(dedicated: dedicated, burst: burst, canary: 0) }
}

extension PerPool where Value == PoolObservation {
  /// Without a canary.
  init(dedicated: PoolObservation, burst: PoolObservation) {
    self.init(dedicated: dedicated, burst: burst, canary: PoolObservation())
  }
}

extension PerPool where Value: ExpressibleByNilLiteral {
  /// Without a canary.
  init(dedicated: Value, burst: Value) { self.init(dedicated: dedicated, burst: burst, canary: nil) }
}

extension PerPool: Sendable where Value: Sendable {}
extension PerPool: Equatable where Value: Equatable {}
