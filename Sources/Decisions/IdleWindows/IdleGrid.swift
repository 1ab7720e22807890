/// The idle times at which a model may be put to sleep: 1 min to 24 h, each a fifth longer than the one before.
///
/// A silence of up to a minute is never slept through, so the grid begins there; a silence is said to be in *step* `j` when
/// it is longer than `edges[j]` and not longer than `edges[j + 1]`.
public enum IdleGrid {
  /// Seconds.
  public static let edges: [Double] = {
    var edges = [60.0]
    while edges.count < 40 { edges.append(edges[edges.count - 1] * 1.2) }
    return edges + [86_400]
  }()

  /// Steps between the edges.
  public static let steps = 40

  /// The step of a silence in seconds; nil: it is within the first edge. ``steps`` stands for all that is past the last.
  static func step(of gap: Double) -> Int? {
    guard gap > edges[0] else { return nil }
    return edges.firstIndex { gap <= $0 }.map { $0 - 1 } ?? steps
  }
}
