/// Fields that the API takes but that this version does not act on yet. An object that sets one is refused with a
/// condition: ignoring a wish silently would be worse than refusing it.
public enum UnsupportedFields {
  /// The fields that `spec` sets, in the order of the API, each with what to do about it.
  public static func reasons(in spec: InferenceServiceSpec) -> [(path: String, message: String)] {
    table.filter { $0.isUsed(spec) }.map { row in
      (row.path, "\(row.path) is not acted on by this version; \(row.remedy)")
    }
  }

  /// What of a field this version refuses, for whoever reads about the field; nil: nothing.
  /// - Parameter path: such as `spec.scaling.mode`.
  static func refusal(of path: String) -> String? {
    for row in table {
      if row.path == path { return "Not acted on by this version; \(row.remedy)." }
      if row.path.hasPrefix("\(path): ") {
        return "`\(row.path.dropFirst(path.count + 2))` is not acted on by this version; \(row.remedy)."
      }
    }
    return nil
  }

  private struct Row: Sendable {
    let path: String
    let remedy: String
    let isUsed: @Sendable (InferenceServiceSpec) -> Bool

    init(_ path: String, _ remedy: String, _ isUsed: @escaping @Sendable (InferenceServiceSpec) -> Bool) {
      self.path = path
      self.remedy = remedy
      self.isUsed = isUsed
    }
  }

  /// A version that acts on a field deletes its row.
  private static let table: [Row] = [
    Row("spec.overflow", "remove it") { !$0.overflow.isEmpty },
    Row("spec.scaling.mode: Predictive without burst.sleepAfter: Auto", "set sleepAfter to Auto, or use Reactive") {
      $0.scaling.mode == .predictive && $0.burst.sleepAfter != .auto
    },
    Row("spec.routing.rules[].reservedDedicatedPercent", "remove it") {
      $0.routing.rules.contains { $0.reservedDedicatedPercent ?? 0 > 0 }
    },
    Row("spec.routing.rules[].dataClass", "remove it") { $0.routing.rules.contains { $0.dataClass != nil } },
    Row("spec.access", "remove it, and let only whom you trust reach the gateway") { $0.access != nil },
  ]
}
