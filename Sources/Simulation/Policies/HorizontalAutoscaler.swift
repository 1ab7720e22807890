/// Kubernetes' HorizontalPodAutoscaler on one external metric with an average target, with its default behaviour
/// (pkg/controller/podautoscaler; apis/autoscaling/v2/defaults.go). Times in microseconds.
public struct HorizontalAutoscaler: Hashable, Sendable {
  public static let syncPeriod: Int64 = 15_000_000
  static let tolerance = 0.1
  static let downscaleStabilization: Int64 = 300_000_000
  /// Per sync period, whichever is more.
  static let (scaleUpPods, scaleUpPercent) = (4, 100)

  private struct Recommendation: Hashable, Sendable {
    var at: Int64
    var replicas: Int
  }
  /// Load per replica.
  public var target: Double
  public var minReplicas: Int
  public var maxReplicas: Int
  private var recommendations: [Recommendation] = []

  public init(target: Double, minReplicas: Int, maxReplicas: Int) {
    self.target = max(1e-9, target)
    self.minReplicas = minReplicas
    self.maxReplicas = max(minReplicas, maxReplicas)
  }

  /// Forgets its recommendations, as when the scale was 0.
  public mutating func reset() { recommendations = [] }

  /// Replicas at a sync.
  /// - Parameters:
  ///   - current: replicas in the spec.
  ///   - load: the metric's total.
  public mutating func desired(current: Int, load: Double, now: Int64) -> Int {
    let ratio = load / (target * Double(max(1, current)))
    let proposal = abs(ratio - 1) <= Self.tolerance ? current : Int((load / target - 1e-9).rounded(.up))
    recommendations.removeAll { $0.at + Self.downscaleStabilization < now }
    // Only the largest of the window is ever asked for.
    while let last = recommendations.last, last.replicas <= proposal { recommendations.removeLast() }
    recommendations.append(Recommendation(at: now, replicas: proposal))
    // Upwards nothing is stabilised; downwards it goes to the largest recommendation of the window.
    let stabilized = proposal >= current ? proposal : min(current, recommendations[0].replicas)
    let ceiling = max(current + Self.scaleUpPods, current * (100 + Self.scaleUpPercent) / 100)
    return min(maxReplicas, max(minReplicas, min(ceiling, stabilized)))
  }
}
