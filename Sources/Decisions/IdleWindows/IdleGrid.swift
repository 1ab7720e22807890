/// The idle times at which a model may be put to sleep: 1 s to 24 h, in 14 steps to a minute, each a third longer than the one
/// before, and in 40 from there on, each a fifth longer.
///
/// A silence of up to a second is never slept through, so the grid begins there; a silence is said to be in *step* `j` when
/// it is longer than `edges[j]` and not longer than `edges[j + 1]`.
public enum IdleGrid {
  /// Seconds.
  public static let edges: [Double] = {
    var edges = [1.0]
    while edges.count < shortSteps { edges.append(edges[edges.count - 1] * 1.3397) }
    edges.append(60)
    while edges.count < steps { edges.append(edges[edges.count - 1] * 1.2) }
    return edges + [86_400]
  }()

  /// Steps between the edges.
  public static let steps = shortSteps + 40

  /// Steps within a minute.
  static let shortSteps = 14

  /// Neighbouring steps that are told alike.
  static func group(of step: Int) -> Int {
    step < shortSteps ? step / 3 : 5 + (step - shortSteps) * 14 / (steps - shortSteps)
  }

  static let groups = group(of: steps - 1) + 1

  /// The step of a silence in seconds; nil: it is within the first edge. ``steps`` stands for all that is past the last.
  static func step(of gap: Double) -> Int? {
    guard gap > edges[0] else { return nil }
    return edges.firstIndex { gap <= $0 }.map { $0 - 1 } ?? steps
  }
}
