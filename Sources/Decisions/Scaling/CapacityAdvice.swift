/// How many requests a replica carries before its first tokens get slow, learned from what was measured.
public struct CapacityAdvice: Hashable, Sendable {
  /// Requests at a replica from which the first token takes longer than alone.
  public var bend: Double
  /// Requests at which it takes half as long again.
  public var concurrency: Double
  /// First token without company, in seconds.
  public var aloneSeconds: Double
  /// First tokens it was learned from; older ones count less.
  public var samples: Int

  public init(bend: Double, concurrency: Double, aloneSeconds: Double, samples: Int) {
    self.bend = bend
    self.concurrency = concurrency
    self.aloneSeconds = aloneSeconds
    self.samples = samples
  }

  /// What to set `spec.scaling.target` to: 70 % of the concurrency, as Knative uses of its target
  /// (`container-concurrency-target-percentage`).
  public var target: Int { max(1, Int((concurrency * 0.7).rounded(.down))) }

  /// Whether it is worth telling, after what was told last: the target is another by more than a tenth.
  public func isNews(after last: Int?) -> Bool {
    guard let last else { return true }
    return 10 * abs(target - last) > last
  }
}

/// Finds where the time to the first token bends upwards as a replica has more requests; nil: it was never seen to.
///
/// The line that is level up to a bend and rises after it, fitted by least squares with every class's mean as the bend in
/// turn; the best fit counts. It must rise by half within what was seen: noise bends nothing.
///
/// - Parameter buckets: times to the first token in the classes of ``ServiceTotals/bucket(concurrency:)``.
public func capacityAdvice(_ buckets: [SampleSums]) -> CapacityAdvice? {
  let points = buckets.enumerated().compactMap { index, sums -> FittedLine.Point? in
    guard sums.count >= 20, let mean = sums.mean else { return nil }
    return FittedLine.Point(x: concurrencies[min(index, concurrencies.count - 1)], y: mean, weight: sums.count)
  }
  guard points.count >= 3, let last = points.last else { return nil }
  let best = points.dropLast().compactMap { FittedLine(points, bend: $0.x) }.min { $0.error < $1.error }
  guard let best, best.level > 0, best.slope > 0 else { return nil }
  let slow = best.bend + 0.5 * best.level / best.slope
  guard slow <= last.x else { return nil }
  return CapacityAdvice(
    bend: best.bend, concurrency: slow, aloneSeconds: best.level,
    samples: Int(points.reduce(0) { $0 + $1.weight }.rounded()))
}

/// The middle of each class.
private let concurrencies = [1, 2, 3.5, 6.5, 12.5, 24.5, 48.5, 96]

/// `level` up to `bend`, and from there up by `slope`.
private struct FittedLine {
  struct Point {
    var x: Double
    var y: Double
    var weight: Double
  }
  var bend: Double
  var level: Double
  var slope: Double
  /// Weighted sum of the squared differences.
  var error: Double

  init?(_ points: [Point], bend: Double) {
    self.bend = bend
    var (weights, h, y, hh, hy) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for point in points {
      let over = max(0, point.x - bend)
      weights += point.weight
      h += point.weight * over
      y += point.weight * point.y
      hh += point.weight * over * over
      hy += point.weight * over * point.y
    }
    let determinant = weights * hh - h * h
    guard determinant > 1e-12 else { return nil }
    let slope = (weights * hy - h * y) / determinant
    let level = (y - slope * h) / weights
    self.slope = slope
    self.level = level
    error = points.reduce(0) { sum, point in
      let difference = point.y - level - slope * max(0, point.x - bend)
      return sum + point.weight * difference * difference
    }
  }
}
