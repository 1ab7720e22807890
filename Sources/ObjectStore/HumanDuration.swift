import FoundationEssentials
import KubernetesAPI

/// Durations as `kubectl get` prints ages (k8s.io/apimachinery/pkg/util/duration, HumanDuration).
enum HumanDuration {
  /// Time since an RFC 3339 timestamp; `<unknown>` when there is none.
  static func age(of timestamp: String?, now: Date) -> String {
    guard let timestamp, let date = Timestamp.parse(timestamp) else { return "<unknown>" }
    return text(seconds: Int(now.timeIntervalSince(date).rounded(.down)))
  }

  static func text(seconds: Int) -> String {
    if seconds < -1 { return "<invalid>" }
    if seconds < 0 { return "0s" }
    let minutes = seconds / 60
    let hours = seconds / 3600
    let days = hours / 24
    if seconds < 120 { return "\(seconds)s" }
    if minutes < 10 { return pair(minutes, "m", seconds % 60, "s") }
    if minutes < 180 { return "\(minutes)m" }
    if hours < 8 { return pair(hours, "h", minutes % 60, "m") }
    if hours < 48 { return "\(hours)h" }
    if hours < 24 * 8 { return pair(days, "d", hours % 24, "h") }
    if hours < 24 * 365 * 2 { return "\(days)d" }
    if hours < 24 * 365 * 8 { return pair(days / 365, "y", days % 365, "d") }
    return "\(days / 365)y"
  }

  private static func pair(_ large: Int, _ unit: String, _ small: Int, _ smallUnit: String) -> String {
    small == 0 ? "\(large)\(unit)" : "\(large)\(unit)\(small)\(smallUnit)"
  }
}
