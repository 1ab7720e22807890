import KubernetesAPI
import KubernetesClient

/// Finds out what a crashed container said before it ended.
struct LastWords: Sendable {
  var client: KubernetesClient
  static let lines = 5
  /// `status.conditions[].message` may be long, but nobody reads that.
  static let maximumLength = 1000

  /// How it ended and the end of its log; without a log, how it ended.
  func read(_ trouble: PodTrouble, of pod: ObjectKey) async -> String {
    guard trouble.hasRun else { return trouble.message }
    for previous in [true, false] {
      let text = try? await client.logs(
        pod, container: trouble.container, tailLines: Self.lines, previous: previous)
      let words = (text ?? "").split(whereSeparator: \.isNewline).joined(separator: " | ")
      if !words.isEmpty { return "\(trouble.message); its last words: \(String(words.suffix(Self.maximumLength)))" }
    }
    return trouble.message
  }
}
