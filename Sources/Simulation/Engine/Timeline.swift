/// Averages of replicas and held requests over time, in a bounded number of bins that double in width as time goes on.
public struct Timeline: Hashable, Sendable {
  /// Most bins; when the last one is passed, neighbours are put together.
  static let binCount = 1024
  public private(set) var start: Int64
  /// Width of a bin in microseconds.
  public private(set) var width: Int64 = 1_000_000
  /// Integrals per bin, in unit-microseconds.
  private(set) var replicas: [Double]
  private(set) var held: [Double]

  init(start: Int64) {
    self.start = start
    replicas = Array(repeating: 0, count: Self.binCount)
    held = replicas
  }

  mutating func addReplicas(_ amount: Double, from: Int64, to: Int64) {
    reach(to)
    Self.add(amount, from: from - start, to: to - start, width: width, &replicas)
  }

  mutating func addHeld(_ amount: Double, from: Int64, to: Int64) {
    reach(to)
    Self.add(amount, from: from - start, to: to - start, width: width, &held)
  }

  /// Adds what another one holds that has the same start.
  mutating func add(_ other: Timeline) {
    var other = other
    other.widen(to: width)
    widen(to: other.width)
    for bin in 0..<Self.binCount {
      replicas[bin] += other.replicas[bin]
      held[bin] += other.held[bin]
    }
  }

  /// Average per bin up to `end`, as points in time (the bin's start, in seconds since the trace's start).
  public func averages(until end: Int64) -> [(seconds: Double, replicas: Double, held: Double)] {
    let bins = min(Self.binCount, Int(max(1, (end - start + width - 1) / width)))
    return (0..<bins).map { bin in
      let span = Double(min(width, max(1, end - start - Int64(bin) * width)))
      return (Double(Int64(bin) * width) / 1e6, replicas[bin] / span, held[bin] / span)
    }
  }

  @inline(__always)
  private mutating func reach(_ moment: Int64) {
    while moment - start > width * Int64(Self.binCount) { widen(to: 2 * width) }
  }

  private mutating func widen(to wanted: Int64) {
    while width < wanted {
      for bin in 0..<Self.binCount / 2 {
        replicas[bin] = replicas[2 * bin] + replicas[2 * bin + 1]
        held[bin] = held[2 * bin] + held[2 * bin + 1]
      }
      for bin in Self.binCount / 2..<Self.binCount {
        replicas[bin] = 0
        held[bin] = 0
      }
      width *= 2
    }
  }

  private static func add(_ amount: Double, from: Int64, to: Int64, width: Int64, _ bins: inout [Double]) {
    guard to > from, from >= 0 else { return }
    let (first, last) = (Int(from / width), Int((to - 1) / width))
    guard first < last else {
      bins[first] += amount * Double(to - from)
      return
    }
    bins[first] += amount * Double(Int64(first + 1) * width - from)
    if first + 1 < last { for bin in first + 1..<last { bins[bin] += amount * Double(width) } }
    bins[last] += amount * Double(to - Int64(last) * width)
  }
}
