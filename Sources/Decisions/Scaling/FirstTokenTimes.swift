/// How the times from a replica's slot to the first token spread: a log-normal distribution with the mean and variation that
/// were measured, as 29 weighted points. Prompts' lengths, which make most of the spread, are about log-normal.
struct FirstTokenTimes {
  /// Seconds, rising.
  let seconds: [Double]

  init(_ sums: SampleSums) {
    let mean = sums.mean ?? 0
    let variance = ElementaryFunctions.logarithm(1 + min(1e6, sums.variation ?? 0))
    let spread = variance.squareRoot()
    // The points are as far apart, so each is the one before times the same: two exponential functions instead of 29.
    var time = mean * ElementaryFunctions.exponential(spread * Self.deviates[0] - variance / 2)
    let factor = ElementaryFunctions.exponential(spread * Self.step)
    seconds = Self.deviates.map { _ in
      defer { time *= factor }
      return time
    }
  }

  /// Share of the requests that have their first token within `limit`, if waits are as `tail` says: the share of requests that
  /// wait longer than some seconds.
  func share(within limit: Double, tail: (Double) -> Double) -> Double {
    var share = 0.0
    for (index, time) in seconds.enumerated() where time <= limit {
      share += Self.weights[index] * (1 - tail(limit - time))
    }
    return share
  }

  /// The same if nobody waits: more replicas cannot do better.
  func share(within limit: Double) -> Double { share(within: limit) { _ in 0 } }

  /// Mean of those within `limit`, in seconds; `limit` if there are none.
  func mean(within limit: Double) -> Double {
    var (sum, weight) = (0.0, 0.0)
    for point in points where point.seconds <= limit {
      sum += point.weight * point.seconds
      weight += point.weight
    }
    return weight > 0 ? sum / weight : limit
  }

  /// Each point with its weight.
  var points: some Sequence<(seconds: Double, weight: Double)> {
    zip(seconds, Self.weights).lazy.map { (seconds: $0, weight: $1) }
  }

  /// Points of the standard normal distribution, from -3 to 4: its upper end matters.
  private static let step = 0.25
  private static let deviates = (0...28).map { -3 + Double($0) * step }
  private static let weights: [Double] = {
    let densities = deviates.map { ElementaryFunctions.exponential(-$0 * $0 / 2) }
    let total = densities.reduce(0, +)
    return densities.map { $0 / total }
  }()
}
