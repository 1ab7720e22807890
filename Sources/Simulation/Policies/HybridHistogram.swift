/// The hybrid histogram policy of "Serverless in the Wild" (Shahrad et al., ATC 2020): per model a histogram of idle times in
/// bins of a minute up to four hours.
///
/// Where the histogram is representative, the replica goes at once, a new one is started before the 5th percentile and stays
/// until after the 99th, each with a margin of 10 %; a 5th percentile in the first minute keeps the replica instead. Where it
/// is not (few idle times, or bins too alike: the coefficient of variation of their counts below 2), the replica stays for
/// four hours. The paper's third part, a time series for idle times beyond the range, is left out: those models keep
/// the four hours.
public struct HybridHistogram: IdleWindowPolicy {
  static let binMicroseconds: Int64 = 60_000_000
  static let binCount = 240
  static let (headPercentile, tailPercentile, margin) = (0.05, 0.99, 0.1)
  /// Fewer idle times than this say nothing (the paper leaves the number open).
  static let leastSamples = 10
  static let leastVariation = 2.0
  /// Where more than half of the idle times are beyond the range, the histogram does not hold.
  static let mostOutOfBounds = 0.5

  private struct Counts: Sendable {
    var bins: [UInt32]
    var inBounds = 0
    var outOfBounds = 0
    /// Sum of the squares of the bins' counts.
    var squares: Double = 0
  }
  private var models: [Counts?] = []

  public init() {}

  public mutating func noteGap(model: Int, idleSince: Int64, gap: Int64) {
    while models.count <= model { models.append(nil) }
    var counts = models[model] ?? Counts(bins: Array(repeating: 0, count: Self.binCount))
    models[model] = nil
    let bin = Int(gap / Self.binMicroseconds)
    if bin < Self.binCount {
      counts.squares += 2 * Double(counts.bins[bin]) + 1
      counts.bins[bin] += 1
      counts.inBounds += 1
    } else {
      counts.outOfBounds += 1
    }
    models[model] = counts
  }

  public mutating func plan(model: Int, idleSince: Int64) -> IdlePlan {
    let fallback = IdlePlan(keep: Self.binMicroseconds * Int64(Self.binCount))
    guard model < models.count, let counts = models[model], isRepresentative(counts) else { return fallback }
    let head = bin(at: Self.headPercentile, of: counts)
    let tail = Double(bin(at: Self.tailPercentile, of: counts) + 1) * Double(Self.binMicroseconds)
    let until = Int64(tail * (1 + Self.margin))
    let prewarm = Int64(Double(head) * Double(Self.binMicroseconds) * (1 - Self.margin))
    return prewarm == 0
      ? IdlePlan(keep: until) : IdlePlan(keep: 0, prewarms: [IdlePlan.Prewarm(after: prewarm, until: until)])
  }

  private func isRepresentative(_ counts: Counts) -> Bool {
    let all = counts.inBounds + counts.outOfBounds
    guard all >= Self.leastSamples, Double(counts.outOfBounds) <= Self.mostOutOfBounds * Double(all) else {
      return false
    }
    let mean = Double(counts.inBounds) / Double(Self.binCount)
    let variance = max(0, counts.squares / Double(Self.binCount) - mean * mean)
    return mean > 0 && variance.squareRoot() / mean >= Self.leastVariation
  }

  /// The bin in which the percentile of the idle times within range lies.
  private func bin(at share: Double, of counts: Counts) -> Int {
    let rank = max(1, Int((share * Double(counts.inBounds)).rounded(.up)))
    var seen = 0
    for (bin, count) in counts.bins.enumerated() {
      seen += Int(count)
      if seen >= rank { return bin }
    }
    return Self.binCount - 1
  }
}
